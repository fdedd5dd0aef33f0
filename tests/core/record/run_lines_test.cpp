#include "core/record/run_lines.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

namespace moescope::record {
namespace {

TEST(JournalLine, SaysWhoDidWhatWhereAndWithWhichEffect) {
  bus::Reply reply;
  reply.step = 120;
  reply.done = true;
  reply.text = "lr 0.004 → 0.002";
  reply.old_value = 0.004;
  reply.command.seq = 9;
  reply.command.kind = bus::CommandKind::kSet;
  reply.command.key = "train.lr";
  reply.command.value = 0.002;
  EXPECT_EQ(journal_line(reply),
            R"({"step":120,"seq":9,"who":"you","command":"set","key":"train.lr","value":0.002,"old_value":0.004,)"
            R"("done":true,"effect":"lr 0.004 → 0.002"})");
}

TEST(JournalLine, CountsLayersFromOneAndExpertsFromZero) {
  bus::Reply reply;
  reply.command.kind = bus::CommandKind::kFreezeExpert;
  reply.command.layer = 0;
  reply.command.expert = 3;
  reply.text = "no such expert";
  EXPECT_EQ(journal_line(reply),
            R"({"step":0,"seq":0,"who":"you","command":"freeze_expert","expert":3,"layer":1,"done":false,)"
            R"("effect":"no such expert"})");
  reply.command.kind = bus::CommandKind::kFreezeRouter;
  reply.command.layer = bus::kAllLayers;
  EXPECT_NE(journal_line(reply).find(R"("layer":"all")"), std::string::npos);
  reply.command.kind = bus::CommandKind::kSwitchStage;
  reply.command.count = 1;
  EXPECT_NE(journal_line(reply).find(R"("stage":2)"), std::string::npos);
}

TEST(JournalLine, IsValidJsonWhateverTheTextHolds) {
  bus::Reply reply;
  reply.command.kind = bus::CommandKind::kProbeSentence;
  reply.command.text = "\xFF\n\"";
  const auto json = nlohmann::json::parse(journal_line(reply));
  EXPECT_EQ(json["text"], "\xEF\xBF\xBD\n\"");
}

TEST(MetricsLine, HasLossesAndLoadsAndLeavesOutWhatWasNotMeasured) {
  telemetry::TelemetryFrame frame;
  frame.step = 7;
  frame.losses = {{"task", 5.5}, {"total", 6}};
  frame.lr = 0.004;
  telemetry::LayerStep layer;
  layer.load_E = {3, 5};
  layer.dropped_E = {0, 1};
  layer.capacity = 4;
  layer.experts_per_token = 1;
  frame.layers = {layer};
  frame.events = {{telemetry::Event::Kind::kStageSwitch, 7, "switched to stage 2", "schedule"}};
  EXPECT_EQ(metrics_line(frame),
            R"({"step":7,"stage":1,"losses":{"task":5.5,"total":6.0},"lr":0.004,"grad_norm":0.0,"step_ms":0.0,)"
            R"("watch_ms":0.0,"tokens_per_second":0.0,"layers":[{"load":[3,5],"dropped":[0,1],"capacity":4,)"
            R"("experts_per_token":1.0}],"events":[{"kind":"stage_switch","step":7,"text":"switched to stage 2",)"
            R"("who":"schedule"}]})");
}

TEST(MetricsLine, HasWhatTheProbeAndTheMeasuresSaid) {
  telemetry::TelemetryFrame frame;
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->spacing = 20;
  probe->after_break = true;
  probe->fluctuation_L = {0.25F, telemetry::kNotMeasured};
  frame.probe = probe;
  frame.measures = {{1.5, 512}, {std::numeric_limits<double>::quiet_NaN(), 512}};
  const auto json = nlohmann::json::parse(metrics_line(frame));
  EXPECT_EQ(json["probe"].dump(), R"({"after_break":true,"fluctuation":[0.25,null],"spacing":20})");
  EXPECT_EQ(json["measures"].dump(), R"([{"collapse":1.5,"tokens":512},{"tokens":512}])");
}

TEST(MetricsLine, WithoutAProbeThereIsNoneInTheLine) {
  const auto json = nlohmann::json::parse(metrics_line({}));
  EXPECT_FALSE(json.contains("probe"));
  EXPECT_FALSE(json.contains("measures"));
}

TEST(MetricsLine, ALossThatIsNotFiniteIsNull) {
  telemetry::TelemetryFrame frame;
  frame.losses = {{"task", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_TRUE(nlohmann::json::parse(metrics_line(frame))["losses"]["task"].is_null());
}

}  // namespace
}  // namespace moescope::record
