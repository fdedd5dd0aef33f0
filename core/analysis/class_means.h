#pragma once
// Mean feature of every class: what collapse and class geometry start from. The classes are usually the experts that
// tokens are assigned to, and the features the hidden states entering the router.
// T tokens, D feature width, C classes, K classes counted.
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {

/// A length below this share of the features' own is rounding and counts as zero.
inline constexpr double kNegligibleLength = 1e-12;

struct ClassMeans {
  Matrix mean_KD;
  std::vector<int> class_K;           // the class of each row, rising
  std::vector<std::int64_t> count_K;  // its tokens
  std::vector<int> row_C;             // the row of each class; −1: not counted
  double rms_length = 0.0;            // root mean square of ‖h‖ over the tokens counted; NaN without any
  int dropped_classes = 0;            // with tokens, but fewer than asked for
  std::int64_t num_tokens = 0;        // M: tokens of the classes counted
  std::int64_t skipped_tokens = 0;    // without a class, or of a dropped class
};

/// A class of −1 takes the token out. Classes with fewer than `min_class_tokens` tokens are dropped, because one token
/// has no scatter. No tokens: no classes.
/// Requires: class_T.size() = T, classes in [−1, num_classes), min_class_tokens ≥ 1, dim ≥ 1, finite features.
ClassMeans class_means(std::span<const float> features_TD, int dim, std::span<const std::int16_t> class_T,
                       int num_classes, int min_class_tokens);

/// μ: the mean of the class means, or with `weighted` the mean of the tokens counted. Requires: at least one class.
std::vector<double> grand_mean(const ClassMeans& classes, bool weighted);

}  // namespace moescope::analysis
