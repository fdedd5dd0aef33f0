#include "core/moe/parameter.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;

at::Tensor add(ParameterSet& set, const std::string& name, const std::vector<std::int64_t>& shape, Init init) {
  return set.add(name, shape, init, ParameterRole::kRouter);
}

TEST(ParameterSet, DrawsDependOnSeedAndNameOnly) {
  ParameterSet alone(3);
  ParameterSet after_others(3);
  ParameterSet other_seed(4);
  add(after_others, "first", {8}, Init::normal(1));
  const at::Tensor expected = add(alone, "w", {5, 4}, Init::normal(1));
  EXPECT_TRUE(test::same_bits(add(after_others, "w", {5, 4}, Init::normal(1)), expected));
  EXPECT_FALSE(test::same_bits(add(other_seed, "w", {5, 4}, Init::normal(1)), expected));
  EXPECT_FALSE(test::same_bits(add(alone, "v", {5, 4}, Init::normal(1)), expected));
}

TEST(ParameterSet, OrthogonalHasOrthonormalRowsOrColumnsTimesGain) {
  ParameterSet set(1);
  const at::Tensor wide = add(set, "wide", {3, 7}, Init::orthogonal(0.1));
  const at::Tensor tall = add(set, "tall", {7, 3}, Init::orthogonal(2));
  EXPECT_TRUE(close(wide.mm(wide.t()), at::eye(3) * 0.01, 1e-7));
  EXPECT_TRUE(close(tall.t().mm(tall), at::eye(3) * 4, 1e-5));
}

TEST(ParameterSet, OrthogonalSignsAreFair) {
  ParameterSet set(1);
  double sum = 0;
  for (int i = 0; i < 400; ++i) {
    sum += add(set, std::to_string(i), {3, 3}, Init::orthogonal(1))[0][0].sign().item<double>();
  }
  EXPECT_NEAR(sum / 400, 0, 0.2);  // without the sign fix Householder reflections make it −1 always
}

TEST(ParameterSet, TruncatedNormalStopsAtTwoDeviations) {
  ParameterSet set(1);
  const at::Tensor drawn = add(set, "w", {20000}, Init::truncated_normal(0.5));
  EXPECT_LE(drawn.abs().max().item<double>(), 1.0 + 1e-6);
  EXPECT_NEAR(drawn.std().item<double>(), 0.5 * 0.8796, 0.01);  // of a normal cut at two deviations
  EXPECT_NEAR(drawn.mean().item<double>(), 0, 0.02);
}

TEST(ParameterSet, UniformStaysWithinItsBound) {
  ParameterSet set(1);
  const at::Tensor drawn = add(set, "w", {5000}, Init::uniform(0.25));
  EXPECT_LE(drawn.abs().max().item<double>(), 0.25);
  EXPECT_NEAR(drawn.std().item<double>(), 0.25 / std::sqrt(3.0), 0.01);
}

TEST(ParameterSet, FixedParametersNeverAskForAGradient) {
  ParameterSet set(1);
  EXPECT_TRUE(add(set, "trained", {2}, Init::zeros()).requires_grad());
  EXPECT_FALSE(set.add("fixed", {2}, Init::ones(), ParameterRole::kRouter, -1, true).requires_grad());
}

TEST(ParameterSet, PrefixFindsItsOwn) {
  ParameterSet set(1);
  add(set, "moe.1.router.rows", {2}, Init::zeros());
  add(set, "moe.10.router.rows", {2}, Init::zeros());
  EXPECT_EQ(set.with_prefix("moe.1.").size(), 1u);
}

TEST(Checksum, SeesASingleBit) {
  ParameterSet set(1);
  const at::Tensor tensor = add(set, "w", {100}, Init::normal(1));
  const std::uint64_t before = checksum(set.all());
  EXPECT_EQ(checksum(set.all()), before);
  float& last = tensor.detach().mutable_data_ptr<float>()[99];
  last = std::nextafter(last, 10.0f);
  EXPECT_NE(checksum(set.all()), before);
}

}  // namespace
}  // namespace moescope::moe
