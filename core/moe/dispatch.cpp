// Plain loops over rows of D numbers instead of index_select, multiply and index_add: one pass over memory each, and a
// fixed order of summation.

#include "core/moe/dispatch.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/base/assert.h"
#include "kernels/permute.h"

namespace moescope::moe {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Both maps of the list as the loops read them.
struct Maps {
  const std::int64_t* token_N;
  const std::int64_t* row_N;
  std::int64_t num_assignments;
  std::int64_t width;  ///< D
};

Maps maps_of(const at::Tensor& token_N, const at::Tensor& row_N, std::int64_t width) {
  return {token_N.const_data_ptr<std::int64_t>(), row_N.const_data_ptr<std::int64_t>(), row_N.numel(), width};
}

/// row ← gate · token, gate 1 when gate_N is null.
template <class Scalar>
void spread_to_rows(const Scalar* from_TD, const Scalar* gate_N, const Maps& maps, Scalar* rows_MD) {
  for (std::int64_t n = 0; n < maps.num_assignments; ++n) {
    if (maps.row_N[n] < 0) continue;
    const Scalar* from_D = from_TD + maps.token_N[n] * maps.width;
    Scalar* row_D = rows_MD + maps.row_N[n] * maps.width;
    const Scalar gate = gate_N == nullptr ? Scalar(1) : gate_N[n];
    for (std::int64_t d = 0; d < maps.width; ++d) row_D[d] = gate * from_D[d];
  }
}

/// token ← token + gate · row, in list order.
template <class Scalar>
void add_to_tokens(const Scalar* rows_MD, const Scalar* gate_N, const Maps& maps, Scalar* to_TD) {
  for (std::int64_t n = 0; n < maps.num_assignments; ++n) {
    if (maps.row_N[n] < 0) continue;
    const Scalar* row_D = rows_MD + maps.row_N[n] * maps.width;
    Scalar* to_D = to_TD + maps.token_N[n] * maps.width;
    const Scalar gate = gate_N == nullptr ? Scalar(1) : gate_N[n];
    for (std::int64_t d = 0; d < maps.width; ++d) to_D[d] += gate * row_D[d];
  }
}

/// Eight running sums, which the compiler keeps in vector registers; one sum alone may not be reordered.
template <class Scalar>
Scalar inner_product(const Scalar* a_D, const Scalar* b_D, std::int64_t width) {
  Scalar partial[8] = {};
  std::int64_t d = 0;
  for (; d + 8 <= width; d += 8) {
    for (int lane = 0; lane < 8; ++lane) partial[lane] += a_D[d + lane] * b_D[d + lane];
  }
  Scalar sum = 0;
  for (; d < width; ++d) sum += a_D[d] * b_D[d];
  for (const Scalar lane : partial) sum += lane;
  return sum;
}

/// gate gradient ← ⟨token's gradient, row⟩, zero for a dropped assignment.
template <class Scalar>
void products_of_pairs(const Scalar* grad_TD, const Scalar* rows_MD, const Maps& maps, Scalar* grad_gate_N) {
  for (std::int64_t n = 0; n < maps.num_assignments; ++n) {
    grad_gate_N[n] = maps.row_N[n] < 0 ? Scalar(0)
                                       : inner_product(grad_TD + maps.token_N[n] * maps.width,
                                                       rows_MD + maps.row_N[n] * maps.width, maps.width);
  }
}

/// Moves tokens to rows; gradients come back as sums over a token's rows.
struct GatherRows : torch::autograd::Function<GatherRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden_TD, const at::Tensor& token_N,
                            const at::Tensor& row_N, std::int64_t num_rows) {
    context->save_for_backward({token_N, row_N});
    context->saved_data["num_tokens"] = hidden_TD.size(0);
    const at::Tensor from_TD = hidden_TD.contiguous();
    at::Tensor rows_MD = at::empty({num_rows, hidden_TD.size(1)}, hidden_TD.options());
    AT_DISPATCH_FLOATING_TYPES(from_TD.scalar_type(), "gather_rows", [&] {
      spread_to_rows<scalar_t>(from_TD.const_data_ptr<scalar_t>(), nullptr, maps_of(token_N, row_N, from_TD.size(1)),
                               rows_MD.mutable_data_ptr<scalar_t>());
    });
    return rows_MD;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor grad_MD = grads[0].contiguous();
    const at::Tensor grad_TD =
        at::zeros({context->saved_data["num_tokens"].toInt(), grad_MD.size(1)}, grad_MD.options());
    AT_DISPATCH_FLOATING_TYPES(grad_MD.scalar_type(), "gather_rows_backward", [&] {
      add_to_tokens<scalar_t>(grad_MD.const_data_ptr<scalar_t>(), nullptr, maps_of(saved[0], saved[1], grad_MD.size(1)),
                              grad_TD.mutable_data_ptr<scalar_t>());
    });
    return {grad_TD, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/// Weighs rows by their gates and sums them per token.
struct CombineRows : torch::autograd::Function<CombineRows> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows_MD, const at::Tensor& gate_N,
                            const at::Tensor& token_N, const at::Tensor& row_N, std::int64_t num_tokens) {
    const at::Tensor from_MD = rows_MD.contiguous();
    const at::Tensor gates_N = gate_N.contiguous();
    context->save_for_backward({from_MD, gates_N, token_N, row_N});
    at::Tensor delta_TD = at::zeros({num_tokens, rows_MD.size(1)}, rows_MD.options());
    AT_DISPATCH_FLOATING_TYPES(from_MD.scalar_type(), "combine_rows", [&] {
      add_to_tokens<scalar_t>(from_MD.const_data_ptr<scalar_t>(), gates_N.const_data_ptr<scalar_t>(),
                              maps_of(token_N, row_N, from_MD.size(1)), delta_TD.mutable_data_ptr<scalar_t>());
    });
    return delta_TD;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& rows_MD = saved[0];
    const at::Tensor& gate_N = saved[1];
    const at::Tensor grad_TD = grads[0].contiguous();
    const at::Tensor grad_rows_MD = at::empty_like(rows_MD);
    at::Tensor grad_gate_N;
    if (context->needs_input_grad(1)) grad_gate_N = at::empty_like(gate_N);
    const Maps maps = maps_of(saved[2], saved[3], rows_MD.size(1));
    AT_DISPATCH_FLOATING_TYPES(rows_MD.scalar_type(), "combine_rows_backward", [&] {
      const scalar_t* from_TD = grad_TD.const_data_ptr<scalar_t>();
      spread_to_rows<scalar_t>(from_TD, gate_N.const_data_ptr<scalar_t>(), maps,
                               grad_rows_MD.mutable_data_ptr<scalar_t>());
      if (grad_gate_N.defined()) {
        products_of_pairs<scalar_t>(from_TD, rows_MD.const_data_ptr<scalar_t>(), maps,
                                    grad_gate_N.mutable_data_ptr<scalar_t>());
      }
    });
    return {grad_rows_MD, grad_gate_N, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

bool has_loops(const at::Tensor& tensor) {
  return tensor.is_cpu() && (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble);
}

/// The kernel's arrays, owned here.
struct PermuteBuffers {
  std::vector<std::int32_t> count_E, offset_E1, slot_N, row_N, source_N;

  PermuteBuffers(std::size_t num_assignments, std::size_t num_experts)
      : count_E(num_experts),
        offset_E1(num_experts + 1),
        slot_N(num_assignments),
        row_N(num_assignments),
        source_N(num_assignments) {}
};

at::Tensor to_int64(const std::vector<std::int32_t>& values, std::size_t count) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(count)}, at::kLong);
  std::copy_n(values.begin(), count, tensor.mutable_data_ptr<std::int64_t>());
  return tensor;
}

