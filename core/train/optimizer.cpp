#include "core/train/optimizer.h"

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace moescope::train {

namespace {

/// Σ x² in double with eight independent sums, so that it is fast, exact enough and the same every time.
double sum_of_squares(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  const float* x = flat.const_data_ptr<float>();
  const std::int64_t n = flat.numel();
  std::array<double, 8> lane{};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) {
      const double value = x[i + static_cast<std::int64_t>(j)];
      lane[j] += value * value;
    }
  }
  for (; i < n; ++i) lane[0] += static_cast<double>(x[i]) * x[i];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

}  // namespace

AdamW::AdamW(moe::ParameterSet& parameters, const OptimizerSettings& settings)
    : parameters_(parameters), settings_(settings) {
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (parameter.fixed) continue;
    const at::Tensor value = parameter.tensor.detach();
    moments_[parameter.name] = {at::zeros_like(value), at::zeros_like(value), at::zeros({}, value.options())};
  }
}

void AdamW::clear_gradients() {
  for (moe::Parameter& parameter : parameters_.all()) parameter.tensor.mutable_grad().reset();
}

double AdamW::gradient_norm() const {
  double sum = 0;
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (!parameter.tensor.grad().defined()) continue;
    const double own = sum_of_squares(parameter.tensor.grad());
    if (!std::isfinite(own)) {
      throw std::runtime_error("the gradient of '" + parameter.name +
                               "' is not finite; nothing was updated. Lower train.lr or train.grad_clip");
    }
    sum += own;
  }
  return std::sqrt(sum);
}

AdamW::Lists AdamW::gather(bool decayed) {
  Lists lists;
  for (moe::Parameter& parameter : parameters_.all()) {
    if (parameter.decayed != decayed || !parameter.tensor.grad().defined()) continue;
    Moments& own = moments_.at(parameter.name);
    *own.count.mutable_data_ptr<float>() += 1;
    lists.value.push_back(parameter.tensor);
    lists.gradient.push_back(parameter.tensor.grad());
    lists.mean.push_back(own.mean);
    lists.square.push_back(own.square);
    lists.count.push_back(own.count);
  }
  return lists;
}

void AdamW::update(const Lists& lists, double lr, double weight_decay, const at::Tensor& gradient_divisor) {
  if (lists.value.empty()) return;
  at::_fused_adamw_(lists.value, lists.gradient, lists.mean, lists.square, {}, lists.count, lr, settings_.beta1,
                    settings_.beta2, weight_decay, settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false,
                    gradient_divisor.defined() ? std::optional<at::Tensor>(gradient_divisor) : std::nullopt);
}

double AdamW::step(double lr) {
  const c10::AutoGradMode no_gradient(false);
  const double norm = gradient_norm();
  // The fused operation divides gradients by this while it reads them: clipping costs no pass of its own.
  at::Tensor divisor;
  if (settings_.grad_clip > 0 && norm > settings_.grad_clip) {
    divisor = at::scalar_tensor(norm / settings_.grad_clip, at::kFloat);
  }
  update(gather(true), lr, settings_.weight_decay, divisor);
  update(gather(false), lr, 0, divisor);
  return norm;
}

}  // namespace moescope::train
