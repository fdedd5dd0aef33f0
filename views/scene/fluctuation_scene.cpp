#include "views/scene/fluctuation_scene.h"

#include <algorithm>
#include <cmath>

#include "views/scene/difference.h"
#include "views/scene/fluctuation_difference.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"
#include "views/scene/time_axis.h"

namespace moescope::views {
namespace {

constexpr float kLeft = 44;  // room for the curve's scale and the row caption
constexpr float kRight = 12;
constexpr float kMarks = 16;       // texts of the marks
constexpr float kCaption = 18;     // the line between raster and curve
constexpr float kStepLabels = 18;  // steps at the bottom
constexpr int kMaxRasterWidth = 1024;

Color mixed(Color a, Color b, double share_of_b) {
  const auto mix = [share_of_b](std::uint8_t x, std::uint8_t y) {
    return static_cast<std::uint8_t>(std::lround(x + (y - x) * share_of_b));
  };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), 255};
}

// One colour per expert, those not followed faded towards the ground; the last entry stands for "no expert".
std::vector<std::uint32_t> expert_colors(const ViewContext& context, int num_experts, int layer) {
  std::vector<std::uint32_t> colors;
  for (int e = 0; e < num_experts; ++e) {
    Color color = context.palette.expert(e, num_experts);
    if (is_faded(context.selection, layer, e)) color = mixed(color, context.palette.dock, 0.82);
    colors.push_back(packed(color));
  }
  colors.push_back(packed(context.palette.grid));
  return colors;
}

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const FluctuationRows& rows, RowOrder order,
          std::span<const SettledCurve> ghosts, const FluctuationDifference* difference)
      : context_(context),
        rows_(rows),
        order_(order),
        ghosts_(ghosts),
        difference_(difference),
        layout_(fluctuation_layout(size)),
        raster_(layout_.raster),
        curve_(layout_.curve) {
    scene_.size = size;
  }

  Scene paint(std::uint64_t raster_version) {
    axis_ = time_axis(context_, raster_);
    if (difference_) add_no_data_ground(scene_, context_.palette, raster_);
    scene_.add(fluctuation_raster(rows_, context_, raster_, axis_.first, axis_.last, difference_)).version =
        raster_version;
    row_caption();
    controls();
    tokens_to_click();
    const TimeAxis whole{{raster_.x, raster_.y, raster_.w, curve_.bottom() - raster_.y}, axis_.first, axis_.last};
    if (curve_.h > 0) cumulative_curve();
    add_time_marks(scene_, context_, whole, {layout_.marks_y, 1, false});
    caption();
    add_time_cursor(scene_, context_, whole);
    add_step_labels(scene_, context_, whole, curve_.bottom() + 3);
    return std::move(scene_);
  }

 private:
  void row_caption() {
    const std::string order = order_ == RowOrder::kLastChange ? "calm first" : "by " + order_name(order_);
    const std::string text = figure(static_cast<double>(rows_.order_M.size())) + " probe tokens, " + order;
    const std::string shown = elided(text, kSmallSize, raster_.h);
    if (shown.empty()) return;
    scene_.add(Text{{16, raster_.y + raster_.h / 2 + text_width(shown, kSmallSize) / 2},
                    shown,
                    context_.palette.muted,
                    kSmallSize,
                    Text::Align::kLeft,
                    Text::Font::kRegular,
                    -90});
  }

  void controls() {
    if (layout_.controls_y < 0) return;
    const std::string text = "sort: " + order_name(order_);
    scene_.add(Text{{raster_.x, layout_.controls_y}, text, context_.palette.muted, kSmallSize});
    Hit hit{
        Hit::Kind::kControl, -1, -1, -1, "sort", "order of the rows\nclick for the next: last change, class, expert"};
    scene_.hits.push_back({{raster_.x - 2, layout_.controls_y - 2, text_width(text, kSmallSize) + 4, 16}, hit});
    const float room = raster_.w - text_width(text, kSmallSize) - 16;
    add_layers_and_difference(scene_, context_, {raster_.right(), layout_.controls_y - 2}, raster_.w / 2, room,
                              difference_obstacle(context_));
  }

  void tokens_to_click() {
    const float height = raster_.h / static_cast<float>(std::max<std::size_t>(1, rows_.order_M.size()));
    for (std::size_t row = 0; row < rows_.order_M.size(); ++row) {
      const Hit hit{Hit::Kind::kToken, -1, -1, rows_.order_M[row], "token " + std::to_string(rows_.order_M[row]), {}};
      scene_.hits.push_back({{raster_.x, raster_.y + height * static_cast<float>(row), raster_.w, height}, hit});
    }
    if (!context_.selection.token || rows_.order_M.empty()) return;
    const auto row = std::find(rows_.order_M.begin(), rows_.order_M.end(), *context_.selection.token);
    if (row == rows_.order_M.end()) return;
    const float h = raster_.h / static_cast<float>(rows_.order_M.size());
    const float y = raster_.y + h * (static_cast<float>(row - rows_.order_M.begin()) + 0.5F);
    scene_.add(Box{{raster_.x - 1, y - std::max(2.0F, h / 2), raster_.w + 2, std::max(4.0F, h)},
                   {0, 0, 0, 0},
                   context_.palette.text,
                   0,
                   1});
  }

  void cumulative_curve() {
    for (const double level : {0.0, 0.5, 1.0}) {
      const float y = curve_y(level);
      scene_.add(Line{{{curve_.x, y}, {curve_.right(), y}}, context_.palette.grid, 1});
      if (level == 0.5 && curve_.h < 50) continue;
      scene_.add(Text{{kLeft - 5, y - (level == 1.0   ? 2
                                       : level == 0.5 ? 6
                                                      : 11)},
                      percent(level),
                      context_.palette.muted,
                      kSmallSize,
                      Text::Align::kRight});
    }
    for (std::size_t i = 0; i < ghosts_.size(); ++i) ghost_curve(i);
    Line line{{}, context_.palette.accent, 2};
    // A fork begins where it left its parent; nothing is known of it before.
    const std::int64_t begin = context_.history.run()->parent_step;
    line.points.push_back({axis_.x(static_cast<double>(begin)), curve_y(settled_share(rows_, begin))});
    for (const std::int64_t step : rows_.step_C)
      line.points.push_back({axis_.x(static_cast<double>(step)), curve_y(settled_share(rows_, step))});
    scene_.add(std::move(line));
  }

  void ghost_curve(std::size_t i) {
    const SettledCurve& curve = ghosts_[i];
    if (curve.step_C.size() < 2) return;
    Line line{{}, ghost_color(context_, i), 1.2F, true};
    for (std::size_t c = 0; c < curve.step_C.size(); ++c)
      line.points.push_back({axis_.x(static_cast<double>(curve.step_C[c])), curve_y(curve.share_C[c])});
    scene_.add(std::move(line));
  }

  float curve_y(double share) const { return curve_.bottom() - curve_.h * static_cast<float>(share); }

  void caption() {
    const std::int64_t now = rows_.step_C.back();
    // A change of who decides is no fluctuation, yet the raster shows it.
    std::string text = rows_.has_break ? "share of tokens settled; the student’s take-over does not count"
                                       : "share of tokens settled: they stay put from this step on";
    std::string beyond = "elsewhere after 20 / 50 / 80 % of the run so far: ";
    for (const double progress : {0.2, 0.5, 0.8}) {
      const double share = share_elsewhere_after(rows_, static_cast<std::int64_t>(progress * static_cast<double>(now)));
      beyond += (progress > 0.2 ? " / " : "") + percent(share);
    }
    // Of the raster first, then, where there is room, of the curve beneath it.
    const std::string of_curve =
        rows_.has_break ? "; below: share settled, the take-over apart" : "; below: share that has settled";
    if (difference_) text = elsewhere_text(*difference_);
    const float y = raster_.bottom() + 3;
    float room = raster_.w;
    // Marks run through raster and curve, not through the words between them.
    scene_.add(Box{{raster_.x, y - 2, raster_.w, kCaption - 2}, context_.palette.dock});
    if (!ghosts_.empty()) {
      std::vector<LegendItem> items{{LegendItem::Kind::kLine, "this run", context_.palette.accent}};
      add_ghosts_to(items, context_);
      const float beside = room - text_width(text, kSmallSize) - 12;
      const float used = add_legend(scene_, context_.palette, {raster_.right(), y}, beside, items);
      if (used > 0) room -= used + 12;
    } else if (text_width(text, kSmallSize) + text_width(beyond, kSmallSize) + 16 < room) {
      scene_.add(Text{{raster_.right(), y}, beyond, context_.palette.muted, kSmallSize, Text::Align::kRight});
    }
    if (difference_ && text_width(text + of_curve, kSmallSize) <= room) text += of_curve;
    scene_.add(Text{{raster_.x, y}, elided(text, kSmallSize, room), context_.palette.muted, kSmallSize});
    scene_.summary =
        percent(rows_.fluctuation_C.back()) + " of the probe tokens changed expert since the probe before; " + beyond;
    if (difference_) scene_.summary += "; " + elsewhere_text(*difference_);
  }

  const ViewContext& context_;
  const FluctuationRows& rows_;
  RowOrder order_;
  std::span<const SettledCurve> ghosts_;
  const FluctuationDifference* difference_;
  FluctuationLayout layout_;
  Scene scene_;
  Rect raster_, curve_;
  TimeAxis axis_;
};

}  // namespace

