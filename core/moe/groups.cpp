#include "core/moe/groups.h"

#include <ATen/ATen.h>

#include <limits>

namespace moescope::moe {
namespace {

/// The token in each cell, −1 where there is padding.
at::Tensor token_grid_BL(const RouterInput& input) {
  const std::int64_t T = input.hidden_TD.size(0);
  const auto options = input.token_id_BL.options();
  if (!input.cell_T.defined() && T == input.token_id_BL.numel()) {
    return at::arange(T, options).view(input.token_id_BL.sizes());
  }
  return at::full({input.token_id_BL.numel()}, -1, options)
      .index_copy(0, cells_T(input), at::arange(T, options))
      .view(input.token_id_BL.sizes());
}

TokenGroups groups_of(const at::Tensor& token_GI) {
  const at::Tensor filled_G = token_GI.ge(0).any(1).nonzero().squeeze(1);
  const at::Tensor kept_GI = token_GI.index_select(0, filled_G);
  return {kept_GI.clamp_min(0), kept_GI.ge(0)};
}

}  // namespace

TokenGroups batch_group(const RouterInput& input) {
  const std::int64_t T = input.hidden_TD.size(0);
  return groups_of(at::arange(T, input.token_id_BL.options()).unsqueeze(0));
}

TokenGroups sequence_groups(const RouterInput& input) { return groups_of(token_grid_BL(input)); }

TokenGroups position_groups(const RouterInput& input, std::int64_t group_size) {
  const at::Tensor grid_BL = token_grid_BL(input);
  const std::int64_t B = grid_BL.size(0), L = grid_BL.size(1);
  const std::int64_t size = group_size > 0 ? group_size : std::max<std::int64_t>(1, B);
  const std::int64_t blocks = (B + size - 1) / size;
  const at::Tensor missing = at::full({blocks * size - B, L}, -1, grid_BL.options());
  const at::Tensor whole = at::cat({grid_BL, missing}, 0).view({blocks, size, L});
  return groups_of(whole.permute({2, 0, 1}).reshape({L * blocks, size}));
}

at::Tensor mask_absent(const at::Tensor& values_GI, const at::Tensor& present_GI) {
  at::Tensor absent = present_GI.logical_not();
  while (absent.dim() < values_GI.dim()) absent = absent.unsqueeze(-1);
  return values_GI.masked_fill(absent, -std::numeric_limits<double>::infinity());
}

}  // namespace moescope::moe
