// Promises that need more than one layer call: what leaks where, both code paths, one and two threads, weights that
// stay while others move. Over every registered method, unasked, as invariants_test.cpp.

#include <algorithm>
#include <cmath>

#include "core/base/seed.h"
#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::ToyLayer;
using test::ToyShape;

constexpr std::int64_t kSequences = 4, kLength = 6, kTokens = kSequences * kLength;

class Promises : public testing::TestWithParam<std::string> {
 protected:
  const Method& method() const { return *find_method(GetParam()); }
  const config::Traits& traits() const { return method().info.traits; }

  ToyLayer layer(double capacity_factor = 0) const {
    ToyShape toy;
    toy.capacity_factor = capacity_factor;
    ToyLayer made(method(), toy);
    test::randomise(made.parameters);
    made.router().begin_step(0);
    return made;
  }
  static at::Tensor ids() { return at::arange(kTokens, at::kLong).remainder(7).reshape({kSequences, kLength}); }
  static RouterInput input(const at::Tensor& hidden_TD, RouteMode mode) { return {hidden_TD, ids(), mode, 5}; }

  /// Changes tokens for which `changed` holds in many ways; the largest effect on tokens for which `watched` holds.
  template <class Changed, class Watched>
  double largest_effect(RouteMode mode, Changed changed, Watched watched) const {
    ToyLayer toy = layer();
    const at::Tensor hidden_TD = test::draws({kTokens, 4}, 31);
    const at::Tensor before_TD = toy.layer->forward(input(hidden_TD, mode)).delta_TD.detach();
    double largest = 0;
    for (std::uint64_t attempt = 0; attempt < 12; ++attempt) {
      at::Tensor other_TD = hidden_TD.clone();
      const at::Tensor fresh_TD = test::draws({kTokens, 4}, 100 + attempt) * 3;
      for (std::int64_t t = 0; t < kTokens; ++t) {
        if (changed(t / kLength, t % kLength)) other_TD[t].copy_(fresh_TD[t]);
      }
      const at::Tensor after_TD = toy.layer->forward(input(other_TD, mode)).delta_TD.detach();
      for (std::int64_t t = 0; t < kTokens; ++t) {
        if (!watched(t / kLength, t % kLength)) continue;
        largest = std::max(largest, (after_TD[t] - before_TD[t]).abs().max().item<double>());
      }
    }
    return largest;
  }
};

constexpr double kNoEffect = 1e-5, kEffect = 1e-3;

TEST_P(Promises, ALaterTokenReachesEarlierOnesExactlyIfSaid) {  // with room for all: see Traits::causal
  const auto later = [](std::int64_t, std::int64_t position) { return position >= 4; };
  const auto earlier = [](std::int64_t, std::int64_t position) { return position < 4; };
  const double training = largest_effect(RouteMode::kTrain, later, earlier);
  const double evaluation = largest_effect(RouteMode::kEvaluate, later, earlier);
  if (traits().causal) {
    EXPECT_LE(training, kNoEffect);
  } else {
    EXPECT_GE(training, kEffect) << "says that it looks ahead, and does not";
  }
  if (traits().causal_evaluation) {
    EXPECT_LE(evaluation, kNoEffect);
  } else {
    EXPECT_GE(evaluation, kEffect) << "says that it looks ahead at evaluation, and does not";
  }
}

TEST_P(Promises, AnotherSequenceReachesThisOneExactlyIfSaid) {
  const auto others = [](std::int64_t sequence, std::int64_t) { return sequence != 1; };
  const auto own = [](std::int64_t sequence, std::int64_t) { return sequence == 1; };
  const double effect = largest_effect(RouteMode::kTrain, others, own);
  if (traits().mixes_sequences) {
    EXPECT_GE(effect, kEffect) << "says that it mixes sequences, and does not";
  } else {
    EXPECT_LE(effect, kNoEffect);
  }
}

