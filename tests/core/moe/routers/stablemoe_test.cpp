#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::overwrite;
using test::ToyLayer;
using test::ToyShape;

constexpr RouterControls kFrozenStage{1, false, false};
constexpr const char* kRows = "moe.1.router.rows";
constexpr const char* kStudentRows = "moe.1.router.student.rows";
constexpr const char* kStudentEmbedding = "moe.1.router.student.embedding";

/// F1 with a student whose score of token t is `factor` times the backbone's: token t has id t and embedding h_t.
ToyLayer f1_stable(double factor, double capacity_factor = 0) {
  ToyShape shape = test::f1::shape();
  shape.settings = {{"student_dim", std::int64_t{2}}};
  shape.capacity_factor = capacity_factor;
  ToyLayer toy = test::f1::layer("stablemoe", shape);
  overwrite(toy.parameter(kStudentEmbedding), at::cat({test::f1::hidden_TD(), at::zeros({1, 2}, at::kDouble)}, 0));
  overwrite(toy.parameter(kStudentRows), test::f1::rows_ER() * factor);
  return toy;
}

const AuxiliaryLoss& loss(const MoeOutput& output, const std::string& name) {
  for (const AuxiliaryLoss& one : output.record.routing.losses) {
    if (one.name == name) return one;
  }
  static const AuxiliaryLoss none;
  ADD_FAILURE() << "no loss " << name;
  return none;
}

at::Tensor rows_gradient_of_balance() {
  const at::Tensor gate_T =
      test::matrix({.7310585786, .7310585786, .7310585786, .8807970780, .8807970780, .8933094060}, 0);
  const at::Tensor excess_T = test::matrix({.5, 0, .5, 0, .5, -.5}, 0);  // (n_a − 2)/2 with n = (3, 2, 1)
  const at::Tensor grad_T = excess_T * gate_T * (1 - gate_T);
  const at::Tensor chosen_TE = at::one_hot(test::matrix({0, 1, 0, 1, 0, 2}, 0).to(at::kLong), 3).to(at::kDouble);
  return (chosen_TE * grad_T.unsqueeze(1)).t().mm(test::f1::hidden_TD());
}

TEST(StableMoeRouter, FixtureF1GatesAndOutputs) {
  ToyLayer toy = f1_stable(0.5);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_TRUE(close(output.record.routing.sparse()->gate_N,
                    test::matrix({.731059, .731059, .731059, .880797, .880797, .893309}, 0), 1e-6));
  const at::Tensor expected_TD = test::matrix(
      {1.731059, 0, 0, 2.462117, 1.731059, .865529, -2.761594, 5.523188, 3.761594, 0, -7.359856, 1.839964}, 6);
  EXPECT_TRUE(close(test::f1::hidden_TD() + output.delta_TD, expected_TD, 1e-6));
}

TEST(StableMoeRouter, FixtureF1BalanceLossPerTokenTimesTokensIsThePapersSum) {
  ToyLayer toy = f1_stable(0.5);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const AuxiliaryLoss& balance = loss(output, "balance");
  EXPECT_NEAR(6 * balance.value.item<double>(), 0.724802, 1e-6);
  EXPECT_NEAR(6 * balance.coefficient * balance.value.item<double>(), 0.217441, 1e-6);
  balance.value.backward();
  EXPECT_TRUE(close(6 * toy.gradient(kRows), rows_gradient_of_balance(), 1e-9)) << "the excess is a constant";
}

TEST(StableMoeRouter, FixtureF1DistillationLoss) {
  for (const auto& [factor, expected] : {std::pair(0.5, 3.838759), std::pair(0.0, 6.591674)}) {
    ToyLayer toy = f1_stable(factor);
    const MoeOutput output = toy.layer->forward(test::f1::input());
    EXPECT_NEAR(6 * loss(output, "distillation").value.item<double>(), expected, 1e-6);
    EXPECT_EQ(loss(output, "distillation").coefficient, 0.3);
  }
}

TEST(StableMoeRouter, LossesReachTheirOwnParametersOnly) {
  ToyLayer task = f1_stable(0.5);
  task.layer->forward(test::f1::input()).delta_TD.sum().backward();
  EXPECT_GT(task.gradient(kRows).abs().sum().item<double>(), 0);
  EXPECT_FALSE(task.gradient(kStudentRows).defined());
  EXPECT_FALSE(task.gradient(kStudentEmbedding).defined());

  ToyLayer balance = f1_stable(0.5);
  loss(balance.layer->forward(test::f1::input()), "balance").value.backward();
  EXPECT_FALSE(balance.gradient(kStudentRows).defined());

  ToyLayer distillation = f1_stable(0.5);
  const at::Tensor hidden_TD = test::f1::hidden_TD().requires_grad_();
  loss(distillation.layer->forward(input_of(hidden_TD)), "distillation").value.backward();
  EXPECT_GT(distillation.gradient(kStudentRows).abs().sum().item<double>(), 0);
  EXPECT_GT(distillation.gradient(kStudentEmbedding).abs().sum().item<double>(), 0);
  EXPECT_FALSE(distillation.gradient(kRows).defined());
  EXPECT_FALSE(hidden_TD.grad().defined());
  for (const Parameter& one : distillation.parameters.all()) {
    if (one.role == ParameterRole::kExpert) {
      EXPECT_FALSE(one.tensor.grad().defined()) << one.name;
    }
  }
}

