#include "views/scene/loss_scene.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "views/scene/empty_scene.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

using telemetry::ScalarSeries;

constexpr float kPad = 10;
constexpr float kHeader = 17;      // unit and legend
constexpr float kMarkRow = 14;     // texts of the marks
constexpr float kFooter = 17;      // step labels
constexpr float kBandHeight = 30;  // one auxiliary loss
constexpr float kBandGap = 6;
constexpr std::size_t kMostBands = 3;

// A value at the right end of a curve, beside the plot.
struct EndLabel {
  float y = 0;
  std::string value;
  std::string name;
  Color color;
  Text::Font font = Text::Font::kRegular;
};

struct Layout {
  Rect plot;
  std::vector<Rect> bands;
  bool header = true, names = true;
  int mark_rows = 0;
  float right_width = 0;
};

Layout lay_out(const ViewContext& context, Size size) {
  Layout layout;
  layout.header = size.h >= 150;
  const std::size_t events = context.history.events().size();
  layout.mark_rows = size.h < 120 || events == 0 ? 0 : size.h >= 300 && events > 1 ? 2 : 1;
  layout.names = size.w >= 460;
  const float left = kPad + text_width("10.7", kSmallSize) + 7;
  layout.right_width = layout.names ? text_width("9.99 validation", kBodySize, Text::Font::kStrong) + 12
                                    : text_width("0.0104", kBodySize) + 12;
  const float top =
      (layout.header ? kHeader : 4) + (layout.mark_rows > 0 ? kMarkRow * static_cast<float>(layout.mark_rows) : 2);
  float bottom = size.h - kFooter - 3;
  std::size_t bands = std::min(auxiliary_series(context.history).size(), kMostBands);
  while (bands > 0 && bottom - top - static_cast<float>(bands) * (kBandHeight + kBandGap) < 90) --bands;
  bottom -= static_cast<float>(bands) * (kBandHeight + kBandGap);
  layout.plot = {left, top, std::max(20.0F, size.w - left - layout.right_width), std::max(10.0F, bottom - top)};
  for (std::size_t i = 0; i < bands; ++i)
    layout.bands.push_back(
        {left, bottom + kBandGap + static_cast<float>(i) * (kBandHeight + kBandGap), layout.plot.w, kBandHeight});
  return layout;
}

struct Wanted {
  double low = 0, high = 0;
};

