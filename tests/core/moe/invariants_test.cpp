// What every registered method must keep, whoever wrote it. Promises are read from its traits. The suite
// runs over whatever is registered in the program it is linked into.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::ToyLayer;
using test::ToyShape;

constexpr std::int64_t kTokens = 12;
constexpr RouteMode kAllModes[] = {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe};

class Invariants : public testing::TestWithParam<std::string> {
 protected:
  const Method& method() const { return *find_method(GetParam()); }
  const config::Traits& traits() const { return method().info.traits; }

  /// The capacity factor is the method's default unless changed.
  ToyShape shape() const {
    ToyShape toy;
    const auto factor = method().info.defaults.find("moe.capacity_factor");
    if (factor != method().info.defaults.end()) toy.capacity_factor = std::get<double>(factor->second);
    return toy;
  }
  /// Nothing drawn: training chooses what the scores say.
  ToyShape quiet_shape() const {
    ToyShape toy = shape();
    const std::vector<std::pair<std::string, config::Value>> quiet = {
        {"jitter", 0.0}, {"noise", 0.0}, {"second_policy", std::string("all")}};
    for (const auto& [key, value] : quiet) {
      if (test::has_field(method(), key)) toy.settings[key] = value;
    }
    return toy;
  }
  ToyLayer layer(const ToyShape& toy) const {
    ToyLayer made(method(), toy);
    test::randomise(made.parameters);
    return made;
  }
  ToyLayer layer() const { return layer(shape()); }
  bool has_scores() const { return layer().layer->forward(input_of(hidden())).record.routing.scores_TE.defined(); }
  static at::Tensor hidden() { return test::draws({kTokens, 4}, 31); }
};

at::Tensor total_loss(const MoeOutput& output) {
  return (output.delta_TD * test::draws(output.delta_TD.sizes().vec(), 41)).sum() +
         test::auxiliary_total(output.record.routing, output.delta_TD);
}

void expect_record_in_range(const LayerRecord& record, std::int64_t num_tokens, std::int64_t num_experts) {
  const Routing& routing = record.routing;
  if (const SparseRouting* sparse = routing.sparse()) {
    const std::int64_t num_assignments = sparse->expert_N.numel();
    EXPECT_EQ(record.load_E.sum().item<std::int64_t>(), num_assignments);
    EXPECT_EQ(record.kept_N.sum().item<std::int64_t>() + record.dropped_E.sum().item<std::int64_t>(), num_assignments);
    for (const std::int64_t expert : test::integers(sparse->expert_N)) EXPECT_TRUE(expert >= 0 && expert < num_experts);
    for (const std::int64_t token : test::integers(sparse->token_N)) EXPECT_TRUE(token >= 0 && token < num_tokens);
    if (sparse->choices_per_token > 0) {
      EXPECT_EQ(num_assignments, num_tokens * sparse->choices_per_token);
    }
    EXPECT_TRUE(at::isfinite(sparse->gate_N).all().item<bool>());
  }
  if (routing.probs_TE.defined() && num_tokens > 0) {
    EXPECT_TRUE(close(routing.probs_TE.sum(1), at::ones({num_tokens}), 1e-5));
    EXPECT_GE(routing.entropy_T.min().item<double>(), 0);
    EXPECT_LE(routing.entropy_T.max().item<double>(), std::log(static_cast<double>(num_experts)) + 1e-5);
    EXPECT_GE(routing.margin_T.min().item<double>(), 0);
    EXPECT_LE(routing.margin_T.max().item<double>(), 1 + 1e-6);
  }
}

TEST_P(Invariants, RecordIsCompleteAndInRangeInEveryMode) {
  ToyLayer toy = layer();
  for (const RouteMode mode : kAllModes) {
    const MoeOutput output = toy.layer->forward(input_of(hidden(), mode));
    EXPECT_EQ(output.delta_TD.sizes(), (at::IntArrayRef{kTokens, 4}));
    expect_record_in_range(output.record, kTokens, toy.layer->experts().num_experts());
  }
}