kernels::PermuteShape permute_shape(const SparseRouting& routing, std::int64_t num_tokens, int num_experts,
                                    const Capacity& capacity) {
  const std::int64_t num_assignments = routing.expert_N.numel();
  const bool token_choice = routing.choices_per_token > 0;
  MOESCOPE_ASSERT(!token_choice || num_assignments == num_tokens * routing.choices_per_token,
                  "token choice lists every token once per choice");
  MOESCOPE_ASSERT(token_choice || capacity.group_tokens == 0, "groups of tokens need token choice");
  kernels::PermuteShape shape;
  shape.num_assignments = num_assignments;
  shape.num_experts = num_experts;
  shape.capacity = static_cast<std::int32_t>(std::min<std::int64_t>(capacity.slots, num_assignments));
  shape.num_tokens = token_choice ? num_tokens : num_assignments;
  shape.group_tokens = capacity.group_tokens;
  return shape;
}

}  // namespace

Dispatch plan_dispatch(const SparseRouting& routing, std::int64_t num_tokens, int num_experts,
                       const Capacity& capacity) {
  const kernels::PermuteShape shape = permute_shape(routing, num_tokens, num_experts, capacity);
  PermuteBuffers buffers(static_cast<std::size_t>(shape.num_assignments), static_cast<std::size_t>(num_experts));
  const at::Tensor expert_N = routing.expert_N.to(at::kCPU, at::kInt).contiguous();
  const at::Tensor kept_N = at::empty({shape.num_assignments}, at::kBool);
  kernels::permute(expert_N.const_data_ptr<std::int32_t>(), shape,
                   {buffers.count_E.data(), buffers.offset_E1.data(), static_cast<std::uint8_t*>(kept_N.data_ptr()),
                    buffers.slot_N.data(), buffers.row_N.data(), buffers.source_N.data()});

  const auto device = routing.expert_N.device();
  Dispatch dispatch;
  dispatch.num_tokens = num_tokens;
  dispatch.offset_E1.assign(buffers.offset_E1.begin(), buffers.offset_E1.end());
  dispatch.token_N = routing.token_N.contiguous();
  dispatch.row_N = to_int64(buffers.row_N, buffers.row_N.size()).to(device);
  dispatch.source_M = to_int64(buffers.source_N, static_cast<std::size_t>(dispatch.offset_E1.back())).to(device);
  dispatch.kept_N = kept_N.to(device);
  dispatch.load_E = to_int64(buffers.count_E, buffers.count_E.size());
  dispatch.dropped_E = dispatch.load_E.clone();
  std::int64_t assigned = 0;
  for (std::size_t e = 0; e < buffers.count_E.size(); ++e) {
    assigned += buffers.count_E[e];
    dispatch.dropped_E.mutable_data_ptr<std::int64_t>()[e] -= buffers.offset_E1[e + 1] - buffers.offset_E1[e];
  }
  MOESCOPE_ASSERT(assigned == shape.num_assignments, "every assignment names an expert of the layer");
  return dispatch;
}

