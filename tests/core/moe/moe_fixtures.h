#pragma once
// What the tests of this room share: layers of any registered method at toy sizes, parameters set by hand, fp64, the
// the golden fixture F1, and a comparison that prints the largest difference and where it is.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/moe/method.h"
#include "core/moe/moe_layer.h"
#include "core/moe/objective.h"

namespace moescope::moe::test {

/// Toy tensors gain nothing from a second thread, and a spinning pool on a busy machine costs a factor of thirty.
inline const bool one_thread = (at::set_num_threads(1), true);

using SettingMap = std::map<std::string, config::Value>;

/// The defaults of a method's own section with some values changed.
inline SettingMap settings_with(const config::Schema& schema, const SettingMap& changes) {
  SettingMap settings;
  for (const config::FieldSpec& spec : schema.fields) {
    const auto change = changes.find(spec.key);
    settings[spec.key] = change == changes.end() ? spec.default_value : config::coerce(spec, change->second);
  }
  return settings;
}

inline bool has_field(const Method& method, const std::string& key) {
  for (const config::FieldSpec& spec : method.info.router.fields) {
    if (spec.key == key) return true;
  }
  return false;
}

struct ToyShape {
  int d_model = 4;
  int num_experts = 3;
  int hidden = 5;
  int vocab_size = 7;
  ExpertKind kind = ExpertKind::kPlain;
  int sublayers = 1;
  double capacity_factor = 0;
  SettingMap settings;
  std::string prefix = "moe.1";
};

/// Adds one layer of `method` to `parameters`, as the model does.
inline std::unique_ptr<MoeLayer> make_layer(const Method& method, const ToyShape& toy, ParameterSet& parameters) {
  config::RunConfig config;
  config.moe.method = method.info.id;
  config.moe.num_experts = toy.num_experts;
  config.router = settings_with(method.info.router, toy.settings);
  ExpertShape shape{toy.kind, toy.num_experts, toy.d_model, toy.hidden, toy.sublayers};
  if (method.shape_experts) method.shape_experts(config, shape);
  RouterContext context;
  context.prefix = toy.prefix + ".router";
  context.d_model = toy.d_model;
  context.num_experts = shape.num_experts;
  context.vocab_size = toy.vocab_size;
  context.capacity_factor = toy.capacity_factor;
  context.settings = config.router;
  auto router = method.make_router(context, parameters);
  return std::make_unique<MoeLayer>(std::move(router), Experts(shape, toy.prefix, parameters));
}

/// A layer with its parameters.
struct ToyLayer {
  ParameterSet parameters{7};
  std::unique_ptr<MoeLayer> layer;

  ToyLayer(const Method& method, const ToyShape& toy) { layer = make_layer(method, toy, parameters); }
  ToyLayer(const std::string& id, const ToyShape& toy) : ToyLayer(*find_method(id), toy) {}

  Router& router() { return layer->router(); }
  at::Tensor parameter(const std::string& name) const {
    for (const Parameter& one : parameters.all()) {
      if (one.name == name) return one.tensor;
    }
    ADD_FAILURE() << "no parameter " << name;
    return {};
  }
  at::Tensor gradient(const std::string& name) const { return parameter(name).grad(); }
};

inline void overwrite(const at::Tensor& parameter, const at::Tensor& values) {
  parameter.detach().copy_(values.reshape(parameter.sizes()));
}

/// Every parameter in fp64, in place: routers and experts hold the same tensors.
inline void to_double(ParameterSet& parameters) {
  for (Parameter& one : parameters.all()) one.tensor.set_data(one.tensor.detach().to(at::kDouble));
}

/// Every parameter drawn anew, so that nothing rests at a special start such as zero.
inline void randomise(ParameterSet& parameters, double deviation = 0.7) {
  std::uint64_t seed = 11;
  for (Parameter& one : parameters.all()) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(++seed);
    one.tensor.detach().normal_(0, deviation, generator);
  }
}

inline at::Tensor draws(const std::vector<std::int64_t>& shape, std::uint64_t seed, at::ScalarType type = at::kFloat) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kDouble)).to(type);
}

