#pragma once
// Routing fluctuation: every row a probe token, every column a probe, the colour its first-choice expert; rows sorted
// by when they last changed. Beneath it the share of tokens that have changed for the last time (after StableMoE,
// Dai et al. 2022, figures 2 and 7). "Last" is up to now: the curve is provisional while the run goes on.
// Threads: pure functions over plain values.

#include <cstdint>
#include <string>
#include <vector>

#include "views/view.h"

namespace moescope::views {

enum class RowOrder { kLastChange, kTokenClass, kExpert };

/// What one layer's probes say about fluctuation. C probes, M probe tokens.
struct FluctuationRows {
  std::vector<std::int64_t> step_C;         ///< steps of the probes
  std::vector<std::int16_t> expert_CM;      ///< first choice, row-major by probe
  std::vector<double> fluctuation_C;        ///< share of tokens that changed since the probe before; first: 0
  std::vector<std::int64_t> last_change_M;  ///< the last probe that found each token elsewhere than at the end; 0: none
  bool has_break = false;                   ///< the student took over between two of the probes
  std::vector<std::int32_t> order_M;        ///< rows from top to bottom
};

/// Of the probes up to `until_step`. A break (stage switch, pin) is compared with the student's choice just before it.
FluctuationRows fluctuation_rows(const telemetry::History& history, int layer, std::int64_t until_step, RowOrder order);

/// First choices of one probe in one layer; empty when the probe does not reach that layer.
std::vector<std::int16_t> first_choices(const telemetry::ProbeSnapshot& probe, std::size_t layer,
                                        std::size_t num_tokens);

/// Share of tokens that the probe of `step` and every later one find where they end: those whose row of the raster
/// keeps its colour from there on, but for what a break changes at once.
double settled_share(const FluctuationRows& rows, std::int64_t step);
/// Share of tokens that a probe behind `step` found elsewhere than at the end (analysis::share_beyond).
double share_elsewhere_after(const FluctuationRows& rows, std::int64_t step);

/// settled_share() at every probe of a ghost; empty where it has no such layer.
struct SettledCurve {
  std::vector<std::int64_t> step_C;
  std::vector<double> share_C;
};
SettledCurve settled_curve(const telemetry::History& history, int layer);

struct FluctuationDifference;  // views/scene/fluctuation_difference.h

/// The raster, one column per pixel of `plot`, newest probe at or before its end. With a difference only tokens that go
/// elsewhere than in that run keep their colour; the others have the ground's, and what is not known is transparent.
Picture fluctuation_raster(const FluctuationRows& rows, const ViewContext& context, Rect plot, std::int64_t first_step,
                           std::int64_t last_step, const FluctuationDifference* difference = nullptr);

/// Where raster and curve stand in a canvas of that size.
struct FluctuationLayout {
  Rect raster, curve;
  float controls_y = -1;  ///< of the line with sort order and layers; −1: no room for it
  float marks_y = 4;
};
FluctuationLayout fluctuation_layout(Size size);

/// `raster_version` changes when the raster's colours would: the painter then uploads it anew. `ghosts` are the curves
/// of context.ghosts, in their order; `difference` is chosen_difference().
Scene fluctuation_scene(const ViewContext& context, Size size, const FluctuationRows& rows, RowOrder order,
                        std::uint64_t raster_version, std::span<const SettledCurve> ghosts = {},
                        const FluctuationDifference* difference = nullptr);

/// "last change", "class", "expert"
std::string order_name(RowOrder order);

}  // namespace moescope::views
