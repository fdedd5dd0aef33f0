// Two walks over the list with a prefix sum between. offset_E1[e + 1] counts the kept of expert e during the first
// walk, so the slot is known at once and no scratch memory is needed without groups.

#include "kernels/permute.h"

#include <cassert>
#include <cstdint>
#include <limits>
#include <vector>

namespace moescope::kernels {
namespace {

/// Arrivals so far per (group, expert). With one group this is the load itself, so count_E serves.
class ArrivalCounter {
 public:
  ArrivalCounter(const PermuteShape& shape, std::int32_t* count_E)
      : walk_(group_walk(shape)), num_experts_(shape.num_experts), count_E_(count_E) {
    grouped_ = shape.capacity > 0 && walk_.num_groups() > 1;
    if (grouped_) arrived_GE_.assign(static_cast<std::size_t>(walk_.num_groups() * num_experts_), 0);
  }

  /// Rank of assignment n among the arrivals of its expert in its group. Call once per assignment, in list order.
  std::int32_t arrive(std::int64_t n, std::int32_t expert) {
    const std::int32_t rank = count_E_[expert]++;
    if (!grouped_) return rank;
    return arrived_GE_[static_cast<std::size_t>(walk_.group_of(n) * num_experts_ + expert)]++;
  }

 private:
  GroupWalk walk_;
  std::int32_t num_experts_;
  std::int32_t* count_E_;
  bool grouped_ = false;
  std::vector<std::int32_t> arrived_GE_;
};

void assign_slots(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output) {
  ArrivalCounter counter(shape, output.count_E);
  for (std::int64_t n = 0; n < shape.num_assignments; ++n) {
    const std::int32_t expert = expert_N[n];
    const bool kept =
        is_assignment(expert, shape.num_experts) && fits_capacity(counter.arrive(n, expert), shape.capacity);
    output.kept_N[n] = kept ? 1 : 0;
    output.slot_N[n] = kept ? output.offset_E1[expert + 1]++ : -1;
  }
}

}  // namespace

void permute(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output) {
  assert(shape.num_assignments >= 0 && shape.num_assignments < std::numeric_limits<std::int32_t>::max());
  assert(shape.num_assignments == 0 || (shape.num_tokens > 0 && shape.num_assignments % shape.num_tokens == 0));
  for (std::int32_t e = 0; e < shape.num_experts; ++e) output.count_E[e] = 0;
  for (std::int32_t e = 0; e <= shape.num_experts; ++e) output.offset_E1[e] = 0;
  if (shape.num_assignments == 0) return;

  assign_slots(expert_N, shape, output);
  for (std::int32_t e = 0; e < shape.num_experts; ++e) output.offset_E1[e + 1] += output.offset_E1[e];
  for (std::int64_t n = 0; n < shape.num_assignments; ++n) output.source_of_row_N[n] = -1;
  for (std::int64_t n = 0; n < shape.num_assignments; ++n) {
    const bool kept = output.kept_N[n] != 0;
    const std::int32_t row = kept ? output.offset_E1[expert_N[n]] + output.slot_N[n] : -1;
    output.row_of_assignment_N[n] = row;
    if (kept) output.source_of_row_N[row] = static_cast<std::int32_t>(n);
  }
}

}  // namespace moescope::kernels
