#include <algorithm>
#include <cmath>

#include "tests/core/moe/routers/linear_experts.h"
#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::matrix;
using test::overwrite;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

constexpr int kMix = 0, kSharpen = 1, kPrivate = 2;

ToyShape shape_of(std::int64_t group_size, SettingMap settings = {}) {
  ToyShape shape;
  settings["group_size"] = group_size;
  shape.settings = std::move(settings);
  return shape;
}

ToyLayer random_layer(const ToyShape& shape) {
  ToyLayer toy("mot", shape);
  test::randomise(toy.parameters);
  return toy;
}

/// Token ids do not matter here; the shape of the batch does.
RouterInput in_batch(const at::Tensor& hidden_TD, std::int64_t sequences, RouteMode mode = RouteMode::kTrain) {
  return {hidden_TD, at::zeros({sequences, hidden_TD.size(0) / sequences}, at::kLong), mode, 5};
}

/// Two sequences of one token, two experts f_e(h) = (e+1)·h, logits (1, −1) and (0, 2).
struct Pair {
  ToyLayer toy;
  explicit Pair(SettingMap settings = {}) : toy("mot", shape(std::move(settings))) {
    test::to_double(toy.parameters);
    test::make_linear_experts(toy, 2);
    overwrite(toy.parameter("moe.1.router.rows"), matrix({1, 0, -1, 2}, 2));
  }
  static ToyShape shape(SettingMap settings) {
    ToyShape made = shape_of(2, std::move(settings));
    made.d_model = 2;
    made.num_experts = 2;
    made.hidden = 4;
    return made;
  }
  static RouterInput input(RouteMode mode = RouteMode::kTrain) { return in_batch(at::eye(2, at::kDouble), 2, mode); }
  MoeOutput forward(RouteMode mode = RouteMode::kTrain) { return toy.layer->forward(input(mode)); }
  at::Tensor weight_IE(RouteMode mode = RouteMode::kTrain) {
    const Routing routing = toy.router().route(input(mode));
    return std::get<DenseRouting>(routing.assignment).dispatch_GIES.select(0, 0).select(2, 0);
  }
  /// Of the mixing softmax, for each expert: the weights' log ratio is the logits' difference over it.
  at::Tensor temperature_E() {
    const at::Tensor w = weight_IE();
    return matrix({1, -3}, 0) / (w[0] / w[1]).log();
  }
  void enter(int stage) {
    RouterControls controls;
    controls.stage = stage;
    toy.router().apply(controls);
  }
};

TEST(MotRouter, ThePairMixesAndEmitsByTheSameWeights) {
  Pair pair;
  const MoeOutput output = pair.forward();
  const auto& dense = std::get<DenseRouting>(output.record.routing.assignment);
  const at::Tensor expected_IE = matrix({.731059, .047426, .268941, .952574}, 2);
  EXPECT_TRUE(close(dense.dispatch_GIES.select(0, 0).select(2, 0), expected_IE, 1e-6));
  EXPECT_TRUE(close(dense.combine_GIES.select(0, 0).select(2, 0), expected_IE, 1e-6));
  EXPECT_TRUE(close(output.delta_TD, matrix({.538945, .286965, .286965, 1.887124}, 2), 1e-6));
  EXPECT_TRUE(close(output.record.load_E, matrix({1, 1}, 0), 1e-12));
}

TEST(MotRouter, ALowTemperatureIsNearlyAChoice) {
  Pair pair;
  ASSERT_EQ(pair.toy.router().set("temperature", 0.1), "");
  const MoeOutput output = pair.forward();
  EXPECT_TRUE(close(output.delta_TD, matrix({.999909, .000045, .000045, 2.0}, 2), 1e-6));
  EXPECT_NEAR(test::loss_of(output.record.routing, "mixing_entropy").value.item<double>(), .000720 / 2, 1e-6);
}