at::Tensor gather_rows(const at::Tensor& hidden_TD, const Dispatch& dispatch) {
  if (!has_loops(hidden_TD)) return gather_rows_aten(hidden_TD, dispatch);
  return GatherRows::apply(hidden_TD, dispatch.token_N, dispatch.row_N, dispatch.offset_E1.back());
}

at::Tensor combine_rows(const at::Tensor& rows_MD, const at::Tensor& gate_N, const Dispatch& dispatch) {
  const at::Tensor gates_N = gate_N.to(rows_MD.scalar_type());
  if (!has_loops(rows_MD)) return combine_rows_aten(rows_MD, gates_N, dispatch);
  return CombineRows::apply(rows_MD, gates_N, dispatch.token_N, dispatch.row_N, dispatch.num_tokens);
}

at::Tensor gather_rows_aten(const at::Tensor& hidden_TD, const Dispatch& dispatch) {
  return hidden_TD.index_select(0, dispatch.token_N.index_select(0, dispatch.source_M));
}

at::Tensor combine_rows_aten(const at::Tensor& rows_MD, const at::Tensor& gate_N, const Dispatch& dispatch) {
  const at::Tensor token_M = dispatch.token_N.index_select(0, dispatch.source_M);
  const at::Tensor weighted_MD = rows_MD * gate_N.index_select(0, dispatch.source_M).unsqueeze(1);
  return at::zeros({dispatch.num_tokens, rows_MD.size(1)}, rows_MD.options()).index_add(0, token_M, weighted_MD);
}

}  // namespace moescope::moe
