#pragma once
// The one place colours come from: resources/palette.toml, compiled in. Qt and ImGui both style themselves from it.
// Threads: immutable values.

#include <functional>
#include <string>
#include <vector>

#include "views/scene/scene.h"

namespace moescope::views {

enum class Theme { kDark, kLight };

struct Palette {
  Theme theme = Theme::kDark;
  Color ground, dock, dock_head, line, grid, input, text, muted, accent, warning;
  std::vector<Color> experts;  ///< 8 fixed identity colours (Okabe–Ito)

  /// Identity colour of an expert. Up to 8: fixed. 9–24: a lightness-limited set. Beyond: hue by cluster of 8.
  Color expert(int expert, int num_experts) const;
  /// Outline a mark needs on this theme's dock colour: the text colour where contrast is under 3:1, else transparent.
  Color expert_outline(int expert, int num_experts) const;
  /// Greys for token classes, ghosts, past and disabled; i of n.
  Color token_class(int i, int n) const;
  /// Load heat: ground → accent → white (dark) or near black (light), monotone in lightness. x from 0 to 1.
  Color heat(double x) const;
  /// Two runs' difference from −1 to 1: blue (fewer) ← white (light) or ground (dark) → orange (more). Both sides are
  /// equally light, so that lightness tells how much and hue, for colour-blind eyes too, which way.
  Color difference(double x) const;
  /// Black or white, whichever reads better on `ground` (at least 4.5:1 for every palette colour).
  Color text_on(Color ground_color) const;
};

const Palette& palette(Theme theme);

/// A scale's colours from left to right in `rect`: `color_at` is asked from 0 to 1.
Picture color_ramp(const Palette& palette, Rect rect, std::uint32_t id, const std::function<Color(double)>& color_at);

/// WCAG contrast ratio, 1 to 21.
double contrast(Color a, Color b);

/// "#RRGGBB"
std::string to_hex(Color color);

}  // namespace moescope::views