TEST(MotRouter, TheEntropyLossIsTheMeanOverExpertsInGroupSizes) {
  Pair pair({{"entropy_coefficient", 0.5}});
  const MoeOutput output = pair.forward();
  const AuxiliaryLoss& entropy = test::loss_of(output.record.routing, "mixing_entropy");
  EXPECT_NEAR(entropy.value.item<double>(), (.839942 + .275360) / 2, 1e-6);
  EXPECT_EQ(entropy.coefficient, 0.5);
  entropy.value.backward();
  EXPECT_GT(pair.toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
  EXPECT_TRUE(pair.forward(RouteMode::kEvaluate).record.routing.losses.empty());
}

TEST(MotRouter, EveryExpertsWeightsSumToOneInEveryGroup) {
  ToyLayer toy = random_layer(shape_of(4));
  const Routing routing = toy.router().route(in_batch(test::draws({30, 4}, 1), 6));  // groups of four and of two
  const auto& dense = std::get<DenseRouting>(routing.assignment);
  EXPECT_EQ(dense.member_GI.sizes(), (at::IntArrayRef{10, 4}));
  EXPECT_TRUE(close(dense.dispatch_GIES.sum(1), at::ones({10, 3, 1}), 1e-6));
}

TEST(MotRouter, GroupsAreConsecutiveSequencesAtOnePosition) {
  ToyLayer toy = random_layer(shape_of(2));
  const Routing routing = toy.router().route(in_batch(test::draws({8, 4}, 1), 4));
  // Two positions, two blocks of sequences: tokens b·2 + position.
  EXPECT_EQ(test::integers(std::get<DenseRouting>(routing.assignment).member_GI),
            (std::vector<std::int64_t>{0, 2, 4, 6, 1, 3, 5, 7}));
}

TEST(MotRouter, PermutingSequencesOfAGroupPermutesOutputs) {
  ToyLayer toy = random_layer(shape_of(3));
  const at::Tensor hidden_BLD = test::draws({3, 4, 4}, 1);
  const at::Tensor order_B = at::tensor({2, 0, 1}, at::kLong);
  const auto forward = [&](const at::Tensor& states_BLD) {
    return toy.layer->forward(in_batch(states_BLD.reshape({12, 4}), 3)).delta_TD.view({3, 4, 4});
  };
  EXPECT_TRUE(close(forward(hidden_BLD.index_select(0, order_B)), forward(hidden_BLD).index_select(0, order_B), 1e-6));
}

TEST(MotRouter, ATokenReachesItsGroupAtItsPositionAndNobodyElse) {
  ToyLayer toy = random_layer(shape_of(2));
  const at::Tensor hidden_TD = test::draws({12, 4}, 1);  // four sequences of three tokens
  at::Tensor changed_TD = hidden_TD.clone();
  changed_TD[1].add_(1);  // sequence 0, position 1
  const at::Tensor far_T =
      (toy.layer->forward(in_batch(changed_TD, 4)).delta_TD - toy.layer->forward(in_batch(hidden_TD, 4)).delta_TD)
          .abs()
          .sum(1);
  for (std::int64_t t = 0; t < 12; ++t) {
    const bool mate = t == 1 || t == 4;  // itself, and sequence 1 at position 1
    EXPECT_EQ(far_T[t].item<double>() > 1e-4, mate) << t;
    EXPECT_EQ(far_T[t].item<double>() == 0, !mate) << t;
  }
}

TEST(MotRouter, AGroupOfOneIsTheSumOfAllExperts) {
  ToyLayer toy = random_layer(shape_of(1));
  const at::Tensor hidden_TD = test::draws({6, 4}, 1);
  const at::Tensor three = toy.layer->experts().forward(hidden_TD.repeat({3, 1}), {0, 6, 12, 18});
  EXPECT_TRUE(close(toy.layer->forward(in_batch(hidden_TD, 2)).delta_TD, three.view({3, 6, 4}).sum(0), 1e-5));
  EXPECT_TRUE(toy.router().route(in_batch(hidden_TD, 2)).losses.empty()) << "the entropy of one is nothing";
}

TEST(MotRouter, WhoIsAbsentTakesNoWeight) {
  ToyLayer pairs = random_layer(shape_of(2)), alone = random_layer(shape_of(1));
  const at::Tensor hidden_TD = test::draws({6, 4}, 1);
  // Three sequences of two: the third has no mate. At position 1 sequence 1 is padding, so sequence 0 has none either.
  const at::Tensor cell_T = at::tensor({0, 1, 2, 4, 5}, at::kLong);
  const at::Tensor real_TD = hidden_TD.index_select(0, cell_T);
  RouterInput input = in_batch(hidden_TD, 3);
  input.hidden_TD = real_TD;
  input.cell_T = cell_T;
  const MoeOutput output = pairs.layer->forward(input);
  const at::Tensor single_TD = alone.layer->forward(in_batch(hidden_TD, 3)).delta_TD.index_select(0, cell_T);
  for (const std::int64_t t : {1, 3, 4}) EXPECT_TRUE(close(output.delta_TD[t], single_TD[t], 1e-5)) << t;
  for (const std::int64_t t : {0, 2}) EXPECT_FALSE(close(output.delta_TD[t], single_TD[t], 1e-3)) << t;
  const auto& dense = std::get<DenseRouting>(output.record.routing.assignment);
  EXPECT_TRUE(close(dense.combine_GIES.sum(1), at::ones({4, 3, 1}), 1e-6));
  EXPECT_EQ(dense.combine_GIES.gt(0).sum().item<std::int64_t>(), 5 * 3);
}

TEST(MotRouter, DiscreteEvaluationTakesTheHeaviestAndTheFirstAmongEquals) {
  Pair pair({{"discrete_evaluation", true}});
  EXPECT_TRUE(at::equal(pair.weight_IE(RouteMode::kEvaluate), at::eye(2, at::kDouble)));
  EXPECT_FALSE(at::equal(pair.weight_IE(RouteMode::kTrain), at::eye(2, at::kDouble)));
  pair.toy.parameter("moe.1.router.rows").detach().zero_();  // all weigh alike
  EXPECT_TRUE(at::equal(pair.weight_IE(RouteMode::kEvaluate), matrix({1, 1, 0, 0}, 2)));
}

TEST(MotRouter, InThePrivateStageEachExpertTakesOneTokenAndTheControllerRests) {
  Pair pair;
  pair.enter(kPrivate);
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
    EXPECT_TRUE(at::equal(pair.weight_IE(mode), at::eye(2, at::kDouble)));
  }
  const MoeOutput output = pair.forward();
  EXPECT_TRUE(close(output.delta_TD, matrix({1, 0, 0, 2}, 2), 1e-12)) << "weight 1 for merge and emit";
  EXPECT_TRUE(output.record.routing.losses.empty());
  output.delta_TD.sum().backward();
  EXPECT_FALSE(pair.toy.gradient("moe.1.router.rows").defined());
  EXPECT_GT(pair.toy.gradient("moe.1.expert.0.w2").abs().sum().item<double>(), 0);
}