TEST(StableMoeRouter, InTheFrozenStageTheStudentChoosesAndTheBackboneWeighs) {
  ToyLayer toy = f1_stable(-1);  // the student prefers what the backbone likes least
  toy.router().apply(kFrozenStage);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const Routing& routing = output.record.routing;
  const std::vector<std::int64_t> least = {2, 0, 2, 0, 2, 0};
  EXPECT_EQ(test::integers(routing.sparse()->expert_N), least);
  EXPECT_EQ(test::integers(routing.student_T), least);
  const at::Tensor scores_T = test::f1::scores_TE().gather(1, test::matrix({2, 0, 2, 0, 2, 0}, 6).to(at::kLong));
  EXPECT_TRUE(close(routing.sparse()->gate_N, at::sigmoid(scores_T).squeeze(1), 1e-12));
  EXPECT_TRUE(routing.losses.empty());
  output.delta_TD.sum().backward();
  EXPECT_GT(toy.gradient(kRows).abs().sum().item<double>(), 0) << "the gate still trains the backbone's rows";
  EXPECT_FALSE(toy.gradient(kStudentRows).defined());
}

TEST(StableMoeRouter, EvaluationUsesTheStudentEvenWhileLearning) {
  ToyLayer toy = f1_stable(-1);
  const auto chosen = [&](RouteMode mode) {
    return test::integers(toy.router().route(test::f1::input(mode)).sparse()->expert_N);
  };
  EXPECT_EQ(chosen(RouteMode::kEvaluate), (std::vector<std::int64_t>{2, 0, 2, 0, 2, 0}));
  EXPECT_EQ(chosen(RouteMode::kTrain), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2}));
  EXPECT_EQ(chosen(RouteMode::kProbe), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2}));
  EXPECT_EQ(test::integers(toy.router().route(test::f1::input(RouteMode::kProbe)).student_T),
            (std::vector<std::int64_t>{2, 0, 2, 0, 2, 0}));
}

TEST(StableMoeRouter, WhoeverChoosesOwnsTheRecordedScores) {
  ToyLayer toy = f1_stable(-1);
  for (const int stage : {0, 1}) {
    toy.router().apply({stage, false, false});
    for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
      const Routing routing = toy.router().route(test::f1::input(mode));
      EXPECT_TRUE(at::equal(routing.scores_TE.argmax(1), routing.sparse()->expert_N));
    }
  }
}

/// Trains everything that asks for a gradient; returns the probe's choices after each step.
std::vector<std::vector<std::int64_t>> choices_while_training(ToyLayer& toy, int steps) {
  std::vector<std::vector<std::int64_t>> history;
  for (int step = 0; step < steps; ++step) {
    const RouterInput probe = input_of(test::draws({40, 4}, 3), RouteMode::kProbe);
    history.push_back(test::integers(toy.router().route(probe).sparse()->expert_N));
    const MoeOutput output = toy.layer->forward(input_of(test::draws({30, 4}, 100 + static_cast<std::uint64_t>(step))));
    const at::Tensor target_TD = test::draws({30, 4}, 500);
    (at::mse_loss(output.delta_TD, target_TD) + test::auxiliary_total(output.record.routing, target_TD)).backward();
    for (Parameter& one : toy.parameters.all()) {
      if (one.tensor.requires_grad() && one.tensor.grad().defined()) one.tensor.detach().sub_(one.tensor.grad(), 1.0);
      one.tensor.mutable_grad() = at::Tensor();
    }
  }
  return history;
}

TEST(StableMoeRouter, AfterTheSwitchAFixedProbeNeverChanges) {
  ToyLayer toy("stablemoe", ToyShape{});
  const auto learning = choices_while_training(toy, 30);
  EXPECT_NE(learning.front(), learning.back());
  toy.router().apply(kFrozenStage);
  const std::uint64_t student = checksum(toy.parameters.with_prefix("moe.1.router.student."));
  const std::uint64_t rows = checksum(toy.parameters.with_prefix("moe.1.router.rows"));
  for (const auto& chosen : choices_while_training(toy, 30)) {
    EXPECT_EQ(chosen, choices_while_training(toy, 1)[0]);
  }
  EXPECT_EQ(checksum(toy.parameters.with_prefix("moe.1.router.student.")), student);
  EXPECT_NE(checksum(toy.parameters.with_prefix("moe.1.router.rows")), rows) << "gates go on learning";
}

