#pragma once
// A retained picture of one view: shapes with colours, and named boxes that can be hovered and clicked. Made from
// telemetry by the *_scene.cpp files, painted by ImGui draw lists, checked by tests without a window.
// Coordinates: logical pixels, origin at the top left of the canvas. Threads: plain values.

#include <cmath>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace moescope::views {

struct Color {
  std::uint8_t r = 0, g = 0, b = 0, a = 255;
  bool operator==(const Color&) const = default;
  Color with_alpha(double alpha) const { return {r, g, b, static_cast<std::uint8_t>(std::lround(255 * alpha))}; }
};

/// As Picture::rgba holds it.
constexpr std::uint32_t packed(Color color) {
  return static_cast<std::uint32_t>(color.r) | static_cast<std::uint32_t>(color.g) << 8 |
         static_cast<std::uint32_t>(color.b) << 16 | static_cast<std::uint32_t>(color.a) << 24;
}

struct Vec2 {
  float x = 0, y = 0;
};
struct Rect {
  float x = 0, y = 0, w = 0, h = 0;
  bool contains(Vec2 p) const { return p.x >= x && p.x < x + w && p.y >= y && p.y < y + h; }
  float right() const { return x + w; }
  float bottom() const { return y + h; }
};

struct Size {
  float w = 0, h = 0;
};

/// A rectangle; `pattern` says a state without colour.
struct Box {
  enum class Pattern { kPlain, kHatched, kDotted, kCrossed };
  Rect rect;
  Color fill;
  Color outline{0, 0, 0, 0};
  float rounding = 0;
  float outline_width = 1;
  Pattern pattern = Pattern::kPlain;
};

/// A band from a vertical edge at `x0` to one at `x1`, its sides cubic curves with horizontal tangents.
struct Ribbon {
  float x0 = 0, top0 = 0, bottom0 = 0;
  float x1 = 0, top1 = 0, bottom1 = 0;
  Color color0;
  Color color1;
};

struct Line {
  std::vector<Vec2> points;
  Color color;
  float width = 1;
  bool dashed = false;
};

/// The area between two curves over the same x (min/max band).
struct Band {
  std::vector<float> x, low, high;
  Color color;
};

struct Dots {
  std::vector<Vec2> centers;
  std::vector<Color> colors;  ///< one per centre
  float radius = 2;
};

struct Text {
  enum class Align { kLeft, kCenter, kRight };
  enum class Font { kRegular, kStrong, kMono };
  Vec2 position;  ///< left, centre or right end of the baseline box's top edge
  std::string text;
  Color color;
  float size = 11;
  Align align = Align::kLeft;
  Font font = Font::kRegular;
  float rotation_degrees = 0;  ///< 0 or −90
};

/// A grid of pixels stretched over `rect` without smoothing (heat maps, rasters). RGBA8, row-major.
struct Picture {
  Rect rect;
  int width = 0, height = 0;
  std::vector<std::uint32_t> rgba;  ///< 0xAABBGGRR
  std::uint64_t version = 0;        ///< same id and version: the texture is reused
  std::uint32_t id = 0;             ///< unique within the view
};

using Shape = std::variant<Box, Ribbon, Line, Band, Dots, Text, Picture>;

/// What lies under the pointer.
struct Hit {
  enum class Kind { kNone, kExpert, kClass, kToken, kStep, kLayer, kControl };
  Kind kind = Kind::kNone;
  int layer = -1;
  int expert = -1;
  std::int64_t index = -1;  ///< class, probe token or step
  std::string name;         ///< unique, for tests and the keyboard: "expert L1·E3"
  std::string tooltip;      ///< lines shown when hovered
};

struct HitBox {
  Rect rect;
  Hit hit;
};

struct Scene {
  Size size;
  std::vector<Shape> shapes;  ///< painted in order
  std::vector<HitBox> hits;   ///< later ones lie on top
  std::string summary;        ///< one sentence for screen readers and tests: "layer 2: effective experts 5.4 of 8"

  template <class S>
  S& add(S shape) {
    return std::get<S>(shapes.emplace_back(std::move(shape)));
  }
  /// The topmost hit box at `p`, or nullptr.
  const HitBox* hit_at(Vec2 p) const {
    for (auto box = hits.rbegin(); box != hits.rend(); ++box)
      if (box->rect.contains(p)) return &*box;
    return nullptr;
  }
  const HitBox* find_hit(const std::string& name) const {
    for (const HitBox& box : hits)
      if (box.hit.name == name) return &box;
    return nullptr;
  }
};

}  // namespace moescope::views