Picture fluctuation_raster(const FluctuationRows& rows, const ViewContext& context, Rect plot, std::int64_t first_step,
                           std::int64_t last_step, const FluctuationDifference* difference) {
  const auto num_tokens = rows.order_M.size();
  const telemetry::RunInfo& run = *context.history.run();
  Picture picture;
  picture.rect = plot;
  picture.id = 1;
  picture.width = std::clamp(static_cast<int>(plot.w), 1, kMaxRasterWidth);
  picture.height = static_cast<int>(num_tokens);
  const std::vector<std::uint32_t> colors = expert_colors(context, run.num_experts, shown_layer(context));
  const std::uint32_t nothing = difference ? 0 : packed(context.palette.dock);
  const std::uint32_t same = packed(context.palette.difference(0));
  picture.rgba.assign(static_cast<std::size_t>(picture.width) * num_tokens, nothing);
  const telemetry::TelemetryFrame* latest = context.history.latest();
  const double newest = static_cast<double>(latest ? latest->step : last_step);  // the axis may reach on, for a ghost
  const double span = static_cast<double>(std::max<std::int64_t>(1, last_step - first_step));
  for (int column = 0; column < picture.width; ++column) {
    // A column shows the newest probe it reaches, so that one at the newest step has the last column.
    const auto step_at = [&](int x) { return static_cast<double>(first_step) + span * x / picture.width; };
    const double until = std::min(step_at(column + 1) + 1e-6, newest);
    const auto after = std::upper_bound(rows.step_C.begin(), rows.step_C.end(), static_cast<std::int64_t>(until));
    if (after == rows.step_C.begin() || step_at(column) > newest) continue;  // there is nothing to show
    const auto probe = static_cast<std::size_t>(after - rows.step_C.begin() - 1);
    for (std::size_t row = 0; row < num_tokens; ++row) {
      const std::size_t cell = probe * num_tokens + static_cast<std::size_t>(rows.order_M[row]);
      const int expert = rows.expert_CM[cell];
      const std::size_t color =
          expert < 0 || expert >= run.num_experts ? colors.size() - 1 : static_cast<std::size_t>(expert);
      std::uint32_t& pixel =
          picture.rgba[row * static_cast<std::size_t>(picture.width) + static_cast<std::size_t>(column)];
      pixel = colors[color];
      if (!difference) continue;
      const int other = difference->expert_CM[cell];
      if (other == FluctuationDifference::kUnknown) pixel = nothing;
      if (other == expert) pixel = same;
    }
  }
  return picture;
}

