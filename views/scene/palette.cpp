#include "views/scene/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "core/base/assert.h"

namespace moescope::views {
namespace {

struct Entry {
  std::string_view name;
  std::uint32_t rgb;
};

constexpr Entry kTable[] = {
#include "palette_table.inc"
};

constexpr int kFixedExperts = 8;
constexpr int kNamedExperts = 24;

Color from_rgb(std::uint32_t rgb) {
  return {static_cast<std::uint8_t>(rgb >> 16 & 0xFF), static_cast<std::uint8_t>(rgb >> 8 & 0xFF),
          static_cast<std::uint8_t>(rgb & 0xFF)};
}

Color look_up(const std::string& name) {
  for (const Entry& entry : kTable)
    if (entry.name == name) return from_rgb(entry.rgb);
  MOESCOPE_ASSERT(false, "resources/palette.toml names every colour the code asks for");
  return {};
}

const std::array<Color, kNamedExperts>& named_experts() {
  static const std::array<Color, kNamedExperts> colors = [] {
    std::array<Color, kNamedExperts> all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = look_up("expert.e" + std::to_string(i));
    return all;
  }();
  return colors;
}

Palette make_palette(Theme theme) {
  const std::string section = theme == Theme::kDark ? "dark." : "light.";
  Palette made;
  made.theme = theme;
  made.ground = look_up(section + "ground");
  made.dock = look_up(section + "dock");
  made.dock_head = look_up(section + "dock_head");
  made.line = look_up(section + "line");
  made.grid = look_up(section + "grid");
  made.input = look_up(section + "input");
  made.text = look_up(section + "text");
  made.muted = look_up(section + "muted");
  made.accent = look_up(section + "accent");
  made.warning = look_up(section + "warning");
  made.experts.assign(named_experts().begin(), named_experts().begin() + kFixedExperts);
  return made;
}

double linear(std::uint8_t channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

// WCAG relative luminance.
double luminance(Color c) { return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b); }

std::uint8_t mix(std::uint8_t a, std::uint8_t b, double t) {
  return static_cast<std::uint8_t>(std::lround(a + (b - a) * t));
}

Color mix(Color a, Color b, double t) { return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)}; }

}  // namespace

Color Palette::expert(int expert, int num_experts) const {
  const int e = std::max(0, expert);
  if (num_experts <= kNamedExperts) return named_experts()[static_cast<std::size_t>(e % kNamedExperts)];
  // Beyond 24, colour only says the neighbourhood: one hue per eighth of the index range, lightness within it.
  const int cluster = std::min(kFixedExperts - 1, e * kFixedExperts / num_experts);
  const int first = (cluster * num_experts + kFixedExperts - 1) / kFixedExperts;
  const int members = std::max(1, num_experts / kFixedExperts);
  const double place = std::clamp(static_cast<double>(e - first) / members, 0.0, 1.0);
  const Color hue = experts[static_cast<std::size_t>(cluster)];
  return place < 0.5 ? mix(hue, Color{0, 0, 0}, 0.36 * (0.5 - place)) : mix(hue, {255, 255, 255}, 0.7 * (place - 0.5));
}

Color Palette::expert_outline(int expert_index, int num_experts) const {
  return contrast(expert(expert_index, num_experts), dock) < 3.0 ? text : Color{0, 0, 0, 0};
}

Color Palette::token_class(int i, int n) const {
  const std::string section = theme == Theme::kDark ? "dark." : "light.";
  const double t = n > 1 ? std::clamp(static_cast<double>(i) / (n - 1), 0.0, 1.0) : 0.5;
  return mix(look_up(section + "class_first"), look_up(section + "class_last"), t);
}

Color Palette::heat(double x) const {
  static const Color kEnds[2] = {look_up("dark.heat_end"), look_up("light.heat_end")};
  const double t = std::isnan(x) ? 0.0 : std::clamp(x, 0.0, 1.0);
  const Color end = kEnds[theme == Theme::kDark ? 0 : 1];
  return t < 0.5 ? mix(ground, accent, 2 * t) : mix(accent, end, 2 * t - 1);
}

Color Palette::difference(double x) const {
  struct Ends {
    Color fewer, zero, more;
  };
  static const auto ends = [](const std::string& section) {
    return Ends{look_up(section + "difference_fewer"), look_up(section + "difference_zero"),
                look_up(section + "difference_more")};
  };
  static const Ends kDark = ends("dark."), kLight = ends("light.");
  const Ends& colors = theme == Theme::kDark ? kDark : kLight;
  const double t = std::isnan(x) ? 0.0 : std::clamp(x, -1.0, 1.0);
  return mix(colors.zero, t < 0 ? colors.fewer : colors.more, std::fabs(t));
}

Color Palette::text_on(Color ground_color) const {
  const Color black{0, 0, 0}, white{255, 255, 255};
  return contrast(black, ground_color) >= contrast(white, ground_color) ? black : white;
}

const Palette& palette(Theme theme) {
  static const Palette dark = make_palette(Theme::kDark);
  static const Palette light = make_palette(Theme::kLight);
  return theme == Theme::kDark ? dark : light;
}

Picture color_ramp(const Palette& palette, Rect rect, std::uint32_t id, const std::function<Color(double)>& color_at) {
  const int width = std::max(2, static_cast<int>(std::lround(rect.w)));
  Picture picture{rect, width, 1, {}, 1 + static_cast<std::uint64_t>(palette.theme), id};
  for (int x = 0; x < width; ++x) picture.rgba.push_back(packed(color_at(static_cast<double>(x) / (width - 1))));
  return picture;
}

double contrast(Color a, Color b) {
  const double bright = std::max(luminance(a), luminance(b));
  const double dim = std::min(luminance(a), luminance(b));
  return (bright + 0.05) / (dim + 0.05);
}

std::string to_hex(Color color) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02X%02X%02X", color.r, color.g, color.b);
  return text;
}

}  // namespace moescope::views