TEST_P(Invariants, EmptyBatchGivesNothingAndNoNaN) {
  ToyLayer toy = layer();
  for (const RouteMode mode : kAllModes) {
    const MoeOutput output = toy.layer->forward(input_of(at::empty({0, 4}), mode));
    EXPECT_EQ(output.delta_TD.sizes(), (at::IntArrayRef{0, 4}));
    EXPECT_EQ(output.record.load_E.sum().item<double>(), 0);
    for (const AuxiliaryLoss& loss : output.record.routing.losses) EXPECT_EQ(loss.value.item<double>(), 0) << loss.name;
    if (mode == RouteMode::kTrain) {
      const at::Tensor total = total_loss(output);
      if (total.requires_grad()) total.backward();
    }
  }
  for (const Parameter& one : toy.parameters.all()) {
    if (one.tensor.grad().defined()) {
      EXPECT_EQ(one.tensor.grad().abs().sum().item<double>(), 0) << one.name;
    }
  }
}

TEST_P(Invariants, OneTokenIsRoutedAndNotDropped) {
  ToyLayer toy = layer();
  for (const RouteMode mode : kAllModes) {
    const MoeOutput output = toy.layer->forward(input_of(hidden().narrow(0, 0, 1), mode));
    expect_record_in_range(output.record, 1, toy.layer->experts().num_experts());
    EXPECT_EQ(output.record.dropped_E.sum().item<std::int64_t>(), 0);
    EXPECT_TRUE(at::isfinite(output.delta_TD).all().item<bool>());
  }
}

TEST_P(Invariants, LowestIndexWinsWhenAllScoresTie) {
  if (!has_scores()) GTEST_SKIP() << "has no scores";
  if (traits().balanced) GTEST_SKIP() << "equal loads come before equal scores";
  ToyLayer toy = layer(quiet_shape());
  for (const Parameter& one : toy.router().parameters()) one.tensor.detach().zero_();
  for (const RouteMode mode : kAllModes) {
    const Routing routing = toy.router().route(input_of(hidden(), mode));
    const SparseRouting* sparse = routing.sparse();
    if (sparse == nullptr || sparse->choices_per_token == 0) GTEST_SKIP() << "is not token choice";
    const at::Tensor expected_N = at::arange(sparse->choices_per_token, at::kLong).repeat_interleave(kTokens);
    EXPECT_TRUE(at::equal(sparse->expert_N, expected_N));
  }
}

TEST_P(Invariants, AsManyChoicesAsExpertsUsesEachOnce) {
  if (!test::has_field(method(), "top_k")) GTEST_SKIP() << "has no top_k";
  ToyShape toy_shape = shape();
  toy_shape.settings["top_k"] = std::int64_t{3};
  ToyLayer toy = layer(toy_shape);
  const MoeOutput output = toy.layer->forward(input_of(hidden()));
  if (output.record.routing.sparse()->choices_per_token == 0) GTEST_SKIP() << "is not token choice";
  EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>(3, kTokens)));
  const SparseRouting& sparse = *output.record.routing.sparse();
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::int64_t n = 0; n < sparse.expert_N.numel(); ++n) {
    pairs.insert({sparse.token_N[n].item<std::int64_t>(), sparse.expert_N[n].item<std::int64_t>()});
  }
  EXPECT_EQ(pairs.size(), static_cast<std::size_t>(3 * kTokens));
}

TEST_P(Invariants, ACapacityOfOneIsRespectedAndTheRestIsCounted) {
  ToyShape toy_shape = shape();
  if (test::has_field(method(), "min_capacity")) toy_shape.settings["min_capacity"] = std::int64_t{1};
  ToyLayer toy = layer(toy_shape);
  toy.router().set_capacity_factor(1e-9);
  if (toy.router().capacity(kTokens, RouteMode::kTrain).slots == 0) GTEST_SKIP() << "has no capacity";
  const MoeOutput output = toy.layer->forward(input_of(hidden()));
  EXPECT_EQ(output.record.capacity.slots, 1);
  const at::Tensor kept_E = output.record.load_E - output.record.dropped_E;
  EXPECT_EQ(kept_E.max().item<std::int64_t>(), 1);
  const SparseRouting& sparse = *output.record.routing.sparse();
  for (std::int64_t n = 0; sparse.choices_per_token == 1 && n < kTokens; ++n) {
    const bool zero = output.delta_TD[n].abs().sum().item<double>() == 0;
    EXPECT_EQ(zero, !output.record.kept_N[n].item<bool>()) << "a dropped token is carried by the residual alone";
  }
}

