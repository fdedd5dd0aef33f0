#include "core/model/feed_forward.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <cmath>

namespace moescope::model {

FeedForward::FeedForward(const std::string& prefix, int d_model, double out_scale, moe::ParameterSet& parameters) {
  using moe::Init;
  const auto role = moe::ParameterRole::kBackbone;
  const int hidden = 4 * d_model;
  // √2: a relu passes half of the variance on.
  const double in_deviation = std::sqrt(2.0 / d_model), out_deviation = out_scale / std::sqrt(double(hidden));
  w1_ = parameters.add(prefix + ".w1", {hidden, d_model}, Init::normal(in_deviation), role);
  b1_ = parameters.add(prefix + ".b1", {hidden}, Init::zeros(), role, -1, false, false);
  w2_ = parameters.add(prefix + ".w2", {d_model, hidden}, Init::normal(out_deviation), role);
  b2_ = parameters.add(prefix + ".b2", {d_model}, Init::zeros(), role, -1, false, false);
}

at::Tensor FeedForward::forward(const at::Tensor& x_TD) const {
  return at::linear(at::relu(at::linear(x_TD, w1_, b1_)), w2_, b2_);
}

}  // namespace moescope::model
