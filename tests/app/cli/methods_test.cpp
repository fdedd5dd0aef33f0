#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

using testing::HasSubstr;

class Methods : public Program {};

TEST_F(Methods, AreATableWithPaperAndStages) {
  const Outcome outcome = run({"methods"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.out.starts_with("method ")) << outcome.out;
  for (const char* id : {"dense", "random", "switch", "smoe", "stablemoe"})
    EXPECT_THAT(outcome.out, HasSubstr(std::string("\n") + id + ' '));
  EXPECT_THAT(outcome.out, HasSubstr(" → "));
}

TEST_F(Methods, AsJsonNameEveryKey) {
  const Outcome outcome = run({"methods", "--json"});
  ASSERT_EQ(outcome.code, 0);
  const auto list = nlohmann::json::parse(outcome.out);
  ASSERT_GE(list.size(), 5U);
  for (const auto& method : list) {
    EXPECT_FALSE(method["title"].get<std::string>().empty());
    EXPECT_GE(method["stages"].size(), 1U);
    for (const auto& field : method["router"]) EXPECT_THAT(field["key"], testing::StartsWith("moe.router."));
  }
}

TEST_F(Methods, EveryMethodHasASampleOfItsName) {
  for (const auto& method : nlohmann::json::parse(run({"methods", "--json"}).out))
    EXPECT_TRUE(std::filesystem::exists(sample(method["id"].get<std::string>() + ".toml"))) << method["id"];
}

// When this fails: build/release/bin/moescope-cli methods --docs > resources/help/config.md
TEST_F(Methods, TheCommittedPageOfKeysIsTheGeneratedOne) {
  EXPECT_EQ(content_of(MOESCOPE_SOURCE_DIR "/resources/help/config.md"), run({"methods", "--docs"}).out);
}

}  // namespace
}  // namespace moescope::cli