TEST_P(Invariants, NaNIsReportedNotSpread) {
  ToyLayer toy = layer();
  at::Tensor bad_TD = hidden();
  bad_TD[3][1] = std::numeric_limits<float>::quiet_NaN();
  for (const RouteMode mode : kAllModes) {
    if (has_scores()) {
      try {
        toy.layer->forward(input_of(bad_TD, mode));
        ADD_FAILURE() << "no error";
      } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("the first is token 3"), std::string::npos) << error.what();
      }
    } else if (toy.router().route(input_of(hidden(), mode)).sparse() != nullptr) {
      const at::Tensor delta_TD = toy.layer->forward(input_of(bad_TD, mode)).delta_TD;
      EXPECT_TRUE(at::isfinite(delta_TD.narrow(0, 0, 3)).all().item<bool>());
      EXPECT_TRUE(at::isfinite(delta_TD.narrow(0, 4, kTokens - 4)).all().item<bool>());
    }
  }
}

TEST_P(Invariants, EqualSeedsGiveEqualBits) {
  for (const RouteMode mode : kAllModes) {
    ToyLayer first = layer();
    ToyLayer second = layer();
    const MoeOutput a = first.layer->forward(input_of(hidden(), mode, 99));
    const MoeOutput b = second.layer->forward(input_of(hidden(), mode, 99));
    EXPECT_TRUE(test::same_bits(a.delta_TD, b.delta_TD));
    total_loss(a).backward();
    total_loss(b).backward();
    for (std::size_t i = 0; i < first.parameters.all().size(); ++i) {
      const at::Tensor& grad = first.parameters.all()[i].tensor.grad();
      if (grad.defined()) {
        EXPECT_TRUE(test::same_bits(grad, second.parameters.all()[i].tensor.grad()));
      }
    }
  }
}

TEST_P(Invariants, PromisedGatesSumToOnePerToken) {
  if (!traits().gates_sum_to_one) GTEST_SKIP() << "does not promise it";
  ToyLayer toy = layer();
  for (const RouteMode mode : kAllModes) {
    const Routing routing = toy.router().route(input_of(hidden(), mode));
    at::Tensor sum_T = at::zeros({kTokens});
    if (const SparseRouting* sparse = routing.sparse()) {
      sum_T = sum_T.index_add(0, sparse->token_N, sparse->gate_N.detach());
    } else {
      sum_T = std::get<DenseRouting>(routing.assignment).combine_GIES.detach().sum(at::IntArrayRef{0, 2, 3});
    }
    EXPECT_TRUE(close(sum_T, at::ones({kTokens}), 1e-6));
  }
}

TEST_P(Invariants, PromisedOrderOfTokensChangesNothing) {
  if (!traits().order_independent) GTEST_SKIP() << "does not promise it";
  ToyShape toy_shape = shape();
  toy_shape.capacity_factor = 0;
  ToyLayer toy = layer(toy_shape);
  const at::Tensor order_T = test::matrix({5, 3, 11, 0, 7, 1, 10, 2, 9, 4, 8, 6}, 0).to(at::kLong);
  // Each token is a sequence of its own, so that moving it moves its context with it.
  const at::Tensor token_id_BL = test::token_ids(kTokens).t();
  for (const RouteMode mode : {RouteMode::kEvaluate, RouteMode::kProbe}) {
    const at::Tensor straight_TD = toy.layer->forward({hidden(), token_id_BL, mode, 5}).delta_TD;
    const at::Tensor shuffled_TD =
        toy.layer->forward({hidden().index_select(0, order_T), token_id_BL.index_select(0, order_T), mode, 5}).delta_TD;
    EXPECT_TRUE(close(shuffled_TD, straight_TD.index_select(0, order_T), 1e-6));
  }
}