TEST_P(Promises, KernelsAndPlainLibTorchAgree) {
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
    ToyLayer in32 = layer(), in64 = layer();
    test::to_double(in64.parameters);
    const at::Tensor hidden_TD = test::draws({kTokens, 4}, 31);
    // A draw of numbers differs by type, so the same ones are handed to both.
    GivenDraws draws;
    RouterInput asks = input(hidden_TD, mode);
    asks.draws = &draws;
    static_cast<void>(in32.router().route(asks));
    for (const auto& [name, shape] : draws.asked) {
      const bool index = name == "expert" || name == "experts";
      at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(17);
      draws.by_name[name] = index ? at::randint(3, shape, generator, at::TensorOptions().dtype(at::kLong))
                                  : at::rand(shape, generator, at::TensorOptions().dtype(at::kFloat));
    }
    RouterInput first = asks, second = input(hidden_TD.to(at::kDouble), mode);
    second.draws = &draws;
    const MoeOutput a = in32.layer->forward(first), b = in64.layer->forward(second);
    EXPECT_TRUE(close(a.delta_TD, b.delta_TD, 2e-5));
    EXPECT_TRUE(close(a.record.load_E, b.record.load_E, 1e-4));
    ASSERT_EQ(a.record.routing.losses.size(), b.record.routing.losses.size());
    for (std::size_t i = 0; i < a.record.routing.losses.size(); ++i) {
      EXPECT_NEAR(a.record.routing.losses[i].value.item<double>(), b.record.routing.losses[i].value.item<double>(),
                  2e-5)
          << a.record.routing.losses[i].name;
    }
    EXPECT_EQ(b.delta_TD.scalar_type(), at::kDouble) << "fp64 stays fp64";
  }
}

TEST_P(Promises, TwoThreadsGiveTheBitsOfOne) {
  ToyShape toy;
  toy.d_model = 32;
  toy.hidden = 64;
  const at::Tensor hidden_TD = test::draws({1024, 32}, 3);
  const at::Tensor token_id_BL = at::arange(1024, at::kLong).remainder(7).reshape({8, 128});
  std::vector<at::Tensor> delta, grad;
  bool mixture = false;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    ToyLayer made(method(), toy);
    made.router().begin_step(0);
    const at::Tensor leaf_TD = hidden_TD.clone().requires_grad_();
    const MoeOutput output = made.layer->forward({leaf_TD, token_id_BL, RouteMode::kTrain, 5});
    (output.delta_TD.square().sum() + test::auxiliary_total(output.record.routing, output.delta_TD)).backward();
    mixture = output.record.routing.sparse() == nullptr;
    delta.push_back(output.delta_TD.detach());
    grad.push_back(leaf_TD.grad());
  }
  at::set_num_threads(1);
  if (mixture) {  // sums over many tokens are split among threads
    EXPECT_TRUE(close(delta[0], delta[1], 1e-5));
    EXPECT_TRUE(close(grad[0], grad[1], 1e-3));
    return;
  }
  EXPECT_TRUE(test::same_bits(delta[0], delta[1]));
  EXPECT_TRUE(test::same_bits(grad[0], grad[1]));
}

TEST_P(Promises, WhatIsFixedOrFrozenKeepsItsBits) {
  ToyLayer toy = layer();
  std::vector<Parameter> fixed;
  for (const Parameter& one : toy.router().parameters()) {
    if (one.fixed) fixed.push_back(one);
  }
  const std::uint64_t before = checksum(fixed);
  RouterControls controls;
  for (int round = 0; round < 2; ++round) {
    controls.frozen = round == 1;
    toy.router().apply(controls);
    const std::uint64_t router = checksum(toy.router().parameters());
    std::vector<at::Tensor> state;
    for (const NamedTensor& one : toy.router().state()) state.push_back(one.tensor.clone());
    for (std::int64_t step = 0; step < 5; ++step) {
      toy.router().begin_step(step);
      MoeOutput output = toy.layer->forward(
          input(test::draws({kTokens, 4}, 40 + static_cast<std::uint64_t>(step)), RouteMode::kTrain));
      const at::Tensor total =
          output.delta_TD.square().sum() + test::auxiliary_total(output.record.routing, output.delta_TD);
      total.backward();
      for (Parameter& one : toy.parameters.all()) {
        if (!one.tensor.requires_grad() || !one.tensor.grad().defined()) continue;
        one.tensor.detach().sub_(one.tensor.grad(), 0.001);
        one.tensor.mutable_grad().reset();
      }
      std::vector<LayerRecord> records;
      records.push_back(std::move(output.record));
      toy.router().after_step(records, 0);
    }
    EXPECT_EQ(checksum(fixed), before);
    if (!controls.frozen) continue;
    EXPECT_EQ(checksum(toy.router().parameters()), router);
    const std::vector<NamedTensor> after = toy.router().state();
    for (std::size_t i = 0; i < state.size(); ++i) EXPECT_TRUE(at::equal(after[i].tensor, state[i])) << after[i].name;
  }
}

