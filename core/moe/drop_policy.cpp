#include "core/moe/drop_policy.h"

#include <ATen/ATen.h>

#include <tuple>

namespace moescope::moe {

at::Tensor order_of_service(const at::Tensor& probability_T, std::int64_t group_tokens) {
  const at::Tensor falling_T = std::get<1>(probability_T.detach().sort(/*stable=*/true, 0, /*descending=*/true));
  if (group_tokens <= 0 || group_tokens >= probability_T.size(0)) return falling_T;
  // A stable sort by group keeps the order within each.
  const at::Tensor group_T = at::floor_divide(falling_T, group_tokens);
  return falling_T.index_select(0, std::get<1>(group_T.sort(/*stable=*/true, 0, /*descending=*/false)));
}

SparseRouting served_in(const at::Tensor& order_T, SparseRouting routing) {
  routing.token_N = order_T.index_select(0, routing.token_N);
  return routing;
}

}  // namespace moescope::moe
