#include "views/scene/loss_scene.h"
#include "views/scene/numbers.h"

namespace moescope::views {

using telemetry::ScalarSeries;

std::string loss_readout(const ViewContext& context, std::int64_t step) {
  const telemetry::History& history = context.history;
  std::string text = step_text(step);
  if (const ScalarSeries* task = history.series("task")) {
    text += "\ntask " + exact(value_at(*task, step).value * kBitsPerNat) + " bits per token, mean " +
            exact(smoothed_at(*task, step, kLossHalfLife) * kBitsPerNat);
  }
  if (const ScalarSeries* series = history.series("validation")) {
    const PointAt point = value_at(*series, step);
    if (point.step >= 0)
      text += "\nvalidation " + exact(point.value * kBitsPerNat) + " bits per token at " + step_text(point.step);
  }
  for (const telemetry::Ghost& ghost : context.ghosts) {
    const ScalarSeries* task = ghost.history->series("task");
    if (task && value_at(*task, step).step >= 0)
      text += "\n" + ghost.name + " " + exact(smoothed_at(*task, step, kLossHalfLife) * kBitsPerNat) + " (mean)";
  }
  for (const ScalarSeries* series : auxiliary_series(history))
    text += "\n" + series->name + " " + exact(value_at(*series, step).value);
  for (const char* name : {"lr", "grad_norm"})
    if (const ScalarSeries* series = history.series(name))
      text += "\n" + std::string(name) + " " + exact(value_at(*series, step).value);
  return text;
}

}  // namespace moescope::views
