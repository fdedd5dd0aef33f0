#include "core/train/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moescope::train {

LrSchedule::LrSchedule(const config::TrainConfig& train)
    : peak_(train.lr), warmup_steps_(train.warmup), total_steps_(train.steps), cosine_(train.schedule == "cosine") {}

double LrSchedule::warmup(std::int64_t step) const {
  if (step >= warmup_steps_) return 1;
  return static_cast<double>(step + 1) / static_cast<double>(warmup_steps_ + 1);
}

double LrSchedule::decay(std::int64_t step) const {
  constexpr double kFloor = 0.1;
  if (!cosine_ || step <= warmup_steps_) return 1;
  const double span = static_cast<double>(std::max<std::int64_t>(1, total_steps_ - warmup_steps_));
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps_) / span);
  return kFloor + (1 - kFloor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace moescope::train
