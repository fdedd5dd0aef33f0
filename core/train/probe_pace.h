#pragma once
// How often the probe looks: every `every` steps, and half as often each time watching turns out to cost more than 2 %
// of the step time, down to a sixteenth. It decides what is seen, never what is trained.
// Threads: a plain value.

#include <cstdint>

namespace moescope::train {

class ProbePace {
 public:
  explicit ProbePace(int every) : every_(every), spacing_(every) {}

  /// The first step too, so that a window has a picture at once.
  bool due(std::int64_t step) const { return step == 1 || step % spacing_ == 0; }
  std::int64_t spacing() const { return spacing_; }
  void set_spacing(std::int64_t spacing) { spacing_ = spacing; }

  /// After each step. True when the spacing has just doubled.
  bool add(double step_ms, double watch_ms, bool looked) {
    step_ms_ += step_ms;
    watch_ms_ += watch_ms;
    looks_ += looked ? 1 : 0;
    if (looks_ < kLooksToJudge) return false;
    const bool costly = watch_ms_ > kShare * step_ms_ && spacing_ < kMostStretch * every_;
    if (costly) spacing_ *= 2;
    step_ms_ = watch_ms_ = 0;
    looks_ = 0;
    return costly;
  }

 private:
  static constexpr double kShare = 0.02;
  static constexpr std::int64_t kMostStretch = 16;
  static constexpr int kLooksToJudge = 4;  // one look alone may have met a busy machine

  std::int64_t every_, spacing_;
  double step_ms_ = 0, watch_ms_ = 0;
  int looks_ = 0;
};

}  // namespace moescope::train
