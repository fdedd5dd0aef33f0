#include "core/moe/moe_layer.h"

#include <ATen/ATen.h>

#include <utility>

#include "core/moe/dispatch.h"

namespace moescope::moe {
namespace {

/// Soft mixtures mix tokens into slots and slots back into tokens; nothing is dropped, and load is the mass of
/// emission.
MoeOutput mix(const at::Tensor& hidden_TD, Routing routing, const Experts& experts) {
  const auto& dense = std::get<DenseRouting>(routing.assignment);
  const std::int64_t num_tokens = hidden_TD.size(0);
  const std::int64_t num_slots = dense.dispatch_TES.size(2);
  const at::Tensor rows_MD =
      dense.dispatch_TES.reshape({num_tokens, experts.num_experts() * num_slots}).t().mm(hidden_TD);
  std::vector<std::int64_t> offset_E1;
  for (int e = 0; e <= experts.num_experts(); ++e) offset_E1.push_back(e * num_slots);
  const at::Tensor out_MD = experts.forward(rows_MD, offset_E1);

  MoeOutput output;
  output.delta_TD = dense.combine_TES.reshape({num_tokens, experts.num_experts() * num_slots}).mm(out_MD);
  output.record.load_E = dense.combine_TES.detach().sum(at::IntArrayRef{0, 2});
  output.record.dropped_E = at::zeros({experts.num_experts()}, at::kLong);
  output.record.routing = std::move(routing);
  return output;
}

}  // namespace

MoeLayer::MoeLayer(std::unique_ptr<Router> router, Experts experts)
    : router_(std::move(router)), experts_(std::move(experts)) {}

MoeOutput MoeLayer::forward(const RouterInput& input) {
  Routing routing = router_->route(input);
  const SparseRouting* sparse = routing.sparse();
  if (sparse == nullptr) return mix(input.hidden_TD, std::move(routing), experts_);

  const std::int64_t num_tokens = input.hidden_TD.size(0);
  const Capacity capacity = router_->capacity(num_tokens, input.mode);
  const Dispatch dispatch = plan_dispatch(*sparse, num_tokens, experts_.num_experts(), capacity);
  const at::Tensor rows_MD = gather_rows(input.hidden_TD, dispatch);
  const at::Tensor out_MD = experts_.forward(rows_MD, dispatch.offset_E1);
  const at::Tensor delta_TD = combine_rows(out_MD, sparse->gate_N, dispatch);
  return {delta_TD, {std::move(routing), dispatch.kept_N, dispatch.load_E, dispatch.dropped_E, capacity}};
}

}  // namespace moescope::moe