TEST(MotRouter, TheTemperatureFallsByEqualFactorsOverTheSharpenStage) {
  Pair pair;  // a stage of 100 steps
  Router& router = pair.toy.router();
  router.begin_step(9);
  EXPECT_TRUE(close(pair.temperature_E(), matrix({1, 1}, 0), 1e-9));
  pair.enter(kSharpen);
  router.begin_step(10);
  EXPECT_TRUE(close(pair.temperature_E(), at::full({2}, std::pow(0.1, 0.01), at::kDouble), 1e-9));
  router.begin_step(59);
  EXPECT_TRUE(close(pair.temperature_E(), at::full({2}, std::sqrt(0.1), at::kDouble), 1e-9));
  router.begin_step(109);
  EXPECT_TRUE(close(pair.temperature_E(), at::full({2}, 0.1, at::kDouble), 1e-9)) << "arrives with the last step";
  router.begin_step(400);
  EXPECT_TRUE(close(pair.temperature_E(), at::full({2}, 0.1, at::kDouble), 1e-9));
}

TEST(MotRouter, LeavingTheSharpenStageStartsItAnewAndStateGoesOnWithIt) {
  Pair first;
  first.enter(kSharpen);
  first.toy.router().begin_step(0);
  first.enter(kMix);
  EXPECT_TRUE(close(first.temperature_E(), matrix({1, 1}, 0), 1e-9));
  first.enter(kSharpen);
  first.toy.router().begin_step(200);
  first.enter(kSharpen);  // another control of the layer changed
  first.toy.router().begin_step(249);
  EXPECT_TRUE(close(first.temperature_E(), at::full({2}, std::sqrt(0.1), at::kDouble), 1e-9));

  Pair second;
  second.enter(kSharpen);
  ASSERT_EQ(second.toy.router().restore("sharpen_start", first.toy.router().state().at(0).tensor), "");
  second.toy.router().begin_step(299);
  EXPECT_TRUE(close(second.temperature_E(), at::full({2}, 0.1, at::kDouble), 1e-9));
}

TEST(MotRouter, ATemperatureBelowTheEndStays) {
  Pair pair({{"temperature", 0.05}});
  pair.enter(kSharpen);
  pair.toy.router().begin_step(30);
  EXPECT_TRUE(close(pair.temperature_E(), matrix({.05, .05}, 0), 1e-9));
}

