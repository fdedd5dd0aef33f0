#pragma once
// Host arrays with the sizes a kernel writes, filled with values that no correct run leaves behind, and seeded random
// inputs that hold the awkward cases (ties, masks, bad rows, "no assignment").

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "kernels/permute.h"
#include "kernels/router_topk.h"

namespace moescope::kernels {

inline std::size_t size_of(std::int64_t count) { return static_cast<std::size_t>(count); }

struct RouterArrays {
  std::vector<float> probs_TE, entropy_T, margin_T, selection_margin_T;
  std::vector<std::int32_t> expert_TK;

  explicit RouterArrays(const RouterTopkShape& shape)
      : probs_TE(size_of(shape.num_tokens * shape.num_experts), -7.0f),
        entropy_T(size_of(shape.num_tokens), -7.0f),
        margin_T(entropy_T),
        selection_margin_T(entropy_T),
        expert_TK(size_of(shape.num_tokens * shape.top_k), -7) {}

  RouterTopkOutput pointers() {
    return {probs_TE.data(), expert_TK.data(), entropy_T.data(), margin_T.data(), selection_margin_T.data()};
  }
};

struct PermuteArrays {
  std::vector<std::int32_t> count_E, offset_E1, slot_N, row_of_assignment_N, source_of_row_N;
  std::vector<std::uint8_t> kept_N;

  explicit PermuteArrays(const PermuteShape& shape)
      : count_E(size_of(shape.num_experts), -7),
        offset_E1(size_of(shape.num_experts + 1), -7),
        slot_N(size_of(shape.num_assignments), -7),
        row_of_assignment_N(slot_N),
        source_of_row_N(slot_N),
        kept_N(size_of(shape.num_assignments), 7) {}

  PermuteOutput pointers() {
    return {count_E.data(), offset_E1.data(),           kept_N.data(),
            slot_N.data(),  row_of_assignment_N.data(), source_of_row_N.data()};
  }
};

/// Scores on a coarse grid, so that ties are common; some are masked, and a few rows are bad.
inline std::vector<float> random_scores(const RouterTopkShape& shape, std::mt19937_64& random) {
  std::uniform_int_distribution<int> grid(-8, 8);
  std::uniform_int_distribution<int> percent(0, 99);
  std::vector<float> scores(size_of(shape.num_tokens * shape.num_experts));
  for (float& score : scores) {
    score = static_cast<float>(grid(random)) / 4.0f;
    if (percent(random) < 5) score = -std::numeric_limits<float>::infinity();
  }
  for (std::int64_t t = 0; t < shape.num_tokens; ++t) {
    if (percent(random) >= 4) continue;
    scores[size_of(t * shape.num_experts + t % shape.num_experts)] =
        t % 2 == 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  }
  return scores;
}

/// Skewed towards low experts; about one in twenty entries is "no assignment".
inline std::vector<std::int32_t> random_assignments(const PermuteShape& shape, std::mt19937_64& random) {
  std::uniform_int_distribution<std::int32_t> expert(0, shape.num_experts - 1);
  std::uniform_int_distribution<int> percent(0, 99);
  std::vector<std::int32_t> expert_N(size_of(shape.num_assignments));
  for (std::int32_t& e : expert_N) {
    const int draw = percent(random);
    e = draw < 5 ? kNoExpert : draw < 40 ? expert(random) / 2 : expert(random);
  }
  return expert_N;
}

}  // namespace moescope::kernels
