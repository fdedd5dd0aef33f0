#include "views/scene/load_scene.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "views/scene/empty_scene.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/layer_load.h"
#include "views/scene/load_heat.h"
#include "views/scene/load_layout.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

using telemetry::RunInfo;

constexpr float kPad = LoadLayout::kPad;
constexpr float kLeastLabelRow = 11;

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const LoadState& state)
      : context_(context),
        colors_(context.palette),
        run_(*context.history.run()),
        layer_(shown_layer(context)),
        load_(layer_load(context.history, layer_, context.shown_step())) {
    scene_.size = size;
    fair_ = 1.0 / std::max(1, run_.num_experts);
    const auto l = static_cast<std::size_t>(layer_);
    if (l < state.capacity_factor_L.size()) capacity_ = state.capacity_factor_L[l] * fair_;
    layout_ = load_layout(context, size, load_);
    axis_ = time_axis(context, layout_.heat);
    for (const std::size_t i : ghosts_with_same_experts(context)) {
      LayerLoad load = layer_load(*context.ghosts[i].history, layer_, context.shown_step());
      if (load.share_E.size() == load_.share_E.size()) ghosts_.emplace_back(i, std::move(load));
    }
    choose_scale();
  }

  Scene paint() {
    heat();
    for (int e = 0; e < layout_.num_experts; ++e) expert_row(e);
    limits();
    const bool has_layers = run_.num_layers > 1;
    const float chooser_room = scene_.size.w - layout_.bars.x - kPad + 8;
    if (has_layers) add_layer_chooser(scene_, context_, {scene_.size.w - kPad, 3}, chooser_room);
    add_time_marks(scene_, context_, axis_, {5, layout_.mark_rows, false, kPad});
    add_time_cursor(scene_, context_, axis_);
    add_step_labels(scene_, context_, axis_, layout_.heat.bottom() + 4);
    words();
    scene_.summary = summary();
    return std::move(scene_);
  }

 private:
  bool faded(int expert) const { return is_faded(context_.selection, layer_, expert); }
  bool starves(int expert) const { return load_.starving_since_E[static_cast<std::size_t>(expert)].has_value(); }
  double share(int expert) const { return load_.share_E[static_cast<std::size_t>(expert)]; }

  void choose_scale() {
    double most = 2.2 * fair_;
    for (const double one : load_.share_E) most = std::max(most, 1.04 * one);
    // A limit far beyond every bar would squeeze the bars: then it is only said, not drawn.
    capacity_drawn_ = capacity_ > 0 && capacity_ <= 1 && capacity_ < 2.5 * most;
    scale_ = capacity_drawn_ ? std::max(most, 1.1 * capacity_) : most;
  }

  float bar_x(double share) const {
    return layout_.bars.x + layout_.bars.w * static_cast<float>(std::min(1.0, share / scale_));
  }

  void heat() {
    const Rect& rect = layout_.heat;
    scene_.add(load_heat(context_, layer_, rect));
    const float gap = layout_.row >= 10 ? 2.0F : layout_.row >= 5 ? 1.0F : 0.0F;
    for (int e = 1; e < layout_.num_experts && gap > 0; ++e) {
      const float y = rect.y + layout_.row * static_cast<float>(e);
      scene_.add(Box{{rect.x, y - gap / 2, rect.w, gap}, colors_.dock});
    }
    for (int e = 0; e < layout_.num_experts; ++e)
      if (faded(e))
        scene_.add(Box{{rect.x, rect.y + layout_.row * static_cast<float>(e), rect.w, layout_.row},
                       colors_.dock.with_alpha(0.6)});
  }

  void expert_row(int expert) {
    const float y = layout_.middle(expert);
    const int every = std::max(1, static_cast<int>(std::ceil(kLeastLabelRow / layout_.row)));
    const bool labelled = expert % every == 0;
    const bool selected = context_.selection.layer == layer_ && context_.selection.expert == expert;
    if (labelled) add_expert_label(scene_, colors_, {kPad, y}, expert, run_.num_experts, faded(expert), selected);
    bar(expert, y);
    for (const auto& [i, load] : ghosts_) {
      // A heat map cannot be laid over another; a tick per expert says where the other run stands at the same step.
      const float x = std::round(bar_x(load.share_E[static_cast<std::size_t>(expert)])) + 0.5F;
      const float half = std::clamp(layout_.row * 0.42F, 1.0F, 8.0F);
      scene_.add(Line{{{x, y - half}, {x, y + half}}, ghost_color(context_, i), 2});
    }
    if (labelled)
      scene_.add(Text{{layout_.right, y - line_height(kSmallSize) / 2},
                      percent(share(expert)),
                      starves(expert) ? colors_.warning
                      : selected      ? colors_.text
                                      : colors_.muted,
                      kSmallSize,
                      Text::Align::kRight,
                      starves(expert) || selected ? Text::Font::kStrong : Text::Font::kRegular});
    const float top = layout_.heat.y + layout_.row * static_cast<float>(expert);
    scene_.hits.push_back({{0, top, layout_.right, layout_.row}, hit(expert)});
  }

  void bar(int expert, float y) {
    const float height = std::clamp(layout_.row * 0.6F, 1.0F, 12.0F);
    const Color color = colors_.expert(expert, run_.num_experts).with_alpha(faded(expert) ? 0.3 : 1.0);
    const Color edge = faded(expert) ? Color{0, 0, 0, 0} : colors_.expert_outline(expert, run_.num_experts);
    if (starves(expert)) {
      // A bar too short to see carries the state instead: hatched, in the warning colour.
      const float width = std::max(18.0F, bar_x(share(expert)) - layout_.bars.x);
      scene_.add(Box{{layout_.bars.x, y - height / 2, width, height},
                     color.with_alpha(0.25),
                     colors_.warning,
                     2,
                     1,
                     Box::Pattern::kHatched});
      return;
    }
    const float end = std::max(layout_.bars.x + 2, bar_x(share(expert)));
    const double dropped = load_.dropped_E[static_cast<std::size_t>(expert)];
    const float kept = dropped > 0.002 ? bar_x(share(expert) * (1 - dropped)) : end;
    scene_.add(
        Box{{layout_.bars.x, y - height / 2, kept - layout_.bars.x, height}, color, edge, std::min(2.0F, height / 3)});
    if (kept < end - 0.5F)
      scene_.add(Box{{kept, y - height / 2, end - kept, height},
                     color.with_alpha(0.3),
                     colors_.text.with_alpha(0.8),
                     0,
                     1,
                     Box::Pattern::kDotted});
  }

  void limits() {
    const float top = layout_.bars.y - 2, bottom = layout_.bars.bottom();
    const float fair_x = std::round(bar_x(fair_)) + 0.5F;
    scene_.add(Line{{{fair_x, top}, {fair_x, bottom}}, colors_.muted.with_alpha(0.6), 1});
    const float y = bottom + 4;
    std::vector<Rect> taken;
    // Under its line, or as near to it as the edges and the other text allow.
    const auto label = [&](float x, const std::string& text, Color color) {
      Text shape{{x, y}, text, color, kSmallSize, Text::Align::kCenter};
      const float half = text_box(shape).w / 2;
      float right = layout_.right - half;
      for (const Rect& other : taken) right = std::min(right, other.x - 8 - half);
      shape.position.x = std::min(std::max(x, layout_.bars.x + half), right);
      if (shape.position.x - half < layout_.bars.x - 4) return;
      taken.push_back(text_box(shape));
      scene_.add(std::move(shape));
    };
    if (capacity_ > 0) {
      char text[48];
      std::snprintf(text, sizeof text, "capacity %.1f", capacity_ / fair_);
      const float x = std::round(bar_x(capacity_)) + 0.5F;
      if (capacity_drawn_) scene_.add(Line{{{x, top}, {x, bottom + 3}}, colors_.warning, 1.5F});
      label(capacity_drawn_ ? x : layout_.right, text, colors_.warning);
    }
    label(fair_x, "fair 1/" + std::to_string(run_.num_experts), colors_.muted);
  }

  void words() {
    float x = kPad, y = layout_.words_top;
    const float separator = text_width(" · ", kBodySize);
    for (std::size_t i = 0; i < layout_.words.size(); ++i) {
      const float width = text_width(layout_.words[i].text, kBodySize, layout_.words[i].font);
      if (i > 0 && x + separator + width > scene_.size.w - kPad) {
        x = kPad;
        y += LoadLayout::kLine;
      } else if (i > 0) {
        scene_.add(Text{{x, y}, " · ", colors_.muted, kBodySize});
        x += separator;
      }
      scene_.add(Text{
          {x, y}, layout_.words[i].text, layout_.words[i].color, kBodySize, Text::Align::kLeft, layout_.words[i].font});
      x += width;
    }
    if (y == layout_.words_top) heat_legend(x + 16);
  }

  // "0 ▬ 3 × fair share" at the right end, if the words leave room.
  void heat_legend(float from) {
    constexpr float kBar = 60;
    const std::string end = "3 × fair share";
    const float right = layout_.right;
    const float end_width = text_width(end, kSmallSize), zero_width = text_width("0", kSmallSize);
    const float left = right - end_width - 6 - kBar - 6 - zero_width;
    if (left < from) return;
    const float y = layout_.words_top + 0.5F;
    scene_.add(Text{{left, y}, "0", colors_.muted, kSmallSize});
    const float x = left + zero_width + 6;
    scene_.add(Box{{x - 1, y + 1.5F, kBar + 2, 9}, {0, 0, 0, 0}, colors_.line});
    scene_.add(heat_ramp(colors_, {x, y + 2.5F, kBar, 7}));
    scene_.add(Text{{right, y}, end, colors_.muted, kSmallSize, Text::Align::kRight});
  }

  Hit hit(int expert) const {
    Hit hit;
    hit.kind = Hit::Kind::kExpert;
    hit.layer = layer_;
    hit.expert = expert;
    hit.name = "expert " + mark_name(layer_, expert);
    const auto e = static_cast<std::size_t>(expert);
    hit.tooltip = mark_name(layer_, expert) + "\n" + exact(100 * share(expert)) + " % of the layer’s pairs, " +
                  exact(share(expert) / fair_) + " × the fair share\n" + exact(100 * load_.dropped_E[e]) +
                  " % of its pairs dropped by capacity\nmean over recent steps, half-life " + exact(kLoadHalfLife) +
                  " steps\nshare = pairs sent to it ÷ all pairs, before capacity";
    for (const auto& [i, load] : ghosts_)
      hit.tooltip += "\n" + context_.ghosts[i].name + " " + exact(100 * load.share_E[e]) + " % (tick)";
    if (starves(expert))
      hit.tooltip +=
          std::string(load_.dead_E[e] ? "\ndead" : "\nstarves") + " since " + step_text(*load_.starving_since_E[e]);
    hit.tooltip += "\nclick to follow its tokens";
    return hit;
  }

  std::string summary() const {
    std::string text = "Layer " + std::to_string(layer_ + 1) + " at " + step_text(context_.shown_step()) + ": " +
                       effective_text(load_) + ", dropped " + percent(load_.dropped) + ", dead " +
                       std::to_string(load_.num_dead());
    const std::string warning = starving_text(load_);
    return warning.empty() ? text : text + "; " + warning;
  }

  const ViewContext& context_;
  const Palette& colors_;
  const RunInfo& run_;
  int layer_;
  LayerLoad load_;
  std::vector<std::pair<std::size_t, LayerLoad>> ghosts_;  ///< index into context.ghosts, and its load at that step
  double fair_ = 1, capacity_ = 0, scale_ = 1;
  bool capacity_drawn_ = false;
  LoadLayout layout_;
  TimeAxis axis_;
  Scene scene_;
};

