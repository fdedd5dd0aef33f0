#include "tests/core/moe/routers/linear_experts.h"
#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::matrix;
using test::ToyLayer;
using test::ToyShape;

ToyLayer random_layer(std::int64_t slots) {
  ToyShape shape;
  shape.settings = {{"slots", slots}};
  ToyLayer toy("soft_moe", shape);
  test::randomise(toy.parameters);
  return toy;
}

RouterInput in_batch(const at::Tensor& hidden_TD, std::int64_t sequences) {
  return {hidden_TD, at::zeros({sequences, hidden_TD.size(0) / sequences}, at::kLong)};
}

/// The tokens and the slots of two experts f_e(h) = (e+1)·h are the unit vectors of the plane.
TEST(SoftMoeRouter, TwoTokensAndTwoSlots) {
  ToyShape shape;
  shape.d_model = 2;
  shape.num_experts = 2;
  shape.hidden = 4;
  ToyLayer toy("soft_moe", shape);
  test::to_double(toy.parameters);
  test::make_linear_experts(toy, 2);
  test::overwrite(toy.parameter("moe.1.router.slots"), at::eye(2, at::kDouble));
  const MoeOutput output = toy.layer->forward(in_batch(at::eye(2, at::kDouble), 1));
  const auto& dense = std::get<DenseRouting>(output.record.routing.assignment);
  const at::Tensor weights = matrix({.731059, .268941, .268941, .731059}, 2);
  EXPECT_TRUE(close(dense.dispatch_GIES.view({2, 2}), weights, 1e-6));
  EXPECT_TRUE(close(dense.combine_GIES.view({2, 2}), weights, 1e-6));
  EXPECT_TRUE(close(output.delta_TD, matrix({.679106, .589836, .589836, 1.141223}, 2), 2e-6));
}

TEST(SoftMoeRouter, DispatchSumsOverTokensAndCombineOverAllSlots) {
  ToyLayer toy = random_layer(2);
  const Routing routing = toy.router().route(in_batch(test::draws({10, 4}, 1), 2));
  const auto& dense = std::get<DenseRouting>(routing.assignment);
  EXPECT_EQ(dense.dispatch_GIES.sizes(), (at::IntArrayRef{2, 5, 3, 2}));
  EXPECT_TRUE(close(dense.dispatch_GIES.sum(1), at::ones({2, 3, 2}), 1e-6));
  EXPECT_TRUE(close(dense.combine_GIES.sum(at::IntArrayRef{2, 3}), at::ones({2, 5}), 1e-6));
  EXPECT_EQ(toy.router().experts_per_token(), 6. / 5) << "five tokens share six slots";
}

TEST(SoftMoeRouter, LengthsChangeNoWeightButWhatIsMixed) {
  ToyLayer toy = random_layer(1);
  const at::Tensor hidden_TD = test::draws({5, 4}, 1) + 1;
  const auto forward = [&](const at::Tensor& states_TD) { return toy.layer->forward(in_batch(states_TD, 1)); };
  at::Tensor longer_TD = hidden_TD.clone();
  longer_TD[2].mul_(3);
  const MoeOutput before = forward(hidden_TD), after = forward(longer_TD);
  EXPECT_TRUE(close(std::get<DenseRouting>(before.record.routing.assignment).dispatch_GIES,
                    std::get<DenseRouting>(after.record.routing.assignment).dispatch_GIES, 1e-5));
  EXPECT_FALSE(close(before.delta_TD, after.delta_TD, 1e-2)) << "slots get the tokens themselves";
}

TEST(SoftMoeRouter, TheScaleSharpens) {
  ToyLayer toy = random_layer(1);
  const RouterInput input = in_batch(test::draws({5, 4}, 1), 1);
  const auto largest = [&](double scale) {
    toy.parameter("moe.1.router.scale").detach().fill_(scale);
    return std::get<DenseRouting>(toy.router().route(input).assignment).combine_GIES.max().item<double>();
  };
  EXPECT_NEAR(largest(0), 1. / 3, 1e-6);
  EXPECT_GT(largest(20), 0.9);
}

TEST(SoftMoeRouter, PaddingTakesNoPart) {
  ToyLayer toy = random_layer(2);
  const at::Tensor hidden_TD = test::draws({6, 4}, 1);  // two sequences of three
  RouterInput beside = in_batch(hidden_TD, 2);
  beside.token_id_BL = at::zeros({2, 5}, at::kLong);
  beside.cell_T = at::tensor({0, 1, 2, 5, 6, 7}, at::kLong);
  const MoeOutput output = toy.layer->forward(beside);
  EXPECT_TRUE(close(output.delta_TD, toy.layer->forward(in_batch(hidden_TD, 2)).delta_TD, 1e-6));
  EXPECT_TRUE(close(output.record.load_E.sum(), at::full({}, 6.0), 1e-5)) << "each real token gets weight 1";
}

TEST(SoftMoeRouter, SlotsScaleAndEveryExpertLearn) {
  ToyLayer toy = random_layer(1);
  toy.layer->forward(in_batch(test::draws({6, 4}, 1), 2)).delta_TD.square().sum().backward();
  EXPECT_TRUE(toy.gradient("moe.1.router.slots").abs().sum(2).gt(0).all().item<bool>());
  EXPECT_GT(toy.gradient("moe.1.router.scale").abs().sum().item<double>(), 0);
  for (const char* expert : {"0", "1", "2"}) {
    EXPECT_GT(toy.gradient(std::string("moe.1.expert.") + expert + ".w2").abs().sum().item<double>(), 0) << expert;
  }
}

TEST(SoftMoeRouter, WarnsACausalLanguageModel) {
  const std::string text = "[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[moe]\nmethod = \"soft_moe\"\n";
  EXPECT_EQ(test::said_of(text), "") << "it learns hidden tokens unless told otherwise";
  EXPECT_EQ(test::said_of(text + "[model]\nobjective = \"causal_lm\"\n"),
            "warning: Soft MoE mixes all tokens of a sequence, later ones too: a causal language model can read what "
            "it is asked to predict, and its loss says nothing\n"
            "hint: use objective = \"masked_lm\", or method = \"mot\", which mixes across sequences only\n");
}

}  // namespace
}  // namespace moescope::moe
