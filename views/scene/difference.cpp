#include "views/scene/difference.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "views/scene/chips.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kLeastName = 60;  // a name cut shorter tells no runs apart

/// The longest text for the switch that a chip of that width holds; empty: none does.
std::string switch_text(const telemetry::Ghost* ghost, float width) {
  std::vector<std::string> versions{"difference", "diff"};
  if (ghost) {
    const float room = width - 2 * kChipPad - text_width("vs ", kSmallSize);
    if (room >= kLeastName) versions.insert(versions.begin(), "vs " + elided(ghost->name, kSmallSize, room));
    versions.insert(versions.begin(), "difference to " + ghost->name);
  }
  for (const std::string& text : versions)
    if (chip_width(text, kSmallSize) <= width) return text;
  return {};
}

std::string switch_tooltip(const telemetry::Ghost* ghost, const std::optional<std::string>& next,
                           const std::string& obstacle) {
  std::string text = ghost ? "difference to " + ghost->name : "this run as it is";
  if (!obstacle.empty()) {
    text += "\nnot in this view: " + obstacle;
  } else if (ghost) {
    text += "\nwhat this run has more or fewer than the other at the same step";
  }
  return text + "\nclick for " + (next ? "the difference to " + *next : "this run as it is");
}

void add_switch(Scene& scene, const ViewContext& context, Vec2 top_right, float width, const std::string& obstacle) {
  const telemetry::Ghost* ghost = difference_ghost(context);
  const std::string text = switch_text(ghost, width);
  if (text.empty()) return;
  const Palette& colors = context.palette;
  const bool shows_it = ghost && obstacle.empty();
  const float used = chip_width(text, kSmallSize);
  const Rect rect =
      add_chip(scene, {top_right.x - used, top_right.y}, text, kSmallSize, shows_it ? colors.accent : colors.input,
               shows_it ? colors.text_on(colors.accent) : colors.muted);
  scene.hits.push_back(
      {rect,
       {Hit::Kind::kControl, -1, -1, -1, kDifferenceSwitch, switch_tooltip(ghost, next_against(context), obstacle)}});
}

}  // namespace

void add_layers_and_difference(Scene& scene, const ViewContext& context, Vec2 top_right, float chooser_width,
                               float width, const std::string& obstacle) {
  constexpr float kGap = 6;
  const float chooser = add_layer_chooser(scene, context, top_right, chooser_width);
  const float taken = chooser > 0 ? chooser + kGap : 0;
  if (!ghosts_with_same_experts(context).empty())
    add_switch(scene, context, {top_right.x - taken, top_right.y}, width - taken, obstacle);
}

float add_difference_legend(Scene& scene, const Palette& palette, Vec2 top_right, float from, std::uint32_t first_id) {
  constexpr float kHalf = 34, kGap = 6;
  const auto width = [](const char* text) { return text_width(text, kSmallSize); };
  const float left = top_right.x - width("−1") - width("0") - width("+1 × fair share") - 2 * kHalf - 4 * kGap;
  if (left < from) return top_right.x;
  float x = left;
  const auto word = [&](const char* text) {
    scene.add(Text{{x, top_right.y}, text, palette.muted, kSmallSize});
    x += width(text) + kGap;
  };
  const auto ramp = [&](bool more) {
    scene.add(Box{{x - 1, top_right.y + 1.5F, kHalf + 2, 9}, {0, 0, 0, 0}, palette.line});
    scene.add(color_ramp(palette, {x, top_right.y + 2.5F, kHalf, 7}, first_id + (more ? 1 : 0),
                         [&](double part) { return palette.difference(more ? part : part - 1); }));
    x += kHalf + kGap;
  };
  word("−1");
  ramp(false);
  word("0");
  ramp(true);
  word("+1 × fair share");
  return left;
}

void add_no_data_ground(Scene& scene, const Palette& palette, Rect rect) {
  scene.add(Box{rect, palette.dock, palette.line, 0, 1, Box::Pattern::kHatched});
}

}  // namespace moescope::views
