#include "core/telemetry/frame_difference.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace moescope::telemetry {
namespace {

std::string text(double value) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

/// Bits, so that a NaN equals itself and −0 differs from 0.
bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

std::string told(const std::string& name, double was, double is) {
  return same(was, is) ? "" : name + " is " + text(is) + " and was " + text(was);
}

std::string scalars(const std::string& prefix, const std::vector<NamedScalar>& was,
                    const std::vector<NamedScalar>& is) {
  if (was.size() != is.size())
    return prefix + "losses are " + std::to_string(is.size()) + " and were " + std::to_string(was.size());
  for (std::size_t i = 0; i < was.size(); ++i) {
    if (was[i].name != is[i].name) return prefix + "loss '" + is[i].name + "' was '" + was[i].name + "'";
    if (std::string found = told(prefix + "loss '" + is[i].name + "'", was[i].value, is[i].value); !found.empty())
      return found;
  }
  return {};
}

std::string counts(const std::string& what, const std::string& layer, const std::vector<std::uint32_t>& was_E,
                   const std::vector<std::uint32_t>& is_E) {
  if (was_E.size() != is_E.size()) return layer + " has another number of experts";
  for (std::size_t e = 0; e < was_E.size(); ++e)
    if (was_E[e] != is_E[e])
      return what + " of " + layer + "·E" + std::to_string(e) + " is " + std::to_string(is_E[e]) + " and was " +
             std::to_string(was_E[e]);
  return {};
}

std::string layer_difference(const std::string& layer, const LayerStep& was, const LayerStep& is) {
  std::string found = counts("the load", layer, was.load_E, is.load_E);
  if (found.empty()) found = counts("the number dropped", layer, was.dropped_E, is.dropped_E);
  if (found.empty() && !same(was.router_entropy, is.router_entropy))
    found = told("the entropy of " + layer, static_cast<double>(was.router_entropy),
                 static_cast<double>(is.router_entropy));
  if (found.empty()) found = scalars(layer + ": auxiliary ", was.auxiliary_losses, is.auxiliary_losses);
  return found;
}

bool same(const LayerControls& a, const LayerControls& b) {
  return a.router_frozen == b.router_frozen && a.assignment_pinned == b.assignment_pinned &&
         a.frozen_experts == b.frozen_experts;
}

}  // namespace

std::string difference(const TelemetryFrame& was, const TelemetryFrame& is) {
  if (was.stage != is.stage)
    return "the stage is " + std::to_string(is.stage + 1) + " and was " + std::to_string(was.stage + 1);
  std::string found = scalars("", was.losses, is.losses);
  if (found.empty()) found = told("the learning rate", was.lr, is.lr);
  if (found.empty()) found = told("grad_norm", was.grad_norm, is.grad_norm);
  if (found.empty() && was.layers.size() != is.layers.size()) found = "the number of layers differs";
  for (std::size_t l = 0; found.empty() && l < was.layers.size(); ++l)
    found = layer_difference("L" + std::to_string(l + 1), was.layers[l], is.layers[l]);
  for (std::size_t l = 0; found.empty() && l < was.controls.size() && l < is.controls.size(); ++l)
    if (!same(was.controls[l], is.controls[l])) found = "what is frozen in L" + std::to_string(l + 1) + " differs";
  const bool validated = !std::isnan(was.validation_loss) && !std::isnan(is.validation_loss);
  if (found.empty() && validated) found = told("the validation loss", was.validation_loss, is.validation_loss);
  return found;
}

}  // namespace moescope::telemetry
