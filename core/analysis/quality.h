#pragma once
// How good a run is, how soon it got there, and whether one method beats another over seeds. Losses in nats.
// Source: steps and time to a target as in Mixture of Tokens (Antoniak et al. 2023).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/analysis/spread.h"

namespace moescope::analysis {

/// e^nats: the number of equally likely choices that would be as hard.
double perplexity(double nats);

/// nats / ln 2: bits per token, or per character where the loss is per character.
double bits(double nats);

/// One evaluation.
struct CurvePoint {
  std::int64_t step = 0;
  double seconds = 0.0;  // of training until then
  double loss = 0.0;
};

/// Step, or training time, of the first evaluation with loss ≤ target. Nothing is interpolated, so the answer is late
/// by up to one evaluation spacing, and never early; a later rise does not undo it. Never reached: nothing. A loss that
/// is not a number reaches no target. The claim of a method is the ratio to the dense run's own figure for its final
/// loss. Requires: steps rise.
std::optional<std::int64_t> steps_to_target(std::span<const CurvePoint> curve, double target_loss);
std::optional<double> seconds_to_target(std::span<const CurvePoint> curve, double target_loss);

struct CurveArea {
  double area = 0.0;       // loss · steps, straight lines between evaluations; NaN for fewer than two points in range
  double mean_loss = 0.0;  // area / (last_step − first_step): comparable between runs of the same range
  std::int64_t first_step = 0;
  std::int64_t last_step = 0;  // where the area ends
};

/// Area under a validation curve from its first point to its last, or to `until_step` if that comes first. Runs compare
/// over one range of steps only. Requires: steps rise.
CurveArea area_under_curve(std::span<const CurvePoint> curve, std::optional<std::int64_t> until_step = {});

/// The result of a run with one seed.
struct SeedValue {
  std::uint64_t seed = 0;
  double value = 0.0;
};

/// Mean and standard error over seeds. Values of one seed are averaged first, because they are not independent.
Spread over_seeds(std::span<const SeedValue> values);

struct PairedDifference {
  Spread difference;                          // of a − b over the seeds both have; count is the number of pairs
  std::vector<std::uint64_t> unpaired_seeds;  // in one of the two only, rising; they take no part
};

/// Pairs by seed take out what the seed does to both (data order, initialisation). No common seed: NaN.
PairedDifference paired_difference(std::span<const SeedValue> a, std::span<const SeedValue> b);

}  // namespace moescope::analysis
