#pragma once
// Mean and spread of a handful of values: one per seed, per random routing, per shuffle.
// Threads: pure functions.

#include <cstdint>
#include <span>

namespace moescope::analysis {

struct Spread {
  double mean = 0.0;            // NaN without values
  double sd = 0.0;              // sample, with 1/(n − 1); NaN for fewer than two values
  double standard_error = 0.0;  // sd / √n; NaN for fewer than two values
  std::int64_t count = 0;       // n
};

/// A value that is not finite makes mean and spread so, too.
Spread spread(std::span<const double> values);

}  // namespace moescope::analysis
