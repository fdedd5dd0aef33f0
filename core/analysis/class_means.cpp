#include "core/analysis/class_means.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

std::vector<std::int64_t> tokens_per_class(std::span<const std::int16_t> class_T, int num_classes) {
  std::vector<std::int64_t> count_C(static_cast<std::size_t>(num_classes), 0);
  for (const std::int16_t c : class_T) {
    MOESCOPE_ASSERT(c >= -1 && c < num_classes, "a token's class is one of the classes, or -1 for none");
    if (c >= 0) ++count_C[static_cast<std::size_t>(c)];
  }
  return count_C;
}

/// Fills everything but the means and the length.
ClassMeans counted_classes(std::span<const std::int16_t> class_T, int num_classes, int min_class_tokens) {
  const std::vector<std::int64_t> count_C = tokens_per_class(class_T, num_classes);
  ClassMeans result;
  result.row_C.assign(count_C.size(), -1);
  for (std::size_t c = 0; c < count_C.size(); ++c) {
    if (count_C[c] == 0) continue;
    if (count_C[c] < min_class_tokens) {
      ++result.dropped_classes;
      continue;
    }
    result.row_C[c] = static_cast<int>(result.class_K.size());
    result.class_K.push_back(static_cast<int>(c));
    result.count_K.push_back(count_C[c]);
    result.num_tokens += count_C[c];
  }
  result.skipped_tokens = static_cast<std::int64_t>(class_T.size()) - result.num_tokens;
  return result;
}

}  // namespace

ClassMeans class_means(std::span<const float> features_TD, int dim, std::span<const std::int16_t> class_T,
                       int num_classes, int min_class_tokens) {
  MOESCOPE_ASSERT(min_class_tokens >= 1, "an empty class has no mean");
  const auto width = static_cast<std::size_t>(dim);
  MOESCOPE_ASSERT(dim >= 1 && features_TD.size() == class_T.size() * width, "one feature vector and class per token");
  ClassMeans result = counted_classes(class_T, num_classes, min_class_tokens);
  result.mean_KD = Matrix(result.class_K.size(), width);
  double squares = 0.0;
  for (std::size_t t = 0; t < class_T.size(); ++t) {
    const int row = class_T[t] < 0 ? -1 : result.row_C[static_cast<std::size_t>(class_T[t])];
    if (row < 0) continue;
    const std::span<double> sum_D = result.mean_KD.row(static_cast<std::size_t>(row));
    for (std::size_t d = 0; d < width; ++d) {
      const auto value = static_cast<double>(features_TD[t * width + d]);
      sum_D[d] += value;
      squares += value * value;
    }
  }
  for (std::size_t k = 0; k < result.class_K.size(); ++k) {
    for (double& value : result.mean_KD.row(k)) value /= static_cast<double>(result.count_K[k]);
  }
  result.rms_length = result.num_tokens == 0 ? std::numeric_limits<double>::quiet_NaN()
                                             : std::sqrt(squares / static_cast<double>(result.num_tokens));
  return result;
}

std::vector<double> grand_mean(const ClassMeans& classes, bool weighted) {
  MOESCOPE_ASSERT(!classes.class_K.empty(), "the mean of no class does not exist");
  std::vector<double> mean_D(classes.mean_KD.columns, 0.0);
  for (std::size_t k = 0; k < classes.class_K.size(); ++k) {
    const double weight = weighted ? static_cast<double>(classes.count_K[k]) / static_cast<double>(classes.num_tokens)
                                   : 1.0 / static_cast<double>(classes.class_K.size());
    for (std::size_t d = 0; d < mean_D.size(); ++d) mean_D[d] += weight * classes.mean_KD(k, d);
  }
  return mean_D;
}

}  // namespace moescope::analysis
