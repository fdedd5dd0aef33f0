#pragma once
// The assignment problem: pair rows with columns, each at most once, so that the summed weight is largest. It tells
// which expert of one run is which of another, and which neuron of one expert is which of another.
// Source: shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987).
// Threads: pure functions.

#include <vector>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {

struct Matching {
  std::vector<int> column_of_row;  // −1: no column left for this row, which happens only if rows outnumber columns
  double total_weight = 0.0;       // over the min(rows, columns) pairs
};

/// The largest total over all complete matchings: min(rows, columns) pairs are made even where weights are negative.
/// The same matrix always gives the same pairs; of several best ones it is not said which. An empty side: no pairs.
/// O(rows · columns · min(rows, columns)). Requires: finite weights.
Matching max_weight_matching(const Matrix& weight);

}  // namespace moescope::analysis