TEST_P(Promises, StateGoesOutAndComesBack) {
  ToyLayer first = layer(), second = layer();
  for (const NamedTensor& one : first.router().state()) {
    if (at::isFloatingType(one.tensor.scalar_type())) one.tensor.add_(0.125);
    EXPECT_EQ(second.router().restore(one.name, one.tensor), "");
    EXPECT_NE(second.router().restore(one.name, at::zeros({3, 5, 7})), "") << "another shape";
  }
  EXPECT_NE(second.router().restore("no_such_state", at::zeros({1})), "");
  const std::vector<NamedTensor> a = first.router().state(), b = second.router().state();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i].tensor, b[i].tensor)) << a[i].name;
}

TEST_P(Promises, PaddingTakesNoPart) {
  if (traits().mixes_sequences || !traits().causal) GTEST_SKIP() << "a token's output depends on the others";
  // Three real tokens of each sequence, alone and beside padding.
  const at::Tensor hidden_TD = test::draws({kSequences * 3, 4}, 8);
  at::Tensor padded_BL = at::full({kSequences, kLength}, 6, at::kLong);
  padded_BL.narrow(1, 0, 3).copy_(ids().narrow(1, 0, 3));
  const at::Tensor cell_T =
      (at::arange(kSequences, at::kLong).unsqueeze(1) * kLength + at::arange(3, at::kLong)).reshape({-1});
  if (traits().draws_evaluation) GTEST_SKIP() << "its draws may go by the place in the batch";
  ToyLayer toy = layer();
  for (const RouteMode mode : {RouteMode::kEvaluate, RouteMode::kProbe}) {
    const at::Tensor alone = toy.layer->forward({hidden_TD, ids().narrow(1, 0, 3).contiguous(), mode, 5}).delta_TD;
    const at::Tensor beside = toy.layer->forward({hidden_TD, padded_BL, mode, 5, cell_T}).delta_TD;
    EXPECT_TRUE(close(alone, beside, 1e-6));
  }
}

TEST_P(Promises, AnyChoicePerTokenCanBePinned) {
  ToyLayer toy = layer();
  const at::Tensor order_VE = at::tensor({2, 0, 1}, at::kLong).repeat({7, 1});
  EXPECT_EQ(toy.router().adopt_table(order_VE), traits().token_choice && !traits().has_student);
  if (!toy.router().has_table()) return;
  RouterControls controls;
  controls.pinned = true;
  toy.router().apply(controls);
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
    const MoeOutput output = toy.layer->forward(input(test::draws({kTokens, 4}, 9), mode));
    const at::Tensor first_T = output.record.routing.sparse()->expert_N.narrow(0, 0, kTokens);
    EXPECT_TRUE(first_T.eq(2).all().item<bool>());
    EXPECT_TRUE(at::equal(output.record.routing.student_T, first_T));
  }
}

std::vector<std::string> ids_of_methods() {
  std::vector<std::string> all;
  for (const Method& method : methods()) all.push_back(method.info.id);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Methods, Promises, testing::ValuesIn(ids_of_methods()),
                         [](const testing::TestParamInfo<std::string>& instance) { return instance.param; });

}  // namespace
}  // namespace moescope::moe
