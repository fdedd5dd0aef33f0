#include "views/scene/load_scene.h"

#include <algorithm>
#include <cmath>

#include "views/scene/difference.h"
#include "views/scene/empty_scene.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/layer_load.h"
#include "views/scene/load_bars.h"
#include "views/scene/load_difference.h"
#include "views/scene/load_heat.h"
#include "views/scene/load_layout.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

using telemetry::RunInfo;

constexpr float kPad = LoadLayout::kPad;
constexpr float kLeastLabelRow = 11;
constexpr float kLeastWords = 120;  // left of the legend

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const LoadState& state)
      : context_(context),
        colors_(context.palette),
        run_(*context.history.run()),
        layer_(shown_layer(context)),
        load_(layer_load(context.history, layer_, context.shown_step())),
        ghosts_(ghost_loads(context, layer_)),
        difference_(difference_ghost(context)),
        layout_(load_layout(context, size, load_)),
        axis_(time_axis(context, layout_.heat)),
        bars_(context, layout_, layer_, load_, ghosts_, capacity(state)) {
    scene_.size = size;
  }

  Scene paint() {
    add_heat(scene_, context_, layout_, layer_);
    for (int e = 0; e < layout_.num_experts; ++e) expert_row(e);
    bars_.add_limits(scene_);
    const float above_bars = layout_.right - layout_.bars.x + 8;
    add_layers_and_difference(scene_, context_, {layout_.right, 3}, above_bars, above_bars);
    add_time_marks(scene_, context_, axis_, {5, layout_.mark_rows, false, kPad});
    add_time_cursor(scene_, context_, axis_);
    add_step_labels(scene_, context_, axis_, layout_.heat.bottom() + 4);
    if (layout_.difference_top >= 0) difference_line();
    words();
    scene_.summary = summary();
    return std::move(scene_);
  }

 private:
  bool faded(int expert) const { return is_faded(context_.selection, layer_, expert); }
  bool starves(int expert) const { return load_.starving_since_E[static_cast<std::size_t>(expert)].has_value(); }
  double share(int expert) const { return load_.share_E[static_cast<std::size_t>(expert)]; }
  double fair() const { return 1.0 / std::max(1, run_.num_experts); }
  double capacity(const LoadState& state) const {
    const auto l = static_cast<std::size_t>(layer_);
    return l < state.capacity_factor_L.size() ? state.capacity_factor_L[l] * fair() : 0;
  }

  void expert_row(int expert) {
    const float y = layout_.middle(expert);
    const int every = std::max(1, static_cast<int>(std::ceil(kLeastLabelRow / layout_.row)));
    const bool labelled = expert % every == 0;
    const bool selected = context_.selection.layer == layer_ && context_.selection.expert == expert;
    if (labelled) add_expert_label(scene_, colors_, {kPad, y}, expert, run_.num_experts, faded(expert), selected);
    bars_.add_row(scene_, expert);
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

  // Dock titles are not on exported pictures: the picture itself says whose difference it is.
  void difference_line() {
    const float y = layout_.difference_top;
    const float end = add_heat_legend(scene_, context_, {layout_.right, y + 0.5F}, kPad + kLeastWords) - 12;
    // In a narrow canvas the figures stay: the switch above names the run.
    std::string text = difference_name() + difference_figures();
    if (text_width(text, kBodySize) > end - kPad) text = difference_figures();
    scene_.add(Text{{kPad, y}, elided(text, kBodySize, end - kPad), colors_.text, kBodySize});
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
    // At the right end, if the words leave room.
    if (y == layout_.words_top && layout_.difference_top < 0)
      add_heat_legend(scene_, context_, {layout_.right, y + 0.5F}, x + 16);
  }

  Hit hit(int expert) const {
    Hit hit;
    hit.kind = Hit::Kind::kExpert;
    hit.layer = layer_;
    hit.expert = expert;
    hit.name = "expert " + mark_name(layer_, expert);
    const auto e = static_cast<std::size_t>(expert);
    hit.tooltip = mark_name(layer_, expert) + "\n" + exact(100 * share(expert)) + " % of the layer’s pairs, " +
                  exact(share(expert) / fair()) + " × the fair share\n" + exact(100 * load_.dropped_E[e]) +
                  " % of its pairs dropped by capacity\nmean over recent steps, half-life " + exact(kLoadHalfLife) +
                  " steps\nshare = pairs sent to it ÷ all pairs, before capacity";
    for (const GhostLoad& ghost : ghosts_)
      hit.tooltip += "\n" + context_.ghosts[ghost.ghost].name + " " + exact(100 * ghost.load.share_E[e]) + " % (tick)";
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
    if (const std::string warning = starving_text(load_); !warning.empty()) text += "; " + warning;
    return difference_ ? text + "; " + difference_name() + difference_figures() : text;
  }

  std::string difference_name() const { return "difference to " + difference_->name + ", recent steps: "; }

  std::string difference_figures() const {
    const auto pair = recent_pair(context_.history, *difference_->history, layer_, context_.shown_step());
    if (!pair) return "only one of the two runs has this step";
    std::size_t most = 0, least = 0;
    for (std::size_t e = 1; e < pair->mine_E.size(); ++e) {
      if (pair->difference(e) > pair->difference(most)) most = e;
      if (pair->difference(e) < pair->difference(least)) least = e;
    }
    constexpr double kRounding = 1e-6;
    if (pair->difference(most) <= kRounding) return "none";
    const auto one = [&](std::size_t e) {
      return expert_name(static_cast<int>(e)) + " " + signed_figure(pair->difference(e));
    };
    return one(most) + " to " + one(least) + " × the fair share";
  }

  const ViewContext& context_;
  const Palette& colors_;
  const RunInfo& run_;
  int layer_;
  LayerLoad load_;
  std::vector<GhostLoad> ghosts_;
  const telemetry::Ghost* difference_;  ///< nullptr: the run itself is shown
  LoadLayout layout_;
  TimeAxis axis_;
  LoadBars bars_;
  Scene scene_;
};

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
  return time_axis(context, load_layout(context, size).heat);
}

}  // namespace moescope::views