TEST_P(Invariants, PromisedCausalityHolds) {
  if (!traits().causal) GTEST_SKIP() << "does not promise it";
  ToyLayer toy = layer();
  at::Tensor changed_TD = hidden();
  changed_TD.narrow(0, 8, 1).copy_(test::draws({1, 4}, 51) * 3);
  at::Tensor changed_BL = test::token_ids(kTokens);
  changed_BL[0][8] = 0;
  for (const RouteMode mode : kAllModes) {
    const at::Tensor before_TD = toy.layer->forward(input_of(hidden(), mode)).delta_TD;
    const at::Tensor after_TD = toy.layer->forward({changed_TD, changed_BL, mode, 5}).delta_TD;
    EXPECT_TRUE(close(before_TD.narrow(0, 0, 8), after_TD.narrow(0, 0, 8), 1e-6));
  }
}

TEST_P(Invariants, TheRouterLearnsExactlyIfPromised) {
  ToyLayer toy = layer();
  // Several sequences, for methods whose router acts across them.
  total_loss(toy.layer->forward({hidden(), test::token_ids(kTokens).reshape({3, 4}), RouteMode::kTrain, 5})).backward();
  double reached = 0;
  for (const Parameter& one : toy.router().parameters()) {
    if (one.tensor.grad().defined()) reached += one.tensor.grad().abs().sum().item<double>();
    if (one.fixed) {
      EXPECT_FALSE(one.tensor.requires_grad()) << one.name;
    }
  }
  EXPECT_EQ(reached > 0, traits().router_learns);
}

TEST_P(Invariants, AFrozenRouterKeepsItsBitsWhileExpertsLearn) {
  ToyLayer toy = layer();
  RouterControls controls;
  controls.frozen = true;
  toy.router().apply(controls);
  const std::uint64_t router_before = checksum(toy.router().parameters());
  const std::uint64_t all_before = checksum(toy.parameters.all());
  for (int step = 0; step < 3; ++step) {
    total_loss(toy.layer->forward(input_of(hidden()))).backward();
    for (Parameter& one : toy.parameters.all()) {
      if (one.tensor.requires_grad() && one.tensor.grad().defined()) one.tensor.detach().sub_(one.tensor.grad(), 0.1);
    }
  }
  EXPECT_EQ(checksum(toy.router().parameters()), router_before);
  EXPECT_NE(checksum(toy.parameters.all()), all_before);
  toy.router().apply({});
  for (const Parameter& one : toy.router().parameters()) EXPECT_EQ(one.tensor.requires_grad(), !one.fixed) << one.name;
}

TEST_P(Invariants, AHiddenStateUnderAFrozenRouterStillGetsItsGradients) {
  ToyLayer toy = layer();
  RouterControls controls;
  controls.frozen = true;
  toy.router().apply(controls);
  const at::Tensor hidden_TD = hidden().requires_grad_();
  total_loss(toy.layer->forward(input_of(hidden_TD))).backward();
  EXPECT_GT(hidden_TD.grad().abs().sum().item<double>(), 0);
}

TEST_P(Invariants, PromisedBalanceHoldsByConstruction) {
  if (!traits().balanced) GTEST_SKIP() << "does not promise it";
  ToyLayer toy = layer();
  const at::Tensor load_E = toy.layer->forward(input_of(hidden())).record.load_E;
  EXPECT_NEAR(load_E.max().item<double>(), load_E.min().item<double>(), 1e-5) << "mass of mixtures is rounded";
}

TEST_P(Invariants, AStudentExistsExactlyIfPromised) {
  ToyLayer toy = layer();
  EXPECT_EQ(toy.router().has_student(), traits().has_student);
  for (const RouteMode mode : kAllModes) {
    EXPECT_EQ(toy.router().route(input_of(hidden(), mode)).student_T.defined(), traits().has_student);
  }
  if (!traits().has_student) return;
  RouterControls controls;
  controls.pinned = true;
  toy.router().apply(controls);
  for (const RouteMode mode : kAllModes) {
    const Routing routing = toy.router().route(input_of(hidden(), mode));
    EXPECT_TRUE(at::equal(routing.sparse()->expert_N, routing.student_T));
  }
}

