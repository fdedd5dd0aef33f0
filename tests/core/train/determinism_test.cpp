#include <gtest/gtest.h>

#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

class EveryMethodTwice : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethodTwice, HasTheSameBitsWatchedOrNotPausedOrNot) {
  const config::RunConfig config = test::tiny_config(GetParam());
  Harness plain(config, /*watched=*/false), watched(config, /*watched=*/true);
  plain.steps(30);
  bus::Command watch = test::command(CommandKind::kWatch);
  watch.wants = {true, ~std::uint64_t{0}};
  watched.send(watch);
  for (int i = 0; i < 10; ++i) {
    watched.steps(3);
    watched.send(test::command(CommandKind::kPause));
    watched.send(test::with_text(CommandKind::kProbeSentence, "what comes next"));
    watched.send(test::command(CommandKind::kResume));
  }
  EXPECT_EQ(plain.checksum(), watched.checksum());
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(plain.loss(i), watched.loss(i));
}

INSTANTIATE_TEST_SUITE_P(Determinism, EveryMethodTwice, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST(Determinism, AnotherSeedGivesOtherBits) {
  Harness one(test::tiny_config("switch"), false), other(test::tiny_config("switch", {"seed=4"}), false);
  one.steps(2);
  other.steps(2);
  EXPECT_NE(one.checksum(), other.checksum());
}

}  // namespace
}  // namespace moescope