TEST(MotRouter, LearnedTemperaturesAreOnePerExpertIfWantedAndGetAGradient) {
  Pair shared({{"learn_temperature", true}, {"temperature", 0.5}});
  EXPECT_TRUE(close(shared.temperature_E(), matrix({.5, .5}, 0), 1e-7)) << "starts where the field says";
  shared.forward().delta_TD.square().sum().backward();
  EXPECT_EQ(shared.toy.gradient("moe.1.router.log_temperature").numel(), 1);
  EXPECT_GT(shared.toy.gradient("moe.1.router.log_temperature").abs().sum().item<double>(), 0);
  EXPECT_EQ(shared.toy.router().set("temperature", 2.0),
            "'temperature' is where the learned temperature started; it learns on by itself");

  Pair each({{"learn_temperature", true}, {"temperature_per_expert", true}});
  overwrite(each.toy.parameter("moe.1.router.log_temperature"), matrix({std::log(.5), std::log(2.)}, 0));
  EXPECT_TRUE(close(each.temperature_E(), matrix({.5, 2}, 0), 1e-9)) << "along experts, not along the group";
}

TEST(MotRouter, TheControllerLearnsFromEveryExpertAndEveryToken) {
  ToyLayer toy = random_layer(shape_of(2));
  const at::Tensor hidden_TD = test::draws({8, 4}, 1).requires_grad_();
  toy.layer->forward(in_batch(hidden_TD, 4)).delta_TD.square().sum().backward();
  EXPECT_TRUE(toy.gradient("moe.1.router.rows").abs().sum(1).gt(0).all().item<bool>());
  EXPECT_TRUE(hidden_TD.grad().abs().sum(1).gt(0).all().item<bool>());
}

TEST(MotRouter, ExpertsHaveNoBiasesAndRowsStartAsACutNormal) {
  ToyShape shape = shape_of(8);
  shape.d_model = 64;
  shape.num_experts = 64;
  ToyLayer toy("mot", shape);
  for (const Parameter& one : toy.parameters.all()) {
    EXPECT_FALSE(one.name.ends_with(".b1") || one.name.ends_with(".b2")) << one.name;
  }
  const at::Tensor rows_ED = toy.parameter("moe.1.router.rows");
  EXPECT_LE(rows_ED.abs().max().item<double>(), 2. / 8 + 1e-6);
  EXPECT_NEAR(rows_ED.std().item<double>(), 0.8796 / 8, 0.05 / 8);
  EXPECT_EQ(toy.router().experts_per_token(), 8);
  EXPECT_EQ(toy.router().top_k(), 64);
}

TEST(MotRouter, StagesFollowTheSchedule) {
  config::RunConfig config;
  const auto due = [&](std::int64_t mix, std::int64_t sharpen, std::int64_t step) {
    config.stages = {{"mix_steps", mix}, {"sharpen_steps", sharpen}};
    return find_method("mot")->stage_due(config, step);
  };
  EXPECT_EQ(due(0, 100, 1'000'000), kMix) << "0 is the whole run";
  EXPECT_EQ(due(40, 15, 39), kMix);
  EXPECT_EQ(due(40, 15, 40), kSharpen);
  EXPECT_EQ(due(40, 15, 54), kSharpen);
  EXPECT_EQ(due(40, 15, 55), kPrivate);
  EXPECT_EQ(due(40, 0, 40), kPrivate);
}

std::string said(const std::string& batch_size, const std::string& more) {
  return test::said_of("[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[train]\nbatch_size = " + batch_size +
                       "\n[moe]\nmethod = \"mot\"\n" + more);
}

TEST(MotRouter, WarnsOfGroupsThatDoNotMixOrAreNotWhole) {
  EXPECT_EQ(said("8", "[moe.router]\ngroup_size = 4\n"), "");
  EXPECT_EQ(said("8", "[moe.router]\ngroup_size = 1\n"),
            "warning: 'group_size' is 1: nothing is mixed, every token goes to every expert with weight 1\n"
            "hint: take 2 or more sequences; the paper takes 32\n");
  EXPECT_EQ(said("10", "[moe.router]\ngroup_size = 4\n"),
            "warning: 'group_size' is 4, but a batch has 10 sequences: the last group has 2, whose tokens weigh more "
            "than those of a whole group\n"
            "hint: make train.batch_size a multiple of the group size\n");
}

TEST(MotRouter, WarnsOfSettingsWithoutEffect) {
  EXPECT_EQ(said("8", "[stages]\nsharpen_steps = 10\n"),
            "warning: 'sharpen_steps' is set, but 'mix_steps' is 0, the whole run: nothing is ever sharpened\n"
            "hint: say in mix_steps after how many steps the temperature begins to fall\n");
  EXPECT_EQ(said("8", "[stages]\nmix_steps = 10\n"), "");
  EXPECT_EQ(said("8", "[moe.router]\ntemperature_per_expert = true\n"),
            "warning: 'temperature_per_expert' is true, but the temperature is not learned: one value serves all\n"
            "hint: set learn_temperature = true\n");
}

}  // namespace
}  // namespace moescope::moe
