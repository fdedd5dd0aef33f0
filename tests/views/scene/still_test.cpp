#include "views/scene/still.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"
#include "tests/views/scene/probe_run.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;

std::string problem(const Result<Scene>& scene) { return scene ? "" : format(scene.error()); }

TEST(Still, EveryViewIsDrawnFromARecordThatHasItsParts) {
  telemetry::History history;
  history.start(probe_run_info());
  const auto frame = std::make_shared<telemetry::TelemetryFrame>(
      *probe_frame(10, {probe_layer({0, 1, 2, 0}), probe_layer({1, 1, 2, 0})}));
  frame->losses = {{"task", 2.0}, {"total", 2.0}};
  auto space = std::make_shared<telemetry::RouterSpace>();
  space->step = 10;
  space->layer = 1;
  space->dim = 3;
  space->token_S = {0, 1};
  space->expert_S = {1, 1};
  space->vectors_SR = {1, 0, 0, 0, 1, 0};
  space->rows_ER = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  frame->spaces = {space};
  frame->expert_tokens = {{1, 0, {"the"}, {2.0F}}};
  history.add(frame);
  StillOptions options;
  options.layer = 1;
  for (const std::string& name : still_names()) {
    const Result<Scene> scene = still_scene(name, history, options);
    ASSERT_TRUE(scene) << name << ": " << problem(scene);
    EXPECT_FLOAT_EQ(scene->size.w, options.size.w) << name;
    EXPECT_GT(scene->shapes.size(), 5U) << name;
  }
}

TEST(Still, IsTheDifferenceToAnotherRunWhereAViewCanShowIt) {
  telemetry::History history;
  history.start(probe_run_info());
  history.add(probe_frame(10, {probe_layer({0, 1, 2, 0})}));
  auto other = std::make_shared<telemetry::History>();
  other->start(probe_run_info());
  other->add(probe_frame(10, {probe_layer({0, 1, 2, 2})}));
  StillOptions options;
  options.ghosts = {{"parent", other, true}};
  options.against = "parent";
  EXPECT_THAT(still_scene("load", history, options)->summary, HasSubstr("difference to parent, recent steps: none"));
  EXPECT_THAT(still_scene("fluctuation", history, options)->summary, HasSubstr("25 % of the probe tokens go to"));
  options.ghosts[0].same_experts = false;
  EXPECT_THAT(still_scene("load", history, options)->summary, ::testing::Not(HasSubstr("difference")));
}

TEST(Still, TellsWhichViewsShowOtherRuns) {
  EXPECT_TRUE(shown_of_others("loss").curves && shown_of_others("fluctuation").curves);
  EXPECT_TRUE(shown_of_others("load").difference && shown_of_others("fluctuation").difference);
  EXPECT_FALSE(shown_of_others("load").curves) << "its bars have ticks of comparable runs only";
  EXPECT_FALSE(shown_of_others("flow").any() || shown_of_others("sphere").any() || shown_of_others("tokens").any());
}

TEST(Still, WhatIsNotRecordedIsSaid) {
  const telemetry::History history = testing::made_up_history();
  EXPECT_THAT(problem(still_scene("flow", history, {})), HasSubstr("no probe is recorded"));
  EXPECT_THAT(problem(still_scene("fluctuation", history, {})), HasSubstr("no probe is recorded"));
  EXPECT_THAT(problem(still_scene("sphere", history, {})), HasSubstr("has no rows"));
  testing::RunShape shape;
  shape.tokens = false;
  EXPECT_THAT(problem(still_scene("tokens", testing::made_up_history(shape), {})), HasSubstr("not recorded"));
  EXPECT_THAT(problem(still_scene("loss", telemetry::History(), {})), HasSubstr("no step is recorded"));
  EXPECT_THAT(problem(still_scene("sentence", history, {})),
              HasSubstr("there are flow, fluctuation, load, sphere, loss or tokens"));
}

}  // namespace
}  // namespace moescope::views
