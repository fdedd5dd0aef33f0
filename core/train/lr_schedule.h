#pragma once
// The learning rate by step: a linear warm-up, then constant or a cosine down to a tenth.
//
// Setting train.lr while running means: this value, from the next step on, and the schedule goes on from there. So the
// number typed is the number used and shown. During warm-up the ramp still applies and the value is what it leads to.
// Threads: a plain value.

#include <cstdint>

#include "core/config/run_config.h"

namespace moescope::train {

class LrSchedule {
 public:
  explicit LrSchedule(const config::TrainConfig& train);

  /// For the step after `step` done ones.
  double at(std::int64_t step) const { return value(step) * warmup(step); }
  /// What `set train.lr` reads and writes: the rate without the warm-up's ramp.
  double value(std::int64_t step) const { return peak_ * decay(step); }
  void set_value(double lr, std::int64_t step) { peak_ = lr / decay(step); }

  /// What set_value() changes, to the bit.
  double peak() const { return peak_; }
  void set_peak(double peak) { peak_ = peak; }

 private:
  double warmup(std::int64_t step) const;
  double decay(std::int64_t step) const;  ///< in [0.1, 1]

  double peak_;
  std::int64_t warmup_steps_, total_steps_;
  bool cosine_;
};

}  // namespace moescope::train
