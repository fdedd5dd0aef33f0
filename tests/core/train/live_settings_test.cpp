#include <gtest/gtest.h>

#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using config::Value;
using test::Harness;

double number(const bus::Reply& reply) { return std::get<double>(*reply.old_value); }

TEST(Set, LearningRateIsUsedAtOnceAndTheOldValueUndoesIt) {
  Harness run(test::tiny_config("switch", {"train.schedule=constant"}));
  run.steps(10);
  const bus::Reply changed = run.send(test::set("train.lr", 0.002));
  EXPECT_EQ(changed.text, "lr 0.01 → 0.002");
  run.steps(1);
  EXPECT_DOUBLE_EQ(run.frames.back()->lr, 0.002);
  const bus::Reply undone = run.send(test::set("train.lr", *changed.old_value));
  EXPECT_TRUE(undone.done);
  EXPECT_DOUBLE_EQ(number(undone), 0.002);
  run.steps(1);
  EXPECT_DOUBLE_EQ(run.frames.back()->lr, 0.01);
}

TEST(Set, AnIntegerIsGoodEnoughForANumber) {
  Harness run(test::tiny_config("switch"));
  EXPECT_EQ(run.send(test::set("train.lr", std::int64_t{1})).text, "lr 0.01 → 1.0");
}

TEST(Set, RouterFieldsReachEveryLayer) {
  Harness run(test::tiny_config("smoe", {"moe.router.top_k=1"}));
  run.steps(2);
  const bus::Reply reply = run.send(test::set("moe.router.top_k", std::int64_t{3}));
  EXPECT_EQ(reply.text, "top_k 1 → 3");
  EXPECT_EQ(std::get<std::int64_t>(*reply.old_value), 1);
  run.steps(1);
  for (const telemetry::LayerStep& layer : run.frames.back()->layers) EXPECT_FLOAT_EQ(layer.experts_per_token, 3);
}

TEST(Set, CapacityIsFeltInTheNextStep) {
  Harness run(test::tiny_config("switch", {"moe.capacity_factor=0"}));
  run.steps(1);
  EXPECT_EQ(run.frames.back()->layers[0].capacity, 0U);
  EXPECT_TRUE(run.send(test::set("moe.capacity_factor", 0.25)).done);
  run.steps(1);
  EXPECT_EQ(run.frames.back()->layers[0].capacity, 4U) << "64 tokens, 4 experts, a quarter of the fair share";
  EXPECT_LT(run.frames.back()->layers[0].experts_per_token, 1);
  Harness random(test::tiny_config("dense"));
  EXPECT_EQ(random.send(test::set("moe.capacity_factor", 1.0)).text.substr(0, 5), "Dense");
}

TEST(Set, RefusalsNameTheFullKeyAndTheRemedy) {
  Harness run(test::tiny_config("smoe"));
  const auto refusal = [&](const std::string& key, const Value& value) {
    const bus::Reply reply = run.send(test::set(key, value));
    EXPECT_FALSE(reply.done);
    EXPECT_FALSE(reply.old_value.has_value());
    return reply.text;
  };
  EXPECT_EQ(refusal("moe.router.top_kk", std::int64_t{2}),
            "there is no setting 'moe.router.top_kk'; did you mean 'moe.router.top_k'?");
  EXPECT_EQ(refusal("model.d_model", std::int64_t{32}), "'model.d_model' cannot change while a run goes on");
  EXPECT_EQ(refusal("train.lr", 7.0), "'train.lr' is 7.0, allowed is 0 to 1");
  EXPECT_EQ(refusal("moe.router.top_k", std::int64_t{5}), "'top_k' is 5, but this layer has 4 experts");
}

}  // namespace
}  // namespace moescope
