#include "app/cli/progress_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "app/cli/terminal.h"
#include "core/analysis/load.h"
#include "core/base/text.h"

namespace moescope::cli {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string fixed(double number, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  return text.data();
}

}  // namespace

std::string bits_text(double nats) { return fixed(nats / std::numbers::ln2, 2) + " bits/token"; }

std::string progress_line(const ProgressFacts& facts, int columns) {
  const double total = static_cast<double>(std::max<std::int64_t>(facts.total_steps, 1));
  const double fraction = static_cast<double>(facts.step) / total;
  std::string text = with_thousands(facts.step) + '/' + with_thousands(facts.total_steps) + ' ' +
                     bar(fraction, columns < 100 ? 8 : 20) + ' ' + fixed(std::floor(100 * fraction), 0) + " %";
  if (std::isfinite(facts.task_nats)) text += "  " + bits_text(facts.task_nats);
  if (facts.steps_per_second > 0) {
    text += "  " + fixed(facts.steps_per_second, 1) + " steps/s";
    text +=
        "  " + duration_text(static_cast<double>(facts.total_steps - facts.step) / facts.steps_per_second) + " left";
  }
  if (!facts.stage.empty()) text += "  " + facts.stage;
  if (std::isfinite(facts.effective_experts))
    text += "  " + fixed(facts.effective_experts, 1) + " of " + std::to_string(facts.num_experts) + " experts";
  return text;
}

double effective_experts(const telemetry::TelemetryFrame& frame) {
  double sum = 0;
  int layers = 0;
  for (const telemetry::LayerStep& layer : frame.layers) {
    const std::vector<double> load_E(layer.load_E.begin(), layer.load_E.end());
    const double effective = analysis::load_statistics(std::span<const double>(load_E)).effective_experts;
    if (!std::isfinite(effective)) continue;
    sum += effective;
    ++layers;
  }
  return layers == 0 ? kUnknown : sum / layers;
}

double task_loss(const telemetry::TelemetryFrame& frame) {
  for (const telemetry::NamedScalar& loss : frame.losses)
    if (loss.name == "task") return loss.value;
  return kUnknown;
}

}  // namespace moescope::cli