TEST_P(Invariants, ScoresAreInnerProductsWithRowsExactlyIfPromised) {
  ToyLayer toy = layer();
  const auto space = toy.router().space(hidden());
  EXPECT_EQ(space.has_value(), traits().has_router_rows);
  EXPECT_EQ(toy.router().space_dim() > 0, traits().has_router_rows);
  if (!space) return;
  EXPECT_EQ(space->vectors_TR.sizes(), (at::IntArrayRef{kTokens, toy.router().space_dim()}));
  EXPECT_EQ(space->rows_ER.sizes(), (at::IntArrayRef{3, toy.router().space_dim()}));
  const at::Tensor scores_TE = toy.router().route(input_of(hidden(), RouteMode::kProbe)).scores_TE;
  const at::Tensor offset_TE = scores_TE.detach() - space->vectors_TR.mm(space->rows_ER.t());
  EXPECT_TRUE(close(offset_TE, offset_TE.narrow(0, 0, 1).expand_as(offset_TE), 1e-5)) << "up to a bias per expert";
}

TEST_P(Invariants, AReductionMakesTheSpaceThreeDimensional) {
  if (!test::has_field(method(), "router_dim")) GTEST_SKIP() << "has no router_dim";
  ToyShape toy_shape = shape();
  toy_shape.settings["router_dim"] = std::int64_t{3};
  ToyLayer toy = layer(toy_shape);
  EXPECT_EQ(toy.router().space_dim(), 3);
  total_loss(toy.layer->forward(input_of(hidden()))).backward();
  EXPECT_GT(toy.gradient("moe.1.router.reduce").abs().sum().item<double>(), 0);
}

TEST_P(Invariants, TheProbeSeesTheChoiceOfTrainingWithoutNoiseAndCapacity) {
  ToyLayer toy = layer(quiet_shape());
  EXPECT_EQ(toy.router().capacity(kTokens, RouteMode::kProbe).slots, 0);
  const Routing train = toy.router().route(input_of(hidden(), RouteMode::kTrain));
  const Routing probe = toy.router().route(input_of(hidden(), RouteMode::kProbe));
  if (train.sparse() == nullptr) GTEST_SKIP() << "is a soft mixture";
  EXPECT_TRUE(at::equal(train.sparse()->expert_N, probe.sparse()->expert_N));
  EXPECT_TRUE(probe.losses.empty());
}

TEST_P(Invariants, LiveFieldsTakeValuesAndOthersRefuse) {
  ToyLayer toy = layer();
  for (const config::FieldSpec& spec : method().info.router.fields) {
    const std::string reply = toy.router().set(spec.key, spec.default_value);
    EXPECT_EQ(reply, spec.live ? "" : "'" + spec.key + "' cannot change while running");
  }
  EXPECT_EQ(toy.router().set("no_such_key", 1.0), "this method's router has no field 'no_such_key'");
  const auto& fields = method().info.router.fields;
  const bool live_top_k = std::any_of(fields.begin(), fields.end(),
                                      [](const config::FieldSpec& one) { return one.key == "top_k" && one.live; });
  if (!live_top_k || method().info.id == "xmoe") return;  // X-MoE takes 1 or 2, whatever the number of experts
  EXPECT_EQ(toy.router().set("top_k", std::int64_t{4}), "'top_k' is 4, but this layer has 3 experts");
  EXPECT_EQ(toy.router().set("top_k", std::int64_t{3}), "");
  EXPECT_EQ(toy.router().top_k(), 3);
}

TEST_P(Invariants, WhatIsKnownWithoutTorchIsComplete) {
  const config::MethodInfo& info = method().info;
  EXPECT_FALSE(info.title.empty());
  EXPECT_FALSE(info.summary.empty());
  EXPECT_FALSE(info.paper.empty());
  EXPECT_EQ(info.router.section, "moe.router");
  ASSERT_GE(info.stages.size(), 1u);
  EXPECT_EQ(info.stages.size() > 1, !info.stage_schedule.fields.empty());
  EXPECT_EQ(info.stages.size() > 1, static_cast<bool>(method().stage_due));
  const auto fields = config::run_fields(info);
  for (const auto& [key, value] : info.defaults) {
    ASSERT_TRUE(fields.contains(key)) << key;
    EXPECT_EQ(config::check_value(fields.at(key), value), "");
  }
}

std::vector<std::string> ids() {
  std::vector<std::string> all;
  for (const Method& method : methods()) all.push_back(method.info.id);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Methods, Invariants, testing::ValuesIn(ids()),
                         [](const testing::TestParamInfo<std::string>& instance) { return instance.param; });

}  // namespace
}  // namespace moescope::moe