TEST(StableMoeRouter, InTheFrozenStageATokenGoesToOneExpertInAnyContext) {
  ToyLayer toy("stablemoe", ToyShape{});
  toy.router().apply(kFrozenStage);
  const Routing first = toy.router().route(input_of(test::draws({70, 4}, 1)));
  const Routing second = toy.router().route(input_of(test::draws({70, 4}, 2)));
  EXPECT_TRUE(at::equal(first.sparse()->expert_N, second.sparse()->expert_N));
  const at::Tensor by_round_TV = first.sparse()->expert_N.reshape({10, 7});  // ids count 0 to 6 over and over
  EXPECT_TRUE(at::equal(by_round_TV, by_round_TV.narrow(0, 0, 1).expand({10, 7})));
}

TEST(StableMoeRouter, WhatStopsIsWhatTheControlsSay) {
  ToyLayer toy = f1_stable(0.5);
  const auto expect = [&](RouterControls controls, bool rows_learn, bool student_learns, std::size_t num_losses) {
    toy.router().apply(controls);
    EXPECT_EQ(toy.parameter(kRows).requires_grad(), rows_learn);
    EXPECT_EQ(toy.parameter(kStudentRows).requires_grad(), student_learns);
    EXPECT_EQ(toy.parameter(kStudentEmbedding).requires_grad(), student_learns);
    EXPECT_EQ(toy.router().route(test::f1::input()).losses.size(), num_losses);
  };
  expect({0, false, false}, true, true, 2);
  expect({0, true, false}, false, false, 1);  // frozen: the balance loss still reaches the layers below
  expect({0, false, true}, true, false, 0);   // pinned: as in the frozen stage, for this layer
  expect({1, false, false}, true, false, 0);
  expect({1, true, true}, false, false, 0);
  expect({0, false, false}, true, true, 2);
}

TEST(StableMoeRouter, CapacityIsForTheWholeBatchAndHoldsAtEvaluation) {
  ToyShape shape;
  shape.num_experts = 8;
  shape.capacity_factor = 2;
  ToyLayer toy("stablemoe", shape);
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate}) {
    EXPECT_EQ(toy.router().capacity(4100, mode).slots, 1025);
    EXPECT_EQ(toy.router().capacity(4100, mode).group_tokens, 0);
    EXPECT_EQ(toy.router().capacity(3, mode).slots, 1) << "never 0, which would mean no limit";
  }
  EXPECT_EQ(toy.router().capacity(4100, RouteMode::kProbe).slots, 0);
  toy.router().set_capacity_factor(0);
  EXPECT_EQ(toy.router().capacity(4100, RouteMode::kTrain).slots, 0);
}

TEST(StableMoeRouter, ATokenBeyondCapacityIsLeftAsItIs) {
  ToyLayer toy = f1_stable(0.5, 1.0);  // two slots each; token 4 is the third of expert 0
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(test::integers(output.record.kept_N), (std::vector<std::int64_t>{1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(test::numbers(output.delta_TD[4]), (std::vector<double>{0, 0}));
  EXPECT_NEAR(6 * loss(output, "balance").value.item<double>(), 0.724802, 1e-6) << "counted before dropping";
}

TEST(StableMoeRouter, RowsStartOrthogonalAtATenth) {
  ToyLayer toy("stablemoe", ToyShape{});
  const at::Tensor rows_ER = toy.parameter(kRows);
  EXPECT_TRUE(close(rows_ER.mm(rows_ER.t()), at::eye(3) * 0.01, 1e-7));
  const at::Tensor student_ER = toy.parameter(kStudentRows);
  EXPECT_TRUE(close(student_ER.mm(student_ER.t()), at::eye(3) * 0.01, 1e-7));
  EXPECT_EQ(toy.parameter(kStudentEmbedding).sizes(), (at::IntArrayRef{7, 50}));
  EXPECT_NEAR(toy.parameter(kStudentEmbedding).std().item<double>(), 1, 0.1);
}

TEST(StableMoeRouter, CoefficientsAreLive) {
  ToyLayer toy = f1_stable(0.5);
  EXPECT_EQ(toy.router().set("balance_coefficient", 0.0), "");
  EXPECT_EQ(toy.router().set("distillation_coefficient", std::int64_t{1}), "");
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(loss(output, "balance").coefficient, 0);
  EXPECT_EQ(loss(output, "distillation").coefficient, 1);
}

TEST(StableMoeStages, TheStudentTakesOverWhenTheLearnStepsAreDone) {
  const Method& method = *find_method("stablemoe");
  config::RunConfig config;
  config.stages = {{"learn_steps", std::int64_t{240}}};
  EXPECT_EQ(method.stage_due(config, 0), 0);
  EXPECT_EQ(method.stage_due(config, 239), 0);
  EXPECT_EQ(method.stage_due(config, 240), 1);
}

}  // namespace
}  // namespace moescope::moe
