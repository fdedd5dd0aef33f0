#include <cmath>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::matrix;
using test::overwrite;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

/// Two selectors over four experts, with the codes (.1, −.2) and (.6, 0).
ToyLayer two_of(int num_experts, SettingMap settings = {}) {
  ToyShape shape;
  shape.num_experts = num_experts;
  shape.settings = std::move(settings);
  ToyLayer toy("dselect_k", shape);
  test::to_double(toy.parameters);
  overwrite(toy.parameter("moe.1.router.code"), matrix({.1, -.2, .6, 0}, 2));
  return toy;
}

RouterInput input(RouteMode mode = RouteMode::kTrain) {
  return test::input_of(test::draws({5, 4}, 1, at::kDouble), mode);
}

/// Gates of every token, zero where an expert is not chosen.
at::Tensor gate_TE(ToyLayer& toy, const RouterInput& about, int num_experts) {
  const Routing routing = toy.router().route(about);
  const SparseRouting& list = *routing.sparse();
  return at::zeros({5, num_experts}, at::kDouble).index_put({list.token_N, list.expert_N}, list.gate_N.detach());
}

TEST(DselectRouter, TwoSelectorsOfFourExperts) {
  ToyLayer toy = two_of(4);
  const at::Tensor expected_E = matrix({.137984, .038016, .504016, .319984}, 0);
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
    const at::Tensor gates = gate_TE(toy, input(mode), 4);
    for (std::int64_t t = 0; t < 5; ++t) EXPECT_TRUE(close(gates[t], expected_E, 1e-9)) << "the same for every token";
  }
}

TEST(DselectRouter, SelectorsAreWeighedByASoftmax) {
  ToyLayer toy = two_of(4);
  overwrite(toy.parameter("moe.1.router.selector"), matrix({0, std::log(3.)}, 0));
  // r_1 = (.352·.784, .352·.216, .648·.784, .648·.216), r_2 = (0, 0, .5, .5).
  const at::Tensor expected_E = .25 * matrix({.275968, .076032, .508032, .139968}, 0) + .75 * matrix({0, 0, .5, .5}, 0);
  EXPECT_TRUE(close(gate_TE(toy, input(), 4)[0], expected_E, 1e-9));
}

TEST(DselectRouter, EntropyIsSummedOverSelectorsAndWeighted) {
  ToyLayer toy = two_of(4, {{"entropy_coefficient", 0.2}});
  const Routing routing = toy.router().route(input());
  ASSERT_EQ(routing.losses.size(), 1u);
  double expected = std::log(2.);
  for (const double r : {.275968, .076032, .508032, .139968}) expected -= r * std::log(r);
  EXPECT_NEAR(routing.losses[0].value.item<double>(), expected, 1e-9);
  EXPECT_EQ(routing.losses[0].coefficient, 0.2);
  routing.losses[0].value.backward();
  EXPECT_GT(toy.gradient("moe.1.router.code").abs().sum().item<double>(), 0);
}

