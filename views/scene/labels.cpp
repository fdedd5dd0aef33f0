#include "views/scene/labels.h"

#include <algorithm>

#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kSquare = 9;
constexpr float kSquareGap = 6;
constexpr float kSegmentHeight = 16;

void add_segment(Scene& scene, const Palette& colors, Rect rect, const std::string& text, bool filled, const Hit& hit) {
  scene.add(Box{rect, filled ? colors.accent : colors.input, {0, 0, 0, 0}, 3});
  const float top = rect.y + (rect.h - line_height(kSmallSize)) / 2;
  scene.add(Text{{rect.x + rect.w / 2, top},
                 text,
                 filled ? colors.text_on(colors.accent) : colors.muted,
                 kSmallSize,
                 Text::Align::kCenter,
                 filled ? Text::Font::kStrong : Text::Font::kRegular});
  scene.hits.push_back({rect, hit});
}

Hit layer_hit(int layer, const std::string& name) {
  Hit hit;
  hit.kind = Hit::Kind::kLayer;
  hit.layer = layer;
  hit.name = name;
  hit.tooltip = "look at layer " + std::to_string(layer + 1) + " in every view";
  return hit;
}

}  // namespace

std::string expert_name(int expert) { return "E" + std::to_string(expert); }

std::string mark_name(int layer, int expert) { return "L" + std::to_string(layer + 1) + "·" + expert_name(expert); }

float add_expert_label(Scene& scene, const Palette& palette, Vec2 left_center, int expert, int num_experts, bool faded,
                       bool strong) {
  const Color color = palette.expert(expert, num_experts);
  scene.add(Box{{left_center.x, left_center.y - kSquare / 2, kSquare, kSquare},
                faded ? color.with_alpha(0.3) : color,
                faded ? Color{0, 0, 0, 0} : palette.expert_outline(expert, num_experts),
                2});
  const Text::Font font = strong ? Text::Font::kStrong : Text::Font::kRegular;
  const Text& text = scene.add(Text{{left_center.x + kSquare + kSquareGap, left_center.y - line_height(kBodySize) / 2},
                                    expert_name(expert),
                                    faded ? palette.muted : palette.text,
                                    kBodySize,
                                    Text::Align::kLeft,
                                    font});
  return text_box(text).right();
}

float expert_label_width(int num_experts) {
  return kSquare + kSquareGap + text_width(expert_name(std::max(0, num_experts - 1)), kBodySize, Text::Font::kStrong);
}

void add_padlock(Scene& scene, Vec2 at, bool closed, Color color) {
  scene.add(Box{{at.x, at.y + 5, 9, 6}, color, {0, 0, 0, 0}, 1.5F});
  // The shackle: open, its right leg ends in the air.
  Line shackle{{{at.x + 2, at.y + 5},
                {at.x + 2, at.y + 2.5F},
                {at.x + 3.2F, at.y + 1},
                {at.x + 5.8F, at.y + 1},
                {at.x + 7, at.y + 2.5F}},
               color,
               1.4F};
  if (closed) shackle.points.push_back({at.x + 7, at.y + 5});
  scene.add(std::move(shackle));
}

float add_legend(Scene& scene, const Palette& palette, Vec2 top_right, float width,
                 const std::vector<LegendItem>& items) {
  constexpr float kSample = 14, kGap = 5, kBetween = 12;
  std::size_t shown = 0;
  float used = 0;
  for (; shown < items.size(); ++shown) {
    const float next = kSample + kGap + text_width(items[shown].text, kSmallSize) + (shown > 0 ? kBetween : 0);
    if (used + next > width) break;
    used += next;
  }
  float x = top_right.x - used;
  const float middle = top_right.y + line_height(kSmallSize) / 2;
  for (std::size_t i = 0; i < shown; ++i) {
    const LegendItem& item = items[i];
    if (item.kind == LegendItem::Kind::kSquare)
      scene.add(Box{{x + 5, middle - 4.5F, 9, 9}, item.color, {0, 0, 0, 0}, 2});
    else if (item.kind == LegendItem::Kind::kBand)
      scene.add(Box{{x, middle - 3, kSample, 6}, item.color});
    else
      scene.add(Line{{{x, middle}, {x + kSample, middle}}, item.color, 1.5F, item.kind == LegendItem::Kind::kDashed});
    const Text& text = scene.add(Text{{x + kSample + kGap, top_right.y}, item.text, palette.muted, kSmallSize});
    x = text_box(text).right() + kBetween;
  }
  return used;
}

float add_layer_chooser(Scene& scene, const ViewContext& context, Vec2 top_right, float width) {
  const telemetry::RunInfo* run = context.history.run();
  if (!run || run->num_layers < 2) return 0;
  const int selected = shown_layer(context);
  const float segment = text_width("L" + std::to_string(run->num_layers), kSmallSize, Text::Font::kStrong) + 10;
  const float all = (segment + 1) * static_cast<float>(run->num_layers) - 1;
  if (all <= width) {
    for (int l = 0; l < run->num_layers; ++l) {
      const Rect rect{top_right.x - all + static_cast<float>(l) * (segment + 1), top_right.y, segment, kSegmentHeight};
      const std::string name = "L" + std::to_string(l + 1);
      add_segment(scene, context.palette, rect, name, l == selected, layer_hit(l, "layer " + name));
    }
    return all;
  }
  const std::string text = "L" + std::to_string(selected + 1) + " of " + std::to_string(run->num_layers);
  const float middle = text_width("L99 of 99", kSmallSize);
  const float used = middle + 2 * 16 + 8;
  if (used > width) return 0;
  const float left = top_right.x - used;
  add_segment(scene, context.palette, {left, top_right.y, 16, kSegmentHeight}, "‹", false,
              layer_hit(std::max(0, selected - 1), "layer before"));
  scene.add(Text{{left + used / 2, top_right.y + (kSegmentHeight - line_height(kSmallSize)) / 2},
                 text,
                 context.palette.text,
                 kSmallSize,
                 Text::Align::kCenter});
  add_segment(scene, context.palette, {top_right.x - 16, top_right.y, 16, kSegmentHeight}, "›", false,
              layer_hit(std::min(run->num_layers - 1, selected + 1), "layer after"));
  return used;
}

bool is_faded(const Selection& selection, int layer, int expert) {
  return selection.expert && selection.layer == layer && *selection.expert != expert;
}

int shown_layer(const ViewContext& context) {
  const telemetry::RunInfo* run = context.history.run();
  return run ? std::clamp(context.selection.layer, 0, std::max(0, run->num_layers - 1)) : 0;
}

}  // namespace moescope::views
