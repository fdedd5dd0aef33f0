#include "core/moe/moe_layer.h"

#include <ATen/ATen.h>

#include <utility>

#include "core/moe/dispatch.h"

namespace moescope::moe {
namespace {

at::Tensor with_shared(const at::Tensor& delta_TD, const at::Tensor& hidden_TD, const Experts& experts) {
  return experts.has_shared() ? delta_TD + experts.forward_shared(hidden_TD) : delta_TD;
}

/// Soft mixtures mix tokens into slots and slots back into tokens; nothing is dropped, and load is the mass of
/// emission.
MoeOutput mix(const at::Tensor& hidden_TD, Routing routing, const Experts& experts) {
  const auto& dense = std::get<DenseRouting>(routing.assignment);
  const std::int64_t G = dense.member_GI.size(0), I = dense.member_GI.size(1), D = hidden_TD.size(1);
  const std::int64_t E = experts.num_experts(), S = dense.dispatch_GIES.size(3);
  const at::Tensor member_N = dense.member_GI.reshape({-1});
  const at::Tensor hidden_GID = hidden_TD.index_select(0, member_N).view({G, I, D});
  const at::Tensor dispatch_GIZ = dense.dispatch_GIES.reshape({G, I, E * S});
  const at::Tensor slots_GESD = at::bmm(dispatch_GIZ.transpose(1, 2), hidden_GID).view({G, E, S, D});
  // Experts want their rows together, whatever group they come from.
  const at::Tensor rows_MD = slots_GESD.transpose(0, 1).reshape({E * G * S, D});
  std::vector<std::int64_t> offset_E1;
  for (std::int64_t e = 0; e <= E; ++e) offset_E1.push_back(e * G * S);
  const at::Tensor out_GZD =
      experts.forward(rows_MD, offset_E1).view({E, G, S, D}).transpose(0, 1).reshape({G, E * S, D});
  const at::Tensor delta_GID = at::bmm(dense.combine_GIES.reshape({G, I, E * S}), out_GZD);

  MoeOutput output;
  output.delta_TD =
      with_shared(at::zeros_like(hidden_TD).index_add(0, member_N, delta_GID.reshape({-1, D})), hidden_TD, experts);
  output.record.load_E = emission_TE(dense, hidden_TD.size(0)).sum(0);
  output.record.dropped_E = at::zeros({E}, at::kLong);
  output.record.routing = std::move(routing);
  return output;
}

}  // namespace

MoeLayer::MoeLayer(std::unique_ptr<Router> router, Experts experts)
    : router_(std::move(router)), experts_(std::move(experts)) {}

MoeOutput MoeLayer::forward(const RouterInput& input) {
  Routing routing = router_->route(input);
  const SparseRouting* sparse = routing.sparse();
  if (sparse == nullptr) {
    MoeOutput output = mix(input.hidden_TD, std::move(routing), experts_);
    output.record.token_id_T = token_id_T(input);
    return output;
  }

  const std::int64_t num_tokens = input.hidden_TD.size(0);
  const Capacity capacity = router_->capacity(num_tokens, input.mode);
  const Dispatch dispatch = plan_dispatch(*sparse, num_tokens, experts_.num_experts(), capacity);
  const at::Tensor rows_MD = gather_rows(input.hidden_TD, dispatch);
  const at::Tensor out_MD = experts_.forward(rows_MD, dispatch.offset_E1);
  const at::Tensor delta_TD = with_shared(combine_rows(out_MD, sparse->gate_N, dispatch), input.hidden_TD, experts_);
  return {delta_TD,
          {std::move(routing), dispatch.kept_N, dispatch.load_E, dispatch.dropped_E, capacity, token_id_T(input)}};
}

}  // namespace moescope::moe