bool has_loads(const ViewContext& context) {
  return context.history.run() && load_column_at(context.history, context.shown_step()) &&
         !layer_load(context.history, shown_layer(context), context.shown_step()).share_E.empty();
}

LoadLayout layout_of(const ViewContext& context, Size size) {
  return load_layout(context, size, layer_load(context.history, shown_layer(context), context.shown_step()));
}

}  // namespace

void LoadState::update(const telemetry::History& history) {
  const telemetry::TelemetryFrame* frame = history.latest();
  if (!frame) {
    capacity_factor_L.clear();
    return;
  }
  if (!frame->layers.empty()) capacity_factor_L.assign(frame->layers.size(), 0);
  for (std::size_t l = 0; l < frame->layers.size(); ++l) {
    const telemetry::LayerStep& step = frame->layers[l];
    double pairs = 0;
    for (const std::uint32_t load : step.load_E) pairs += load;
    if (pairs > 0) capacity_factor_L[l] = step.capacity * static_cast<double>(step.load_E.size()) / pairs;
  }
}

Scene load_scene(const ViewContext& context, Size size, const LoadState& state) {
  const char* what = "How evenly the experts are used: a heat map over time and the share of each expert now.";
  if (auto waiting = waiting_scene(context, size, "Load", what)) return std::move(*waiting);
  if (context.history.run()->num_experts < 1)
    return empty_scene(size, context.palette, "Load",
                       "This run has no experts: every token takes the one dense network.", "Nothing to do here");
  if (!has_loads(context))
    return empty_scene(size, context.palette, "Load", what, "No step at this moment: press End to follow live");
  return Painter(context, size, state).paint();
}

