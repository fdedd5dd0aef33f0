#pragma once
// Tokens of a batch in groups of equal width, for methods that decide over several tokens at once.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/moe/router.h"

namespace moescope::moe {

struct TokenGroups {
  at::Tensor member_GI;   ///< int64, the token that is member i of group g; any token where there is none
  at::Tensor present_GI;  ///< bool: there is one
};

/// All tokens of the batch.
TokenGroups batch_group(const RouterInput& input);
/// Each sequence.
TokenGroups sequence_groups(const RouterInput& input);
/// At each position, `group_size` consecutive sequences at a time (0: all of them): position by position, then blocks
/// of sequences. The last block may be smaller. Groups without any token are left out.
TokenGroups position_groups(const RouterInput& input, std::int64_t group_size);

/// −∞ for members that are not there, so that a softmax over members gives them nothing. values_GI… of any rank ≥ 2.
at::Tensor mask_absent(const at::Tensor& values_GI, const at::Tensor& present_GI);

}  // namespace moescope::moe
