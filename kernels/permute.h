#pragma once
// From a list of assignments to rows sorted by expert: loads, capacity, offsets and both maps, by a stable counting
// sort. Not here: moving the rows themselves, and gate weights.
//
// The list is in order of arrival and choice-major: all first choices in token order, then all second choices. So
// assignment n belongs to token n % num_tokens, and first choices are served before any second choice.
// N assignments, E experts.
// Threads: a call touches only its own arrays; the CPU version is one walk in list order and is not split.

#include <cstddef>
#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/host_device.h"

namespace moescope::kernels {

struct PermuteShape {
  std::int64_t num_assignments = 0;  // N, a multiple of num_tokens, below 2^31
  std::int32_t num_experts = 0;
  std::int32_t capacity = 0;      // kept assignments per expert (and group); 0: no limit
  std::int64_t num_tokens = 0;    // tokens of the list; N for one choice per token
  std::int64_t group_tokens = 0;  // Switch's groups: consecutive tokens that share a capacity; 0: one group of all
};

/// Destination arrays, owned by the caller, none null.
struct PermuteOutput {
  std::int32_t* count_E = nullptr;              // load before capacity
  std::int32_t* offset_E1 = nullptr;            // E + 1: expert e owns rows [offset[e], offset[e + 1]); last = kept
  std::uint8_t* kept_N = nullptr;               // 1 kept, 0 dropped or no assignment
  std::int32_t* slot_N = nullptr;               // place among the kept of its expert, −1 if not kept
  std::int32_t* row_of_assignment_N = nullptr;  // offset + slot, −1 if not kept
  std::int32_t* source_of_row_N = nullptr;      // assignment of each sorted row; −1 from row offset[E] on
};

/// Scalar reference.
///
/// - expert_N outside [0, E) means "no assignment" (kNoExpert of the router): neither counted, kept nor dropped.
/// - Within each group an expert keeps the first `capacity` that arrive, in list order; the rest are dropped.
/// - Rows of one expert are in list order, whatever the groups: the sort is stable and the result is fixed by the
///   input alone.
/// Requires: the shape's limits; no overlap of input and outputs. Allocates only for several groups with a capacity.
void permute(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output);

/// Bytes of device scratch that permute_cuda needs for this shape: about E·4 bytes per 512 assignments, or per group
/// where groups are smaller.
std::size_t permute_cuda_workspace_bytes(const PermuteShape& shape);

/// The same on a device, equal to the reference in every integer: all pointers are device memory, `workspace` holds
/// permute_cuda_workspace_bytes() aligned to 4. Enqueues on `stream`, never waits, and reads nothing back: counts and
/// offsets stay on the device.
LaunchStatus permute_cuda(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output,
                          void* workspace, CudaStream stream);

// ---- Arithmetic shared by the versions -----------------------------------------------------------------------------

MOESCOPE_HOST_DEVICE inline bool is_assignment(std::int32_t expert, std::int32_t num_experts) {
  return expert >= 0 && expert < num_experts;
}

/// `rank` counts the earlier arrivals of the same expert in the same group.
MOESCOPE_HOST_DEVICE inline bool fits_capacity(std::int32_t rank, std::int32_t capacity) {
  return capacity == 0 || rank < capacity;
}

/// A list cut into groups of consecutive tokens, each read in arrival order. The last group may be shorter.
struct GroupWalk {
  std::int64_t num_assignments;
  std::int64_t num_tokens;
  std::int64_t group_tokens;  // at least 1

  MOESCOPE_HOST_DEVICE std::int64_t num_groups() const { return (num_tokens + group_tokens - 1) / group_tokens; }
  MOESCOPE_HOST_DEVICE std::int64_t group_of(std::int64_t assignment) const {
    return assignment % num_tokens / group_tokens;
  }
  MOESCOPE_HOST_DEVICE std::int64_t tokens_in(std::int64_t group) const {
    const std::int64_t rest = num_tokens - group * group_tokens;
    return rest < group_tokens ? rest : group_tokens;
  }
  /// Length of a group's own list: all choices of its tokens.
  MOESCOPE_HOST_DEVICE std::int64_t length(std::int64_t group) const {
    return tokens_in(group) * (num_assignments / num_tokens);
  }
  /// The assignment at `position` of the group's list. Inverse: positions of a group rise with the assignment.
  MOESCOPE_HOST_DEVICE std::int64_t assignment(std::int64_t group, std::int64_t position) const {
    const std::int64_t tokens = tokens_in(group);
    return position / tokens * num_tokens + group * group_tokens + position % tokens;
  }
};

/// Requires: num_tokens ≥ 1.
MOESCOPE_HOST_DEVICE inline GroupWalk group_walk(const PermuteShape& shape) {
  const bool grouped = shape.group_tokens > 0 && shape.group_tokens < shape.num_tokens;
  return {shape.num_assignments, shape.num_tokens, grouped ? shape.group_tokens : shape.num_tokens};
}

}  // namespace moescope::kernels
