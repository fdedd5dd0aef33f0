#include "core/analysis/spread.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::analysis {

Spread spread(std::span<const double> values) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Spread result{nan, nan, nan, static_cast<std::int64_t>(values.size())};
  if (values.empty()) return result;
  const auto count = static_cast<double>(values.size());
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() == 1) return result;
  double squares = 0.0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.sd = std::sqrt(squares / (count - 1.0));
  result.standard_error = result.sd / std::sqrt(count);
  return result;
}

}  // namespace moescope::analysis
