// Which recorded runs have the experts of the run on screen.
#include "app/workbench/recorded_ghost.h"

#include <gtest/gtest.h>

#include <utility>

namespace moescope::app {
namespace {

LoadedRun run(const std::string& folder, const std::string& id, const std::string& parent_id = {},
              const std::string& parent_folder = {}) {
  LoadedRun made;
  made.folder = folder;
  made.facts.id = id;
  made.facts.parent_id = parent_id;
  made.facts.parent_folder = parent_folder;
  return made;
}

telemetry::RunInfo shown(const std::string& folder, const std::string& id, const std::string& parent_folder = {},
                         std::vector<std::string> ancestors = {}) {
  telemetry::RunInfo info;
  info.folder = folder;
  info.id = id;
  info.parent_folder = parent_folder;
  info.ancestors = std::move(ancestors);
  return info;
}

bool same(LoadedRun ghost, const telemetry::RunInfo& info) { return ghost_of(std::move(ghost), &info).same_experts; }

TEST(RecordedGhost, HasTheSameExpertsWhenBothAreBranchesOfOneRun) {
  EXPECT_TRUE(same(run("runs/a", "A"), shown("runs/a", "A"))) << "itself";
  EXPECT_TRUE(same(run("runs/b", "B", "A", "runs/a"), shown("runs/a", "A"))) << "its fork";
  EXPECT_TRUE(same(run("runs/a", "A"), shown("runs/b", "B", "runs/../runs/a"))) << "its parent";
  EXPECT_TRUE(same(run("runs/c", "C", "A", "runs/a"), shown("runs/b", "B", "runs/a"))) << "its sibling";
}

TEST(RecordedGhost, IsKnownByIdsWhereverItsFolderLiesNow) {
  EXPECT_TRUE(same(run("moved/a", "A"), shown("runs/b", "B", "runs/a", {"A"}))) << "its parent";
  EXPECT_TRUE(same(run("moved/c", "C", "A", "runs/a"), shown("runs/b", "B", "old/a", {"A"}))) << "its sibling";
  EXPECT_FALSE(same(run("runs/a", "D"), shown("runs/b", "B", "runs/a", {"A"}))) << "another run lies there now";
}

TEST(RecordedGhost, AForkOfAForkHasItsGrandparentsExperts) {
  LoadedRun grandchild = run("runs/c", "C", "B", "runs/b");
  grandchild.facts.older_ids = {"A"};
  const telemetry::RunInfo third = shown("runs/c", "C", "runs/b", {"B", "A"});
  EXPECT_TRUE(same(run("runs/a", "A"), third));
  EXPECT_TRUE(same(run("runs/d", "D", "A", "runs/a"), third)) << "its parent's sibling";
  EXPECT_TRUE(same(std::move(grandchild), shown("runs/a", "A")));
}

TEST(RecordedGhost, OfAnotherOriginHasOthers) {
  EXPECT_FALSE(same(run("runs/d", "D"), shown("runs/a", "A")));
  EXPECT_FALSE(same(run("runs/e", "E", "D", "runs/d"), shown("runs/b", "B", "runs/a")));
  EXPECT_FALSE(same(run("runs/d", "D"), shown("", ""))) << "neither is recorded";
  EXPECT_FALSE(ghost_of(run("runs/a", "A"), nullptr).same_experts);
  EXPECT_EQ(ghost_of(run("runs/20261125T101502Z-switch-1a2b3c4d", "A"), nullptr).name, "1a2b3c4d · switch");
}

}  // namespace
}  // namespace moescope::app
