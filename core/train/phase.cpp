#include "core/train/phase.h"

namespace moescope::train {

std::string phase_name(Phase phase) {
  static constexpr std::array<const char*, kNumPhases> kNames = {
      "prepare", "data", "forward", "backward", "optimizer", "validate", "probe", "publish", "record", "between steps"};
  return kNames[static_cast<std::size_t>(phase)];
}

void PhaseClock::enter(Phase phase) {
  const auto now = std::chrono::steady_clock::now();
  ms_[static_cast<std::size_t>(current_)] += std::chrono::duration<double, std::milli>(now - since_).count();
  since_ = now;
  current_ = phase;
  if (listener_) listener_(phase_name(phase), step_);
}

}  // namespace moescope::train
