#include "core/moe/router.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <stdexcept>

#include "core/base/seed.h"
#include "core/base/text.h"

namespace moescope::moe {
namespace {

/// Each name draws from a generator of its own, so that a method with two draws keeps them apart.
at::Generator generator_of(const RouterInput& input, const std::string& name) {
  return at::make_generator<at::CPUGeneratorImpl>(derive_seed(input.noise_seed, name));
}

/// Undefined when it was not given.
at::Tensor given_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape) {
  if (input.draws == nullptr) return {};
  input.draws->asked[name] = shape.vec();
  const auto found = input.draws->by_name.find(name);
  if (found == input.draws->by_name.end()) return {};
  if (found->second.sizes() != shape) {
    throw std::runtime_error("the draw '" + name + "' has the shape " + c10::str(found->second.sizes()) +
                             ", needed is " + c10::str(shape));
  }
  return found->second.to(input.hidden_TD.device());
}

at::Tensor empty_like_hidden(const RouterInput& input, at::IntArrayRef shape) {
  return at::empty(shape, input.hidden_TD.options().device(at::kCPU));
}

}  // namespace

at::Tensor token_id_T(const RouterInput& input) {
  const at::Tensor flat = input.token_id_BL.reshape({-1});
  return input.cell_T.defined() ? flat.index_select(0, input.cell_T) : flat;
}

at::Tensor cells_T(const RouterInput& input) {
  if (input.cell_T.defined()) return input.cell_T;
  return at::arange(input.hidden_TD.size(0), input.hidden_TD.options().dtype(at::kLong));
}

at::Tensor uniform_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape) {
  const at::Tensor given = given_draw(input, name, shape);
  if (given.defined()) return given.to(input.hidden_TD.scalar_type());
  return empty_like_hidden(input, shape).uniform_(0, 1, generator_of(input, name)).to(input.hidden_TD.device());
}

at::Tensor normal_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape) {
  const at::Tensor given = given_draw(input, name, shape);
  if (given.defined()) return given.to(input.hidden_TD.scalar_type());
  return empty_like_hidden(input, shape).normal_(0, 1, generator_of(input, name)).to(input.hidden_TD.device());
}

at::Tensor index_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape, std::int64_t bound) {
  const at::Tensor given = given_draw(input, name, shape);
  if (given.defined()) return given.to(at::kLong);
  const at::Tensor drawn = at::empty(shape, at::kLong);
  SeededWords words(derive_seed(input.noise_seed, name));
  std::int64_t* index = drawn.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < drawn.numel(); ++i) {
    index[i] = static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(bound)));
  }
  return drawn.to(input.hidden_TD.device());
}

std::string Router::restore(const std::string& name, const at::Tensor& value) {
  for (const NamedTensor& one : state()) {
    if (one.name != name) continue;
    if (one.tensor.sizes() != value.sizes()) return "'" + name + "' has another shape";
    one.tensor.copy_(value);
    return {};
  }
  return "this method's router has no state '" + name + "'";
}

void non_finite_scores(std::int64_t first_bad_token, std::int64_t num_bad_tokens) {
  const std::string count = with_thousands(num_bad_tokens) + (num_bad_tokens == 1 ? " token has" : " tokens have");
  throw std::runtime_error("router scores are not finite: " + count + " NaN or infinite scores, the first is token " +
                           std::to_string(first_bad_token) +
                           " of the batch; a lower learning rate or tighter gradient clipping usually prevents it");
}

}  // namespace moescope::moe