FluctuationLayout fluctuation_layout(Size size) {
  FluctuationLayout layout;
  const bool has_controls = size.h > 210;
  if (has_controls) layout.controls_y = 5;
  layout.marks_y = has_controls ? 21.0F : 4.0F;
  const float top = layout.marks_y + kMarks;
  const float both = size.h - top - kCaption - kStepLabels;
  const float curve = size.h < 170 ? 0 : std::clamp(both * 0.24F, 34.0F, 90.0F);
  const float width = std::max(10.0F, size.w - kLeft - kRight);
  layout.raster = {kLeft, top, width, std::max(20.0F, both - curve)};
  layout.curve = {kLeft, layout.raster.bottom() + kCaption, width, curve};
  return layout;
}

std::string order_name(RowOrder order) {
  switch (order) {
    case RowOrder::kLastChange: return "last change";
    case RowOrder::kTokenClass: return "class";
    case RowOrder::kExpert: return "expert";
  }
  return {};
}

Scene fluctuation_scene(const ViewContext& context, Size size, const FluctuationRows& rows, RowOrder order,
                        std::uint64_t raster_version, std::span<const SettledCurve> ghosts,
                        const FluctuationDifference* difference) {
  return Painter(context, size, rows, order, ghosts, difference).paint(raster_version);
}

}  // namespace moescope::views
