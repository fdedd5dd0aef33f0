#pragma once
// Who goes where: from a layer's experts to the next layer's, and from token classes to experts. The numbers behind
// ribbons. T tokens, K choices; a choice or class of −1 takes the token out of the count.
// Source: joint layer-to-layer use as in OLMoE (Muennighoff et al. 2024).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// A dense table, row-major. Empty input gives zeros of the stated size.
template <typename Number>
struct Table {
  int num_rows = 0;
  int num_columns = 0;
  std::vector<Number> cells;
  std::int64_t num_tokens = 0;      // tokens counted
  std::int64_t skipped_tokens = 0;  // tokens without a source or a destination

  Table(int rows, int columns)
      : num_rows(rows),
        num_columns(columns),
        cells(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {}

  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(num_columns) + static_cast<std::size_t>(column);
  }
  Number& at(int row, int column) { return cells[index(row, column)]; }
  Number at(int row, int column) const { return cells[index(row, column)]; }
};

using CountTable = Table<std::int64_t>;
using MassTable = Table<double>;

/// Choices of one layer, [T][K]. Belongs to the caller.
struct LayerChoices {
  std::span<const std::int16_t> expert_TK;
  int top_k = 1;
  int num_experts = 0;
};

/// Tokens by first choice in one layer (rows) and in another (columns). Every counted token adds 1.
/// Requires: both layers cover the same tokens; experts in [−1, num_experts).
CountTable transition_counts(const LayerChoices& from, const LayerChoices& to);

/// The same over all K choices, weighted by gate mass: a token adds w_from · w_to to each pair, with its weights
/// normalised to sum 1 in each layer, so a token counts once however many experts it visits. `gate_TK` lists match the
/// choices; an empty list means equal weights. A token whose weights sum to 0 in either layer is skipped.
/// Requires: as above; gates not negative.
MassTable transition_mass(const LayerChoices& from, std::span<const float> from_gate_TK, const LayerChoices& to,
                          std::span<const float> to_gate_TK);

/// Tokens by class (rows) and first choice (columns). Requires: classes in [−1, num_classes).
CountTable class_expert_counts(std::span<const std::int16_t> class_T, int num_classes, const LayerChoices& choices);

}  // namespace moescope::analysis
