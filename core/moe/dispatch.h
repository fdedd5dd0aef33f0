#pragma once
// From assignments to rows sorted by expert, and back. The plan (loads, capacity, both maps) is kernels/permute.h; the
// two moves are differentiable: the backward of one is the loop of the other.
// M counts the assignments that found a slot: rows after dispatch.
// Threads: trainer thread only. Every sum runs in list order, so results do not depend on the number of threads.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/moe/router.h"
#include "core/moe/routing.h"

namespace moescope::moe {

struct Dispatch {
  std::int64_t num_tokens = 0;
  std::vector<std::int64_t> offset_E1;  ///< expert e owns rows offset[e] to offset[e+1]; the last entry is M
  at::Tensor token_N;                   ///< int64, the list's own
  at::Tensor row_N;                     ///< int64, row of each assignment; −1 if dropped
  at::Tensor source_M;                  ///< int64, assignment of each row
  at::Tensor kept_N;                    ///< bool
  at::Tensor load_E;                    ///< int64, before capacity
  at::Tensor dropped_E;                 ///< int64
};

/// Within a group (or the batch) an expert keeps the first `slots` assignments in list order. A capacity by groups
/// needs token choice. Requires: every assignment names one of the experts.
Dispatch plan_dispatch(const SparseRouting& routing, std::int64_t num_tokens, int num_experts,
                       const Capacity& capacity);

/// rows_MD: row m is the hidden state of its assignment's token.
at::Tensor gather_rows(const at::Tensor& hidden_TD, const Dispatch& dispatch);

/// delta_TD: Σ gate · row over a token's kept assignments, zero for a token without any.
at::Tensor combine_rows(const at::Tensor& rows_MD, const at::Tensor& gate_N, const Dispatch& dispatch);

/// The same two moves by plain ATen, for other devices; tests hold them against the loops.
at::Tensor gather_rows_aten(const at::Tensor& hidden_TD, const Dispatch& dispatch);
at::Tensor combine_rows_aten(const at::Tensor& rows_MD, const at::Tensor& gate_N, const Dispatch& dispatch);

}  // namespace moescope::moe
