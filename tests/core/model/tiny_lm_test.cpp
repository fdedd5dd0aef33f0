#include "core/model/tiny_lm.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/model/dataset.h"
#include "tests/core/model/tiny_config.h"
#include "tests/core/model/tiny_corpus.h"

namespace moescope {
namespace {

using moe::RouteMode;

model::TinyLm make_model(const config::RunConfig& config) {
  return {config, *moe::find_method(config.moe.method), test::kTinyVocab};
}

model::Batch tiny_batch() {
  static const auto corpus = test::tiny_corpus();
  return model::fixed_batches(corpus->valid, 4, 16, 1).front();
}

struct Shape {
  const char* placement;
  const char* norm;
  const char* positions;
};

class EveryShape : public ::testing::TestWithParam<Shape> {};

TEST_P(EveryShape, StartsNearTheUniformLossAndGivesEveryActivePartAGradient) {
  const Shape shape = GetParam();
  model::TinyLm model = make_model(test::tiny_config(
      "switch", {std::string("moe.placement=") + shape.placement, std::string("model.norm=") + shape.norm,
                 std::string("model.positions=") + shape.positions}));
  EXPECT_EQ(model.num_layers(), 2);
  const model::Batch batch = tiny_batch();
  const moe::ModelPass pass = model.forward(batch, RouteMode::kTrain, 1);
  ASSERT_EQ(pass.logits_TV.sizes().vec(), (std::vector<std::int64_t>{64, test::kTinyVocab}));
  const at::Tensor loss = at::cross_entropy_loss(pass.logits_TV, batch.target_T);
  EXPECT_NEAR(loss.item<double>(), std::log(test::kTinyVocab), 1.0);
  loss.backward();
  for (const moe::Parameter& parameter : model.parameters_of(moe::ParameterRole::kBackbone)) {
    EXPECT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(TinyLm, EveryShape,
                         ::testing::Values(Shape{"inserted", "pre", "learned"}, Shape{"inserted", "post", "rotary"},
                                           Shape{"ffn", "pre", "rotary"}, Shape{"ffn", "post", "learned"}));

TEST(TinyLm, ParametersAreNamedByBlockAndLayer) {
  model::TinyLm model = make_model(test::tiny_config("switch", {"moe.placement=ffn"}));
  std::set<std::string> names;
  for (const moe::Parameter& parameter : model.parameters().all()) names.insert(parameter.name);
  EXPECT_TRUE(names.count("embedding.token"));
  EXPECT_TRUE(names.count("block.1.attention.qkv.weight"));
  EXPECT_TRUE(names.count("moe.2.expert.3.w1"));
  EXPECT_FALSE(names.count("block.1.ffn.w1")) << "block 1 carries an MoE layer instead";
  EXPECT_TRUE(names.count("block.3.ffn.w1"));
}

TEST(TinyLm, ActiveParametersLeaveOutTheExpertsNotChosen) {
  model::TinyLm model = make_model(test::tiny_config("switch"));
  std::int64_t experts = 0;
  for (const moe::Parameter& parameter : model.parameters_of(moe::ParameterRole::kExpert)) {
    experts += parameter.tensor.numel();
  }
  EXPECT_EQ(model.num_active_parameters(), model.num_parameters() - experts + experts / 4);
}

TEST(TinyLm, RouteSeesWhatForwardRoutes) {
  model::TinyLm model = make_model(test::tiny_config("smoe"));
  const model::Batch batch = tiny_batch();
  const c10::AutoGradMode no_gradient(false);
  const moe::ModelPass pass = model.forward(batch, RouteMode::kProbe, 0);
  const model::RoutingTrace trace = model.route(batch, RouteMode::kProbe);
  ASSERT_EQ(trace.routing_L.size(), 2U);
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_TRUE(trace.routing_L[l].sparse()->expert_N.equal(pass.layers[l].routing.sparse()->expert_N));
    EXPECT_EQ(trace.hidden_LTD[l].sizes().vec(), (std::vector<std::int64_t>{64, 16}));
  }
}

TEST(TinyLm, NextTokenLogitsAreTheLastRowOfForward) {
  model::TinyLm model = make_model(test::tiny_config("dense"));
  const c10::AutoGradMode no_gradient(false);
  const at::Tensor tokens_1L = tiny_batch().tokens_BL.narrow(0, 0, 1).narrow(1, 0, 9);
  const at::Tensor all_TV = model.forward({tokens_1L, {}}, RouteMode::kEvaluate, 0).logits_TV;
  EXPECT_TRUE(at::allclose(model.next_token_logits(tokens_1L, RouteMode::kEvaluate), all_TV.select(0, 8)));
}

class EveryMethod : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, LooksNoFurtherThanTheTokenItself) {
  const moe::Method& method = *moe::find_method(GetParam());
  if (!method.info.traits.causal) GTEST_SKIP() << "promises no causality";
  for (const char* positions : {"learned", "rotary"}) {
    // No capacity limit: with one, a later token may take an earlier one's slot only in methods that say so.
    model::TinyLm model = make_model(
        test::tiny_config(GetParam(), {std::string("model.positions=") + positions, "moe.capacity_factor=0"}));
    const c10::AutoGradMode no_gradient(false);
    const at::Tensor before_1L = tiny_batch().tokens_BL.narrow(0, 0, 1);
    const at::Tensor after_1L = before_1L.clone();
    after_1L.select(0, 0).narrow(0, 11, 1).fill_((before_1L.select(0, 0).select(0, 11).item<std::int64_t>() + 1) %
                                                 test::kTinyVocab);
    const auto logits = [&](const at::Tensor& tokens_1L) {
      return model.forward({tokens_1L, {}}, RouteMode::kTrain, 5).logits_TV;
    };
    const at::Tensor one = logits(before_1L), other = logits(after_1L);
    EXPECT_TRUE(at::allclose(one.narrow(0, 0, 11), other.narrow(0, 0, 11), 1e-5, 1e-6));
    EXPECT_FALSE(at::allclose(one.narrow(0, 11, 5), other.narrow(0, 11, 5), 1e-5, 1e-6));
  }
}

INSTANTIATE_TEST_SUITE_P(TinyLm, EveryMethod, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST(TinyLm, SharedPartsStartAlikeForEveryMethodUnderOneSeed) {
  const std::string inserted = "moe.placement=inserted";
  model::TinyLm one = make_model(test::tiny_config("switch", {inserted}));
  model::TinyLm other = make_model(test::tiny_config("stablemoe", {inserted}));
  EXPECT_EQ(moe::checksum(one.parameters().with_prefix("block.")),
            moe::checksum(other.parameters().with_prefix("block.")));
  EXPECT_EQ(moe::checksum(one.parameters().with_prefix("moe.1.expert.")),
            moe::checksum(other.parameters().with_prefix("moe.1.expert.")));
}

}  // namespace
}  // namespace moescope
