#pragma once
// Where in a step the trainer is. An exception anywhere is reported with the phase it came from, and the time spent in
// each phase is what the benchmark and the watching cost are made of.
// Threads: trainer thread only.

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace moescope::train {

enum class Phase {
  kPrepare,
  kData,
  kForward,
  kBackward,
  kOptimizer,
  kValidate,
  kProbe,
  kPublish,
  kRecord,
  kBetween,  ///< between steps: commands and pauses
};
inline constexpr std::size_t kNumPhases = 10;

/// "forward", as Failure::phase names it.
std::string phase_name(Phase phase);

class PhaseClock {
 public:
  /// Told at each entry of a phase, with the step; what it throws counts as thrown by the phase. For tests.
  using Listener = std::function<void(std::string_view phase, std::int64_t step)>;
  explicit PhaseClock(Listener listener = {}) : listener_(std::move(listener)) {}

  void enter(Phase phase);
  Phase current() const { return current_; }

  /// Time spent in `phase` since the last reset(); of the current phase, up to its entry.
  double ms(Phase phase) const { return ms_[static_cast<std::size_t>(phase)]; }
  void reset() { ms_.fill(0); }

  void set_step(std::int64_t step) { step_ = step; }
  std::int64_t step() const { return step_; }

 private:
  Listener listener_;
  Phase current_ = Phase::kPrepare;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::array<double, kNumPhases> ms_{};
  std::int64_t step_ = 0;
};

}  // namespace moescope::train