/// Token ids 0, 1, 2, … modulo the vocabulary, as one sequence.
inline at::Tensor token_ids(std::int64_t num_tokens, std::int64_t vocab_size = 7) {
  return at::arange(num_tokens, at::kLong).remainder(vocab_size).reshape({1, num_tokens});
}

inline RouterInput input_of(const at::Tensor& hidden_TD, RouteMode mode = RouteMode::kTrain, std::uint64_t seed = 5) {
  return {hidden_TD, token_ids(hidden_TD.size(0)), mode, seed};
}

/// Σ coefficient · loss over the auxiliary losses.
inline at::Tensor auxiliary_total(const Routing& routing, const at::Tensor& like) {
  at::Tensor total = at::zeros({}, like.options());
  for (const AuxiliaryLoss& loss : routing.losses) {
    if (loss.coefficient != 0) total = total + loss.coefficient * loss.value;
  }
  return total;
}

inline std::vector<std::int64_t> integers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kLong).contiguous().reshape({-1});
  return {flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel()};
}

inline std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous().reshape({-1});
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

inline at::Tensor matrix(std::vector<double> values, std::int64_t rows) {
  const at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<double>());
  return rows == 0 ? tensor : tensor.reshape({rows, -1});
}

/// Names the largest difference and its place in the flattened tensor.
inline testing::AssertionResult close(const at::Tensor& actual, const at::Tensor& expected, double tolerance) {
  if (actual.sizes() != expected.sizes()) return testing::AssertionFailure() << "shapes differ";
  if (actual.numel() == 0) return testing::AssertionSuccess();
  const at::Tensor difference =
      (actual.detach().to(at::kDouble) - expected.detach().to(at::kDouble)).abs().reshape({-1});
  const double largest = difference.max().item<double>();
  if (largest <= tolerance) return testing::AssertionSuccess();  // false for NaN too
  const auto place = difference.argmax().item<std::int64_t>();
  return testing::AssertionFailure() << "largest difference " << largest << " at " << place << ": "
                                     << numbers(actual)[static_cast<std::size_t>(place)] << " against "
                                     << numbers(expected)[static_cast<std::size_t>(place)];
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) { return at::equal(a, b); }

/// Fixture F1: six tokens in the plane, three router rows, experts f_i(h) = (i+1)·h. No ties.
namespace f1 {

inline constexpr std::int64_t kTokens = 6;

inline at::Tensor hidden_TD() { return matrix({1, 0, 0, 1, 1, 0.5, -1, 2, 2, 0, -2, 0.5}, kTokens); }
inline at::Tensor rows_ER() { return matrix({1, 0, 0, 1, -1, 0.25}, 3); }
inline at::Tensor scores_TE() { return hidden_TD().mm(rows_ER().t()); }

inline ToyShape shape() {
  ToyShape toy;
  toy.d_model = 2;
  toy.hidden = 4;
  return toy;
}

/// A layer whose router rows and experts are F1's, in fp64. relu(h) − relu(−h) = h makes a plain expert linear.
inline ToyLayer layer(const std::string& method, const ToyShape& toy = shape()) {
  ToyLayer made(method, toy);
  to_double(made.parameters);
  overwrite(made.parameter("moe.1.router.rows"), rows_ER());
  for (int e = 0; e < 3; ++e) {
    const std::string name = "moe.1.expert." + std::to_string(e);
    const at::Tensor identity = at::eye(2, at::kDouble);
    overwrite(made.parameter(name + ".w1"), at::cat({identity, -identity}, 0));
    overwrite(made.parameter(name + ".w2"), at::cat({identity, -identity}, 1) * (e + 1));
    made.parameter(name + ".b1").detach().zero_();
    made.parameter(name + ".b2").detach().zero_();
  }
  return made;
}

inline RouterInput input(RouteMode mode = RouteMode::kTrain) { return input_of(hidden_TD(), mode); }

}  // namespace f1
}  // namespace moescope::moe::test