TimeAxis load_time_axis(const ViewContext& context, Size size) {
  if (!context.history.run() || !has_loads(context)) return {};
  return time_axis(context, layout_of(context, size).heat);
}

std::string load_readout(const ViewContext& context, Size size, std::int64_t step, Vec2 at) {
  const RunInfo* run = context.history.run();
  const telemetry::LoadColumn* column = load_column_at(context.history, std::max<std::int64_t>(1, step));
  if (!run || !column) return {};
  if (!has_loads(context)) return {};
  const LoadLayout layout = layout_of(context, size);
  const int expert = std::clamp(static_cast<int>((at.y - layout.heat.y) / layout.row), 0, layout.num_experts - 1);
  const int layer = shown_layer(context);
  const auto i = static_cast<std::size_t>(layer * run->num_experts + expert);
  if (i >= column->share_LE.size()) return {};
  const auto value = [&](const std::vector<float>& of) { return static_cast<double>(of[i]); };
  std::string text = mark_name(layer, expert) + " at " + step_text(step) + "\n" + exact(100 * value(column->share_LE)) +
                     " % of the layer’s pairs, " + exact(value(column->share_LE) * run->num_experts) +
                     " × the fair share";
  if (column->last_step > column->first_step)
    text += "\n" + step_text(column->first_step) + " to " + std::to_string(column->last_step) + ": least " +
            exact(100 * value(column->min_LE)) + " %, most " + exact(100 * value(column->max_LE)) + " %";
  return text + "\n" + exact(100 * value(column->dropped_LE)) +
         " % of its pairs dropped by capacity\nshare = pairs sent to it ÷ all pairs, before capacity";
}

}  // namespace moescope::views
