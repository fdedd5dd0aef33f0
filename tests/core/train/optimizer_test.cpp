#include "core/train/optimizer.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace moescope {
namespace {

using moe::Init;
using moe::ParameterRole;
using train::AdamW;
using train::OptimizerSettings;

OptimizerSettings plain() {
  OptimizerSettings settings;
  settings.weight_decay = 0.1;
  settings.grad_clip = 0;
  settings.beta1 = 0.9;
  settings.beta2 = 0.999;
  return settings;
}

at::Tensor gradient(const at::Tensor& like, double value) { return at::full(like.sizes(), value, at::kFloat); }

TEST(AdamW, FirstStepsAreThoseOfThePaper) {
  moe::ParameterSet parameters(1);
  at::Tensor w = parameters.add("w", {3}, Init::ones(), ParameterRole::kBackbone);
  AdamW optimizer(parameters, plain());
  double value = 1, mean = 0, square = 0;
  for (int t = 1; t <= 4; ++t) {
    const double g = 0.5 * t;
    w.mutable_grad() = gradient(w, g);
    EXPECT_NEAR(optimizer.step(0.01), g * std::sqrt(3.0), 1e-6);
    mean = 0.9 * mean + 0.1 * g;
    square = 0.999 * square + 0.001 * g * g;
    value -= 0.01 * 0.1 * value;
    value -= 0.01 * (mean / (1 - std::pow(0.9, t))) / (std::sqrt(square / (1 - std::pow(0.999, t))) + 1e-8);
    EXPECT_NEAR(w.select(0, 0).item<double>(), value, 1e-6);
  }
}

TEST(AdamW, ClippingTheNormEqualsScalingTheGradients) {
  moe::ParameterSet clipped(1), scaled(1);
  at::Tensor a = clipped.add("w", {4}, Init::ones(), ParameterRole::kBackbone);
  at::Tensor b = scaled.add("w", {4}, Init::ones(), ParameterRole::kBackbone);
  OptimizerSettings settings = plain();
  settings.epsilon = 1;  // so that the scale of the gradient shows
  AdamW without(scaled, settings);
  settings.grad_clip = 1.5;
  AdamW with(clipped, settings);
  a.mutable_grad() = gradient(a, 3);
  b.mutable_grad() = gradient(b, 3 * 1.5 / 6);  // norm of (3, 3, 3, 3) is 6
  EXPECT_NEAR(with.step(0.1), 6, 1e-6);
  without.step(0.1);
  EXPECT_TRUE(at::allclose(a, b));
}

TEST(AdamW, DecaysOnlyWhatIsMarked) {
  moe::ParameterSet parameters(1);
  at::Tensor weight = parameters.add("weight", {2}, Init::ones(), ParameterRole::kBackbone);
  at::Tensor bias = parameters.add("bias", {2}, Init::ones(), ParameterRole::kBackbone, -1, false, false);
  AdamW optimizer(parameters, plain());
  weight.mutable_grad() = gradient(weight, 0);
  bias.mutable_grad() = gradient(bias, 0);
  optimizer.step(0.5);
  EXPECT_NEAR(weight.select(0, 0).item<double>(), 0.95, 1e-6);
  EXPECT_EQ(bias.select(0, 0).item<double>(), 1.0);
}

TEST(AdamW, LeavesAParameterWithoutGradientAndItsStateAlone) {
  moe::ParameterSet parameters(1), reference(1);
  at::Tensor w = parameters.add("w", {2}, Init::normal(1), ParameterRole::kBackbone);
  at::Tensor r = reference.add("w", {2}, Init::normal(1), ParameterRole::kBackbone);
  AdamW optimizer(parameters, plain()), other(reference, plain());
  w.mutable_grad() = gradient(w, 1);
  r.mutable_grad() = gradient(r, 1);
  optimizer.step(0.01);
  other.step(0.01);
  const std::uint64_t before = moe::checksum(parameters.all());
  optimizer.clear_gradients();
  for (int i = 0; i < 10; ++i) optimizer.step(0.01);
  EXPECT_EQ(moe::checksum(parameters.all()), before) << "momentum and decay must wait";
  w.mutable_grad() = gradient(w, 2);
  r.mutable_grad() = gradient(r, 2);
  optimizer.step(0.01);
  other.step(0.01);
  EXPECT_EQ(moe::checksum(parameters.all()), moe::checksum(reference.all())) << "as if the ten steps had not been";
}

TEST(AdamW, NamesAGradientThatIsNotFiniteAndWritesNothing) {
  moe::ParameterSet parameters(1);
  at::Tensor good = parameters.add("good", {2}, Init::ones(), ParameterRole::kBackbone);
  at::Tensor bad = parameters.add("moe.1.expert.0.w1", {2}, Init::ones(), ParameterRole::kExpert, 0);
  AdamW optimizer(parameters, plain());
  good.mutable_grad() = gradient(good, 1);
  bad.mutable_grad() = gradient(bad, std::numeric_limits<double>::infinity());
  const std::uint64_t before = moe::checksum(parameters.all());
  try {
    optimizer.step(0.01);
    FAIL() << "an infinite gradient was accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "the gradient of 'moe.1.expert.0.w1' is not finite; nothing was updated. Lower train.lr or "
                 "train.grad_clip");
  }
  EXPECT_EQ(moe::checksum(parameters.all()), before);
}

}  // namespace
}  // namespace moescope
