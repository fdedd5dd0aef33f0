// What a configuration becomes. What a wrong one is told is in messages_test.cpp.
#include "core/config/run_config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/core/config/catalogue.h"

namespace moescope::config {
namespace {

RunConfig read(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto config = read_run_config(text, "run.toml", test_catalogue(), overrides);
  EXPECT_TRUE(config) << format(config.error());
  return config ? *config : RunConfig{};
}

TEST(RunConfig, AnEmptyFileIsTheDefaults) {
  const RunConfig config = read("");
  EXPECT_EQ(config.top.seed, 7);
  EXPECT_EQ(config.moe.method, "stablemoe");
  EXPECT_EQ(config.train.lr, 4e-3);
  EXPECT_EQ(std::get<double>(config.router.at("distillation_coefficient")), 0.3);
  EXPECT_EQ(std::get<std::int64_t>(config.stages.at("learn_steps")), 400);
  EXPECT_TRUE(config.written.empty());
}

TEST(RunConfig, AMethodChangesDefaultsOfCommonKeys) {
  EXPECT_EQ(read("[moe]\nmethod = \"switch\"").moe.capacity_factor, 1.25);
  EXPECT_EQ(read("[moe]\nmethod = \"switch\"").moe.placement, "ffn");
  EXPECT_EQ(read("[moe]\nmethod = \"switch\"\ncapacity_factor = 2").moe.capacity_factor, 2.0);
  EXPECT_EQ(read("[moe]\nmethod = \"smoe\"").moe.capacity_factor, 0.0);
  const MethodCatalogue catalogue = test_catalogue();
  EXPECT_EQ(std::get<double>(run_fields(*find_method(catalogue, "switch")).at("moe.capacity_factor").default_value),
            1.25);
}

TEST(RunConfig, RemembersWhatWasWrittenAndWhere) {
  const RunConfig config = read("seed = 1\n[train]\nlr = 1\n");
  ASSERT_EQ(config.written.size(), 2U);
  EXPECT_EQ(config.written.at("train.lr").place.line, 3);
  EXPECT_EQ(std::get<double>(config.written.at("train.lr").value), 1.0);
  EXPECT_EQ(error_at(config, "train.lr", "m").place.column, 6);
  EXPECT_EQ(error_at(config, "train.steps", "m").place.file, "run.toml");
  EXPECT_EQ(error_at(config, "train.steps", "m").place.line, 0);
}

TEST(RunConfig, OverridesWinAndNeedNoQuotes) {
  const RunConfig config = read("seed = 1\n[moe]\nmethod = \"smoe\"",
                                {"seed=2", "data.corpus=./my texts", "name=2026", "moe.router.top_k = 4",
                                 "train.lr=1e-3", "moe.layers=1,2", "model.norm=\"post\""});
  EXPECT_EQ(config.top.seed, 2);
  EXPECT_EQ(config.data.corpus, "./my texts");
  EXPECT_EQ(config.top.name, "2026");
  EXPECT_EQ(std::get<std::int64_t>(config.router.at("top_k")), 4);
  EXPECT_EQ(config.train.lr, 1e-3);
  EXPECT_EQ(config.moe.layers, "1,2");
  EXPECT_EQ(config.model.norm, "post");
}

TEST(RunConfig, AnOverrideCanChangeTheMethod) {
  EXPECT_EQ(read("", {"moe.method=smoe", "moe.router.top_k=1"}).moe.method, "smoe");
}

TEST(RunConfig, AFormGivesTheSameAsAFile) {
  const MethodCatalogue catalogue = test_catalogue();
  const MethodInfo& method = *find_method(catalogue, "smoe");
  const RunConfig from_text = read("[moe]\nmethod = \"smoe\"\nnum_experts = 16");
  const auto from_form = run_config_from(values_of(from_text, method), catalogue);
  ASSERT_TRUE(from_form);
  EXPECT_EQ(values_of(*from_form, method), values_of(from_text, method));
  auto wrong = values_of(from_text, method);
  wrong["moe.router.top_k"] = std::int64_t{17};
  EXPECT_EQ(format(run_config_from(wrong, catalogue).error()),
            "error: 'top_k' is 17, but this layer has 16 experts\nhint: 'num_experts' is 16; top_k may be 1 to 16\n");
}

TEST(RunConfig, SchemaKeepsTheOrderOfAFileAndLeavesOutEmptySections) {
  const MethodCatalogue catalogue = test_catalogue();
  std::vector<std::string> sections;
  for (const Schema& schema : run_schema(*find_method(catalogue, "stablemoe"))) sections.push_back(schema.section);
  EXPECT_EQ(sections, (std::vector<std::string>{"", "data", "model", "moe", "moe.router", "stages", "train", "probe",
                                                "record", "decode"}));
  sections.clear();
  for (const Schema& schema : run_schema(*find_method(catalogue, "smoe"))) sections.push_back(schema.section);
  EXPECT_EQ(sections,
            (std::vector<std::string>{"", "data", "model", "moe", "moe.router", "train", "probe", "record", "decode"}));
}

TEST(MoeBlocks, AutoSpreadsOverTheDepth) {
  const auto blocks = [](const std::string& placement, int depth) {
    RunConfig config;
    config.moe.placement = placement;
    config.model.num_layers = depth;
    return moe_blocks(config);
  };
  EXPECT_EQ(blocks("inserted", 1), (std::vector<int>{1}));
  EXPECT_EQ(blocks("inserted", 2), (std::vector<int>{1}));
  EXPECT_EQ(blocks("inserted", 3), (std::vector<int>{1, 2}));
  EXPECT_EQ(blocks("inserted", 4), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(blocks("inserted", 12), (std::vector<int>{3, 6, 9}));
  EXPECT_EQ(blocks("ffn", 3), (std::vector<int>{1, 2, 3}));
}

TEST(MoeBlocks, AListIsTakenAsItIsInOrder) {
  RunConfig config;
  config.moe.layers = "3, 1";
  EXPECT_EQ(moe_blocks(config), (std::vector<int>{1, 3}));
}

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string folder_ = testing::TempDir() + "moescope_config_file";
};

TEST_F(ConfigFile, IsReadWithItsNameInMessages) {
  std::ofstream(path("a.toml")) << "seed = -1\n";
  const auto config = load_run_config(path("a.toml"), test_catalogue());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().front().place.file, path("a.toml"));
  ASSERT_TRUE(load_run_config(path("a.toml"), test_catalogue(), {"seed=1"}));
}

TEST_F(ConfigFile, MissingFolderAndHugeFilesAreMessages) {
  std::ofstream(path("switch.toml")) << "\n";
  EXPECT_EQ(format(load_run_config(path("swich.toml"), test_catalogue()).error()),
            path("swich.toml") + ": error: there is no such file\nhint: did you mean '" + path("switch.toml") + "'?\n");
  EXPECT_EQ(format(load_run_config(folder_, test_catalogue()).error()),
            folder_ + ": error: this is a folder, not a configuration file\n");
  EXPECT_EQ(format(load_run_config("/dev/zero", test_catalogue()).error()),
            "/dev/zero: error: the file has more than 262,144 bytes\nhint: is this a configuration file?\n");
}

}  // namespace
}  // namespace moescope::config
