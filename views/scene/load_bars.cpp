#include "views/scene/load_bars.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {

std::vector<GhostLoad> ghost_loads(const ViewContext& context, int layer) {
  std::vector<GhostLoad> found;
  for (const std::size_t i : ghosts_with_same_experts(context)) {
    LayerLoad load = layer_load(*context.ghosts[i].history, layer, context.shown_step());
    if (!load.share_E.empty()) found.push_back({i, std::move(load)});
  }
  return found;
}

LoadBars::LoadBars(const ViewContext& context, const LoadLayout& layout, int layer, const LayerLoad& load,
                   const std::vector<GhostLoad>& ghosts, double capacity)
    : context_(context),
      colors_(context.palette),
      layout_(layout),
      layer_(layer),
      load_(load),
      ghosts_(ghosts),
      capacity_(capacity) {
  double most = 2.2 / layout.num_experts;
  for (const double one : load_.share_E) most = std::max(most, 1.04 * one);
  // A limit far beyond every bar would squeeze the bars: then it is only said, not drawn.
  capacity_drawn_ = capacity_ > 0 && capacity_ <= 1 && capacity_ < 2.5 * most;
  scale_ = capacity_drawn_ ? std::max(most, 1.1 * capacity_) : most;
}

float LoadBars::x(double share) const {
  return layout_.bars.x + layout_.bars.w * static_cast<float>(std::min(1.0, share / scale_));
}

void LoadBars::add_row(Scene& scene, int expert) const {
  add_bar(scene, expert);
  add_ticks(scene, expert);
}

void LoadBars::add_bar(Scene& scene, int expert) const {
  const auto e = static_cast<std::size_t>(expert);
  const bool faded = is_faded(context_.selection, layer_, expert);
  const float y = layout_.middle(expert);
  const float height = std::clamp(layout_.row * 0.6F, 1.0F, 12.0F);
  const Color color = colors_.expert(expert, layout_.num_experts).with_alpha(faded ? 0.3 : 1.0);
  const Color edge = faded ? Color{0, 0, 0, 0} : colors_.expert_outline(expert, layout_.num_experts);
  if (load_.starving_since_E[e]) {
    // A bar too short to see carries the state instead: hatched, in the warning colour.
    const float width = std::max(18.0F, x(load_.share_E[e]) - layout_.bars.x);
    scene.add(Box{{layout_.bars.x, y - height / 2, width, height},
                  color.with_alpha(0.25),
                  colors_.warning,
                  2,
                  1,
                  Box::Pattern::kHatched});
    return;
  }
  const float end = std::max(layout_.bars.x + 2, x(load_.share_E[e]));
  const double dropped = load_.dropped_E[e];
  const float kept = dropped > 0.002 ? x(load_.share_E[e] * (1 - dropped)) : end;
  scene.add(
      Box{{layout_.bars.x, y - height / 2, kept - layout_.bars.x, height}, color, edge, std::min(2.0F, height / 3)});
  if (kept < end - 0.5F)
    scene.add(Box{{kept, y - height / 2, end - kept, height},
                  color.with_alpha(0.3),
                  colors_.text.with_alpha(0.8),
                  0,
                  1,
                  Box::Pattern::kDotted});
}

void LoadBars::add_ticks(Scene& scene, int expert) const {
  const float y = layout_.middle(expert);
  const float half = std::clamp(layout_.row * 0.42F, 1.0F, 8.0F);
  for (const GhostLoad& ghost : ghosts_) {
    const float at = std::round(x(ghost.load.share_E[static_cast<std::size_t>(expert)])) + 0.5F;
    scene.add(Line{{{at, y - half}, {at, y + half}}, ghost_color(context_, ghost.ghost), 2});
  }
}

void LoadBars::add_limits(Scene& scene) const {
  const double fair = 1.0 / layout_.num_experts;
  const float top = layout_.bars.y - 2, bottom = layout_.bars.bottom();
  const float fair_x = std::round(x(fair)) + 0.5F;
  scene.add(Line{{{fair_x, top}, {fair_x, bottom}}, colors_.muted.with_alpha(0.6), 1});
  const float y = bottom + 4;
  std::vector<Rect> taken;
  // Under its line, or as near to it as the edges and the other text allow.
  const auto label = [&](float at, const std::string& text, Color color) {
    Text shape{{at, y}, text, color, kSmallSize, Text::Align::kCenter};
    const float half = text_box(shape).w / 2;
    float right = layout_.right - half;
    for (const Rect& other : taken) right = std::min(right, other.x - 8 - half);
    shape.position.x = std::min(std::max(at, layout_.bars.x + half), right);
    if (shape.position.x - half < layout_.bars.x - 4) return;
    taken.push_back(text_box(shape));
    scene.add(std::move(shape));
  };
  if (capacity_ > 0) {
    char text[48];
    std::snprintf(text, sizeof text, "capacity %.1f", capacity_ / fair);
    const float at = std::round(x(capacity_)) + 0.5F;
    if (capacity_drawn_) scene.add(Line{{{at, top}, {at, bottom + 3}}, colors_.warning, 1.5F});
    label(capacity_drawn_ ? at : layout_.right, text, colors_.warning);
  }
  label(fair_x, "fair 1/" + std::to_string(layout_.num_experts), colors_.muted);
}

}  // namespace moescope::views
