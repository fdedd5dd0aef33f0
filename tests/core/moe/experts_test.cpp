#include "core/moe/experts.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;

at::Tensor parameter(const ParameterSet& set, const std::string& name) {
  const std::vector<Parameter> found = set.with_prefix(name);
  EXPECT_EQ(found.size(), 1u) << name;
  return found.empty() ? at::Tensor() : found[0].tensor;
}

at::Tensor plain(const ParameterSet& set, const std::string& name, const at::Tensor& rows_MD) {
  const at::Tensor inner = at::relu(at::linear(rows_MD, parameter(set, name + ".w1"), parameter(set, name + ".b1")));
  return at::linear(inner, parameter(set, name + ".w2"), parameter(set, name + ".b2"));
}

TEST(Experts, EachExpertSeesItsOwnRows) {
  ParameterSet set(2);
  const Experts experts({ExpertKind::kPlain, 3, 4, 6, 1}, "moe.2", set);
  const at::Tensor rows_MD = test::draws({7, 4}, 1);
  const at::Tensor out_MD = experts.forward(rows_MD, {0, 3, 3, 7});
  EXPECT_TRUE(test::same_bits(out_MD.narrow(0, 0, 3), plain(set, "moe.2.expert.0", rows_MD.narrow(0, 0, 3))));
  EXPECT_TRUE(test::same_bits(out_MD.narrow(0, 3, 4), plain(set, "moe.2.expert.2", rows_MD.narrow(0, 3, 4))));
}

TEST(Experts, AnIdleExpertGetsNoGradient) {
  ParameterSet set(2);
  const Experts experts({ExpertKind::kResidual, 3, 4, 6, 2}, "moe.1", set);
  test::randomise(set);
  experts.forward(test::draws({7, 4}, 1), {0, 3, 3, 7}).sum().backward();
  for (const Parameter& one : set.all()) {
    EXPECT_EQ(one.tensor.grad().defined(), one.expert != 1) << one.name;
    EXPECT_EQ(one.role, ParameterRole::kExpert);
  }
}

TEST(Experts, AFreshResidualExpertIsTheIdentityPlusASmallConstant) {
  ParameterSet set(2);
  const Experts experts({ExpertKind::kResidual, 1, 4, 6, 1}, "moe.1", set);
  const at::Tensor out_MD = experts.forward(test::draws({5, 4}, 1), {0, 5});
  EXPECT_TRUE(test::same_bits(out_MD, parameter(set, "moe.1.expert.0.b2").expand({5, 4})));
  EXPECT_LE(out_MD.abs().max().item<double>(), 1 / std::sqrt(6.0));
  EXPECT_GT(out_MD.abs().max().item<double>(), 0);
}

TEST(Experts, ResidualSublayersStackAndTheirIncrementsAreSummed) {
  ParameterSet set(2);
  const Experts experts({ExpertKind::kResidual, 1, 4, 6, 3}, "moe.1", set);
  test::randomise(set);
  const at::Tensor rows_MD = test::draws({5, 4}, 1);
  at::Tensor state_MD = rows_MD;
  for (int depth = 0; depth < 3; ++depth) {
    const std::string name = "moe.1.expert.0.sublayer." + std::to_string(depth);
    const at::Tensor normed_MD =
        at::layer_norm(state_MD, {4}, parameter(set, name + ".norm.weight"), parameter(set, name + ".norm.bias"), 1e-5);
    state_MD = state_MD + plain(set, name, normed_MD);
  }
  EXPECT_TRUE(close(experts.forward(rows_MD, {0, 5}), state_MD - rows_MD, 1e-5));
}

TEST(Experts, NoRowsAtAllIsFine) {
  ParameterSet set(2);
  const Experts experts({ExpertKind::kPlain, 2, 4, 6, 1}, "moe.1", set);
  EXPECT_EQ(experts.forward(at::empty({0, 4}), {0, 0, 0}).sizes(), (at::IntArrayRef{0, 4}));
}

TEST(Experts, AFrozenExpertStopsAndTheOthersGoOn) {
  ParameterSet set(2);
  Experts experts({ExpertKind::kPlain, 2, 4, 6, 1}, "moe.1", set);
  experts.set_frozen(1, true);
  const at::Tensor hidden_TD = test::draws({4, 4}, 1).requires_grad_();
  experts.forward(hidden_TD, {0, 2, 4}).sum().backward();
  for (const Parameter& one : set.all()) EXPECT_EQ(one.tensor.grad().defined(), one.expert == 0) << one.name;
  EXPECT_GT(hidden_TD.grad().narrow(0, 2, 2).abs().sum().item<double>(), 0);  // it still passes gradients on
  experts.set_frozen(1, false);
  EXPECT_TRUE(parameter(set, "moe.1.expert.1.w1").requires_grad());
}

TEST(Experts, TheSharedOneIsTheBackbonesAndMovesNoOther) {
  for (const ExpertKind kind : {ExpertKind::kPlain, ExpertKind::kResidual}) {
    ParameterSet with(2), without(2);
    ExpertShape shape{kind, 3, 4, 6, 1};
    const Experts routed(shape, "moe.1", without);
    EXPECT_FALSE(routed.has_shared());
    shape.shared = true;
    Experts experts(shape, "moe.1", with);
    ASSERT_TRUE(experts.has_shared());
    EXPECT_EQ(experts.num_experts(), 3);
    for (const Parameter& one : without.all()) EXPECT_TRUE(test::same_bits(parameter(with, one.name), one.tensor));
    const std::vector<Parameter> shared = with.with_prefix("moe.1.shared.");
    EXPECT_EQ(shared.size(), kind == ExpertKind::kPlain ? 4u : 6u);
    for (const Parameter& one : shared) EXPECT_EQ(one.role, ParameterRole::kBackbone) << one.name;
    const at::Tensor rows_MD = test::draws({7, 4}, 1);
    EXPECT_EQ(experts.forward_shared(rows_MD).sizes(), rows_MD.sizes());
    if (kind == ExpertKind::kPlain) {
      EXPECT_TRUE(test::same_bits(experts.forward_shared(rows_MD), plain(with, "moe.1.shared", rows_MD)));
    }
  }
}

}  // namespace
}  // namespace moescope::moe