// What the main plot has to show: the task's raw values, validation, the reference.
Wanted wanted_limits(const ViewContext& context) {
  double low = 1e300, high = -1e300;
  const auto take = [&](const ScalarSeries* series) {
    for (std::size_t i = 0; series && i < series->value.size(); ++i) {
      if (!std::isfinite(series->value[i])) continue;
      low = std::min(low, series->value[i] * kBitsPerNat);
      high = std::max(high, series->value[i] * kBitsPerNat);
    }
  };
  for (const char* name : {"task", "validation"}) take(context.history.series(name));
  for (const telemetry::Ghost& ghost : context.ghosts) take(ghost.history->series("task"));
  if (low > high) return {0, 1};
  const double unigram = context.history.run()->unigram_entropy_bits;
  if (unigram > 0) {
    low = std::min(low, unigram);
    high = std::max(high, unigram);
  }
  const double room = std::max(0.05, 0.05 * (high - low));
  return {low - room, high + room};
}

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const LossState& state)
      : context_(context),
        colors_(context.palette),
        layout_(lay_out(context, size)),
        axis_(time_axis(context, layout_.plot)) {
    scene_.size = size;
    const Wanted wanted = wanted_limits(context);
    low_ = state.bits.known() ? std::min(state.bits.low, wanted.low) : wanted.low;
    high_ = state.bits.known() ? std::max(state.bits.high, wanted.high) : wanted.high;
  }

  Scene paint() {
    grid();
    reference();
    for (std::size_t i = 0; i < context_.ghosts.size(); ++i) ghost(i);
    task();
    validation();
    bands();
    TimeAxis all = axis_;  // marks and cursor run through the bands as well
    if (!layout_.bands.empty()) all.plot.h = layout_.bands.back().bottom() - all.plot.y;
    add_time_marks(scene_, context_, all,
                   {layout_.plot.y - kMarkRow * static_cast<float>(layout_.mark_rows), layout_.mark_rows, false, kPad});
    add_time_cursor(scene_, context_, all);
    add_step_labels(scene_, context_, axis_, all.plot.bottom() + 4);
    end_labels();
    if (layout_.header) header();
    scene_.summary = summary();
    return std::move(scene_);
  }

 private:
  float y(double bits) const {
    const double part = (bits - low_) / std::max(1e-12, high_ - low_);
    return layout_.plot.bottom() - static_cast<float>(std::clamp(part, -0.05, 1.05)) * layout_.plot.h;
  }

  void grid() {
    const int most = std::clamp(static_cast<int>(layout_.plot.h / 26), 2, 4);
    for (const double value : round_values(low_, high_, most)) {
      const float at = std::round(y(value)) + 0.5F;
      scene_.add(Line{{{layout_.plot.x, at}, {layout_.plot.right(), at}}, colors_.grid, 1});
      const float top = std::clamp(at - line_height(kSmallSize) / 2, layout_.plot.y - 4,
                                   layout_.plot.bottom() - line_height(kSmallSize) + 4);
      scene_.add(Text{{layout_.plot.x - 7, top}, figure(value), colors_.muted, kSmallSize, Text::Align::kRight});
    }
  }

  void reference() {
    const double unigram = context_.history.run()->unigram_entropy_bits;
    if (unigram <= 0) return;
    const float at = std::round(y(unigram)) + 0.5F;
    scene_.add(Line{{{layout_.plot.x, at}, {layout_.plot.right(), at}}, colors_.muted.with_alpha(0.7), 1});
    ends_.push_back({at, figure_with_zeros(unigram), "unigram", colors_.muted, Text::Font::kRegular});
  }

  // Only the mean: a second band would hide the first.
  void ghost(std::size_t i) {
    const ScalarSeries* series = context_.ghosts[i].history->series("task");
    if (!series) return;
    const CurveColumns columns = curve_columns(*series, axis_, kBitsPerNat, kLossHalfLife);
    if (columns.empty()) return;
    const Color color = ghost_color(context_, i);
    Line mean{{}, color, 1.2F, true};
    for (std::size_t c = 0; c < columns.x.size(); ++c) mean.points.push_back({columns.x[c], y(columns.mean[c])});
    ends_.push_back({mean.points.back().y, figure_with_zeros(columns.mean.back()), context_.ghosts[i].name, color,
                     Text::Font::kRegular});
    scene_.add(std::move(mean));
  }

  void task() {
    const ScalarSeries* series = context_.history.series("task");
    if (!series || series->step.empty()) return;
    const CurveColumns columns = curve_columns(*series, axis_, kBitsPerNat, kLossHalfLife);
    raw(columns, colors_.accent, [this](double v) { return y(v); });
    Line mean{{}, colors_.accent, 2};
    for (std::size_t i = 0; i < columns.x.size(); ++i) mean.points.push_back({columns.x[i], y(columns.mean[i])});
    if (columns.empty()) return;
    const Vec2 end = mean.points.back();
    scene_.add(std::move(mean));
    scene_.add(Dots{{end}, {colors_.accent}, 3.5F});
    ends_.push_back({end.y, figure_with_zeros(columns.mean.back()), "task", colors_.text, Text::Font::kStrong});
  }

  template <class ToY>
  void raw(const CurveColumns& columns, Color color, ToY to_y) {
    if (columns.thin) {
      Line line{{}, color.with_alpha(0.4), 1};
      for (std::size_t i = 0; i < columns.x.size(); ++i) line.points.push_back({columns.x[i], to_y(columns.low[i])});
      scene_.add(std::move(line));
      return;
    }
    Band band{columns.x, {}, {}, color.with_alpha(0.28)};
    for (std::size_t i = 0; i < columns.x.size(); ++i) {
      // At least one pixel high, so that calm stretches do not vanish.
      const float low = to_y(columns.low[i]), high = to_y(columns.high[i]);
      band.low.push_back(std::max(low, high + 1));
      band.high.push_back(high);
    }
    scene_.add(std::move(band));
  }

  void validation() {
    const ScalarSeries* series = context_.history.series("validation");
    if (!series || series->step.empty()) return;
    const CurveColumns columns = curve_columns(*series, axis_, kBitsPerNat, 0);
    if (columns.empty()) return;
    Line line{{}, colors_.text.with_alpha(0.85), 1};
    Dots dots{{}, {}, 2.2F};
    for (std::size_t i = 0; i < columns.x.size(); ++i) {
      line.points.push_back({columns.x[i], y(columns.mean[i])});
      // Points closer than 8 px would merge into a second, thicker line.
      if (dots.centers.empty() || i + 1 == columns.x.size() || columns.x[i] - dots.centers.back().x >= 8) {
        dots.centers.push_back(line.points.back());
        dots.colors.push_back(colors_.text);
      }
    }
    ends_.push_back({line.points.back().y, figure_with_zeros(columns.mean.back()), "validation", colors_.text,
                     Text::Font::kRegular});
    scene_.add(std::move(line));
    scene_.add(std::move(dots));
  }

  void bands() {
    const auto series = auxiliary_series(context_.history);
    for (std::size_t i = 0; i < layout_.bands.size(); ++i) band(*series[i], layout_.bands[i]);
  }

  // One auxiliary loss on its own scale from 0, its name inside, its scale on the left, its value on the right.
  void band(const ScalarSeries& series, const Rect& rect) {
    const CurveColumns columns = curve_columns(series, time_axis(context_, rect), 1, kLossHalfLife);
    double most = 0;
    for (const double high : columns.high) most = std::max(most, high);
    const double scale = round_up(most);
    const auto to_y = [&](double value) {
      return rect.bottom() - static_cast<float>(std::clamp(value / scale, 0.0, 1.0)) * rect.h;
    };
    scene_.add(Line{{{rect.x, rect.bottom() + 0.5F}, {rect.right(), rect.bottom() + 0.5F}}, colors_.grid, 1});
    raw(columns, colors_.muted, to_y);
    Line mean{{}, colors_.muted, 1.5F};
    for (std::size_t i = 0; i < columns.x.size(); ++i) mean.points.push_back({columns.x[i], to_y(columns.mean[i])});
    if (mean.points.size() > 1) scene_.add(std::move(mean));
    scene_.add(Text{{rect.x - 7, rect.y - 2}, figure(scale), colors_.muted, kSmallSize, Text::Align::kRight});
    scene_.add(Text{{rect.x - 7, rect.bottom() - 10}, "0", colors_.muted, kSmallSize, Text::Align::kRight});
    if (columns.empty()) return;
    const std::string value = figure_with_zeros(columns.mean.back());
    const float x = rect.right() + 8, room = layout_.right_width - 10, middle = rect.y + rect.h / 2;
    scene_.add(Text{{x, middle - line_height(kBodySize)}, elided(value, kBodySize, room), colors_.text, kBodySize});
    scene_.add(Text{{x, middle}, elided(series.name, kSmallSize, room), colors_.muted, kSmallSize});
  }

  // The curves' ends pushed apart until their texts stand clear of each other, inside the plot's height.
  void end_labels() {
    std::stable_sort(ends_.begin(), ends_.end(), [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
    const float height = line_height(kBodySize);
    const float top = layout_.plot.y - 2, bottom = layout_.plot.bottom() + 2;
    float free = top;
    for (EndLabel& end : ends_) {
      end.y = std::max(end.y - height / 2, free);
      free = end.y + height;
    }
    free = bottom;
    for (auto end = ends_.rbegin(); end != ends_.rend(); ++end) {
      end->y = std::min(end->y, free - height);
      free = end->y;
    }
    for (const EndLabel& end : ends_) {
      if (end.y < top - 0.5F) continue;
      const float x = layout_.plot.right() + 8;
      const Text& value = scene_.add(Text{{x, end.y}, end.value, end.color, kBodySize, Text::Align::kLeft, end.font});
      const float name_x = text_box(value).right() + 4;
      if (layout_.names)
        scene_.add(Text{{name_x, end.y + 0.5F},
                        elided(end.name, kSmallSize, scene_.size.w - name_x - 1),
                        colors_.muted,
                        kSmallSize});
    }
  }

  void header() {
    const Text& unit = scene_.add(Text{{kPad, 4}, "bits per token", colors_.muted, kSmallSize});
    const float room = scene_.size.w - text_box(unit).right() - kPad - 16;
    char mean[48];
    std::snprintf(mean, sizeof mean, "task, mean with half-life %.0f steps", kLossHalfLife);
    std::vector<LegendItem> items{{LegendItem::Kind::kLine, mean, colors_.accent}};
    items.push_back({LegendItem::Kind::kBand, "each step", colors_.accent.with_alpha(0.3)});
    add_ghosts_to(items, context_);
    if (context_.history.series("validation")) items.push_back({LegendItem::Kind::kLine, "validation", colors_.text});
    if (context_.history.run()->unigram_entropy_bits > 0)
      items.push_back({LegendItem::Kind::kLine, "unigram entropy of the training text", colors_.muted.with_alpha(0.7)});
    add_legend(scene_, colors_, {scene_.size.w - kPad, 4}, room, items);
  }

  std::string summary() const {
    std::string text = "Loss at " + step_text(axis_.last);
    for (const EndLabel& end : ends_) text += ", " + end.name + " " + end.value;
    return text + " bits per token";
  }

  const ViewContext& context_;
  const Palette& colors_;
  Layout layout_;
  TimeAxis axis_;
  double low_ = 0, high_ = 1;
  std::vector<EndLabel> ends_;
  Scene scene_;
};

}  // namespace

void LossState::update(const ViewContext& context, double seconds) {
  if (!context.history.latest()) {
    bits = {};
    return;
  }
  const Wanted wanted = wanted_limits(context);
  bits.follow(wanted.low, wanted.high, seconds);
}

Scene loss_scene(const ViewContext& context, Size size, const LossState& state) {
  const char* what = "Task and validation loss over steps against the unigram entropy, and the auxiliary losses.";
  if (auto waiting = waiting_scene(context, size, "Loss", what)) return std::move(*waiting);
  if (!context.history.series("task"))
    return empty_scene(size, context.palette, "Loss", what, "The first step is on its way …");
  return Painter(context, size, state).paint();
}

TimeAxis loss_time_axis(const ViewContext& context, Size size) {
  if (!context.history.run() || !context.history.latest()) return {};
  const Layout layout = lay_out(context, size);
  TimeAxis axis = time_axis(context, layout.plot);
  if (!layout.bands.empty()) axis.plot.h = layout.bands.back().bottom() - axis.plot.y;
  return axis;
}

}  // namespace moescope::views