TEST(DselectRouter, SettledBitsListTheChosenExpertsOnly) {
  ToyLayer toy = two_of(4);
  overwrite(toy.parameter("moe.1.router.code"), matrix({.5, -.5, -.7, .9}, 2));  // experts 2 and 1
  const Routing routing = toy.router().route(input());
  EXPECT_EQ(test::integers(routing.sparse()->expert_N), (std::vector<std::int64_t>{1, 2, 1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_TRUE(close(routing.sparse()->gate_N, at::full({10}, .5, at::kDouble), 1e-12));
  EXPECT_EQ(routing.losses[0].value.item<double>(), 0);
  const MoeOutput output = toy.layer->forward(input());
  output.delta_TD.sum().backward();
  EXPECT_FALSE(toy.gradient("moe.1.expert.0.w2").defined()) << "nobody chose it";
  EXPECT_EQ(toy.gradient("moe.1.router.code").abs().sum().item<double>(), 0) << "beyond the slope nothing moves";
  EXPECT_GT(toy.gradient("moe.1.router.selector").abs().sum().item<double>(), 0);
}

TEST(DselectRouter, GammaWidensTheSlope) {
  ToyLayer toy = two_of(4, {{"gamma", 2.0}});
  overwrite(toy.parameter("moe.1.router.code"), matrix({.2, -.4, 1.2, 0}, 2));
  EXPECT_TRUE(close(gate_TE(toy, input(), 4)[0], matrix({.137984, .038016, .504016, .319984}, 0), 1e-9));
}

TEST(DselectRouter, CodesBeyondTheLastExpertArePunished) {
  ToyLayer toy = two_of(3);
  const Routing routing = toy.router().route(input());
  const AuxiliaryLoss& outside = test::loss_of(routing, "outside");
  EXPECT_NEAR(outside.value.item<double>(), 1 / (1 - .139968) + 1 / .5, 1e-9);
  EXPECT_EQ(outside.coefficient, 1);
  EXPECT_TRUE(close(gate_TE(toy, input(), 3)[0], matrix({.137984, .038016, .504016}, 0), 1e-9));
  // Downhill lies the side of the experts that exist: the last bit of the second selector falls.
  outside.value.backward();
  EXPECT_GT(toy.gradient("moe.1.router.code")[1][1].item<double>(), 0);
  EXPECT_EQ(two_of(4).router().route(input()).losses.size(), 1u) << "a power of two needs none";
}

TEST(DselectRouter, PerTokenCodesAreLinearWithABias) {
  ToyLayer toy = two_of(4, {{"per_token", true}});
  const at::Tensor code_weight = test::draws({4, 4}, 3, at::kDouble) * .1,
                   selector_weight = test::draws({2, 4}, 4, at::kDouble);
  overwrite(toy.parameter("moe.1.router.code_weight"), code_weight);
  overwrite(toy.parameter("moe.1.router.selector_weight"), selector_weight);
  const at::Tensor gates = gate_TE(toy, input(), 4);
  const at::Tensor hidden_TD = input().hidden_TD;
  for (std::int64_t t = 0; t < 5; ++t) {
    ToyLayer fixed = two_of(4);
    overwrite(fixed.parameter("moe.1.router.code"),
              matrix({.1, -.2, .6, 0}, 2) + code_weight.mv(hidden_TD[t]).view({2, 2}));
    overwrite(fixed.parameter("moe.1.router.selector"), selector_weight.mv(hidden_TD[t]));
    EXPECT_TRUE(close(gates[t], gate_TE(fixed, input(), 4)[t], 1e-9)) << t;
  }
  toy.layer->forward(input()).delta_TD.sum().backward();
  EXPECT_GT(toy.gradient("moe.1.router.code_weight").abs().sum().item<double>(), 0);
  EXPECT_GT(toy.gradient("moe.1.router.selector_weight").abs().sum().item<double>(), 0);
}

TEST(DselectRouter, StartsDenseAndSharpensByItsEntropy) {
  ToyShape shape;
  shape.num_experts = 4;
  shape.settings = {{"entropy_coefficient", 1.0}};
  ToyLayer toy("dselect_k", shape);
  EXPECT_EQ(toy.router().route(test::input_of(test::draws({5, 4}, 1))).sparse()->expert_N.numel(), 20);
  test::train(toy, 400, 0.1);
  EXPECT_LE(toy.router().route(test::input_of(test::draws({5, 4}, 1))).sparse()->expert_N.numel(), 10);
}

TEST(DselectRouter, WarnsUnlessThePowerIsTwo) {
  const std::string text = "[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[moe]\nmethod = \"dselect_k\"\n";
  EXPECT_EQ(test::said_of(text + "num_experts = 8\n"), "");
  EXPECT_EQ(test::said_of(text + "num_experts = 6\n"),
            "warning: 'num_experts' is 6, not a power of two: some codes name no expert, and a token's gates sum to "
            "less than 1 until a loss has pushed the codes away from them\n"
            "hint: take 4 or 8\n");
}

}  // namespace
}  // namespace moescope::moe
