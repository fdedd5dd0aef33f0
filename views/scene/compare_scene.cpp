#include "views/scene/compare_scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <utility>

#include "core/analysis/spread.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/plot_frame.h"
#include "views/scene/text_metrics.h"
#include "views/scene/time_axis.h"

namespace moescope::views {
namespace {

constexpr float kSwatch = 14;      // of a label
constexpr float kMostLabel = 190;  // width of the labels at the curves' ends
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// A configuration's name and last value at the right end.
struct EndLabel {
  float y = 0;  // where its curve ends; then where the text stands
  std::string name, value;
  Color color;
};

/// The error with two digits, the mean to the same place: "2.395 ± 0.019".
std::string mean_text(double mean, double error) {
  if (!std::isfinite(error) || error <= 0) return figure_with_zeros(mean);
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 6);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%.*f ± %.*f", decimals, mean, decimals, error);
  return text.data();
}

class Curves : public PlotFrame {
 public:
  Curves(const CurvePlot& plot, const Palette& colors, Size size)
      : PlotFrame(plot.text, colors, size, label_width(plot) + kGap + kPad), plot_(plot) {
    for (const CurveGroup& group : plot.groups) means_.push_back(mean_curve(group.runs));
  }

  Scene paint() {
    ranges();
    x_axis();
    for (std::size_t i = 0; i < means_.size(); ++i) band(means_[i], line_color(colors_, i));
    for (std::size_t i = 0; i < means_.size(); ++i) line(i);
    end_labels();
    x_label();
    summary();
    return std::move(scene_);
  }

 private:
  static float label_width(const CurvePlot& plot) {
    float widest = 60;
    for (const CurveGroup& group : plot.groups) {
      const MeanCurve mean = mean_curve(group.runs);
      const std::string value = mean.x.empty() ? "no values" : mean_text(mean.mean.back(), mean.error.back());
      widest =
          std::max({widest, text_width(group.name, kBodySize, Text::Font::kStrong), text_width(value, kSmallSize)});
    }
    return std::min(kMostLabel, kSwatch + 5 + widest);
  }

  void ranges() {
    PlotRange range;
    for (const MeanCurve& curve : means_) {
      for (std::size_t i = 0; i < curve.x.size(); ++i) {
        const double error = std::isfinite(curve.error[i]) ? curve.error[i] : 0;
        range.take(curve.mean[i] - error);
        range.take(curve.mean[i] + error);
        x_.take(curve.x[i]);
      }
    }
    range.widen(0.05);
    if (plot_.from_zero) range.low = 0;
    y_axis(range);
    if (!x_.known()) x_ = {0, 1};
    if (x_.low > 0 && x_.low < 0.25 * x_.high) x_.low = 0;
    if (x_.low == x_.high) x_ = {x_.low - 0.5, x_.high + 0.5};
  }

  float x(double value) const { return area_.x + static_cast<float>((value - x_.low) / (x_.high - x_.low)) * area_.w; }

  void x_axis() {
    const int most = std::clamp(static_cast<int>(area_.w / 60), 2, 10);
    for (const double value : round_values(x_.low, x_.high, most)) {
      const float at = std::round(x(value)) + 0.5F;
      scene_.add(Line{{{at, area_.bottom()}, {at, area_.bottom() + 4}}, colors_.muted, 1});
      scene_.add(Text{{at, area_.bottom() + 5}, figure(value), colors_.muted, kSmallSize, Text::Align::kCenter});
    }
  }

  void band(const MeanCurve& curve, Color color) {
    Band band{{}, {}, {}, color.with_alpha(0.18)};
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.error[i])) continue;
      band.x.push_back(x(curve.x[i]));
      band.low.push_back(std::min(y(curve.mean[i] - curve.error[i]), area_.bottom()));
      band.high.push_back(y(curve.mean[i] + curve.error[i]));
    }
    if (band.x.size() > 1) scene_.add(std::move(band));
  }

  void line(std::size_t i) {
    const MeanCurve& curve = means_[i];
    const Color color = line_color(colors_, i);
    Line line{{}, color, 2};
    for (std::size_t p = 0; p < curve.x.size(); ++p) line.points.push_back({x(curve.x[p]), y(curve.mean[p])});
    const std::string& name = plot_.groups[i].name;
    if (line.points.empty()) {
      labels_.push_back({area_.bottom(), name, "no values", color});
      return;
    }
    constexpr std::size_t kFewPoints = 16;  // few enough to be seen one by one
    Dots dots{{}, {}, 3};
    if (line.points.size() <= kFewPoints) dots.centers = line.points;
    dots.colors.assign(dots.centers.size(), color);
    labels_.push_back({line.points.back().y, name, mean_text(curve.mean.back(), curve.error.back()), color});
    if (line.points.size() > 1) scene_.add(std::move(line));
    if (!dots.centers.empty()) scene_.add(std::move(dots));
  }

  /// Pushed apart until they stand clear of each other, in the order of the curves' ends.
  void end_labels() {
    const float height = line_height(kBodySize) + line_height(kSmallSize) + 3;
    std::stable_sort(labels_.begin(), labels_.end(), [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
    float free = area_.y - 8;
    for (EndLabel& label : labels_) {
      label.y = std::max(label.y - height / 2, free);
      free = label.y + height;
    }
    free = area_.bottom() + 12;
    for (auto label = labels_.rbegin(); label != labels_.rend(); ++label) {
      label->y = std::min(label->y, free - height);
      free = label->y;
    }
    const float left = area_.right() + kGap, room = scene_.size.w - kPad - left - kSwatch - 5;
    for (const EndLabel& label : labels_) {
      const float middle = label.y + line_height(kBodySize) / 2;
      scene_.add(Line{{{left, middle}, {left + kSwatch, middle}}, label.color, 3});
      scene_.add(Text{{left + kSwatch + 5, label.y},
                      elided(label.name, kBodySize, room, Text::Font::kStrong),
                      colors_.text,
                      kBodySize,
                      Text::Align::kLeft,
                      Text::Font::kStrong});
      scene_.add(Text{{left + kSwatch + 5, label.y + line_height(kBodySize)},
                      elided(label.value, kSmallSize, room),
                      colors_.muted,
                      kSmallSize});
    }
  }

  void summary() {
    scene_.summary = text_.title;
    for (const EndLabel& label : labels_) scene_.summary += "; " + label.name + ' ' + label.value;
  }

  const CurvePlot& plot_;
  std::vector<MeanCurve> means_;
  PlotRange x_;
  std::vector<EndLabel> labels_;
};

class Values : public PlotFrame {
 public:
  Values(const ValuePlot& plot, const Palette& colors, Size size)
      : PlotFrame(plot.text, colors, size, kPad), plot_(plot) {}

  Scene paint() {
    PlotRange range;
    for (const ValueGroup& group : plot_.groups)
      for (const double value : group.values) range.take(value);
    range.widen(0.1);
    y_axis(range);
    scene_.summary = text_.title;
    for (std::size_t i = 0; i < plot_.groups.size(); ++i) column(i);
    x_label();
    return std::move(scene_);
  }

 private:
  void column(std::size_t i) {
    const ValueGroup& group = plot_.groups[i];
    const Color color = line_color(colors_, i);
    const float width = area_.w / static_cast<float>(plot_.groups.size());
    const float middle = area_.x + width * (static_cast<float>(i) + 0.5F);
    std::vector<double> known;
    Dots dots{{}, {}, 3};
    for (const double value : group.values) {
      if (!std::isfinite(value)) continue;
      known.push_back(value);
      dots.centers.push_back({middle - 14, y(value)});
      dots.colors.push_back(color.with_alpha(0.7));
    }
    const analysis::Spread spread = analysis::spread(known);
    const std::string value = known.empty() ? "no values" : mean_text(spread.mean, spread.standard_error);
    scene_.summary += "; " + group.name + ' ' + value;
    if (!known.empty()) {
      scene_.add(std::move(dots));
      if (std::isfinite(spread.standard_error)) whisker(middle + 4, spread, color);
      scene_.add(Dots{{{middle + 4, y(spread.mean)}}, {color}, 4.5F});
    }
    const float room = width - 4, top = area_.bottom() + 5;
    scene_.add(Text{{middle, top},
                    elided(group.name + "  " + value, kSmallSize, room),
                    colors_.text,
                    kSmallSize,
                    Text::Align::kCenter});
  }

  void whisker(float at, const analysis::Spread& spread, Color color) {
    const float low = y(spread.mean - spread.standard_error), high = y(spread.mean + spread.standard_error);
    scene_.add(Line{{{at, low}, {at, high}}, color, 2});
    for (const float end : {low, high}) scene_.add(Line{{{at - 5, end}, {at + 5, end}}, color, 2});
  }

  const ValuePlot& plot_;
};

}  // namespace

MeanCurve mean_curve(const std::vector<RunCurve>& runs) {
  struct Point {
    double x = 0;
    std::vector<double> y;
  };
  std::map<std::int64_t, Point> at;
  for (const RunCurve& run : runs) {
    for (std::size_t i = 0; i < run.step.size(); ++i) {
      if (!std::isfinite(run.y[i]) || !std::isfinite(run.x[i])) continue;
      Point& point = at[run.step[i]];
      point.x += run.x[i];
      point.y.push_back(run.y[i]);
    }
  }
  MeanCurve mean;
  for (const auto& [step, point] : at) {
    if (point.y.size() != runs.size()) continue;
    const analysis::Spread spread = analysis::spread(point.y);
    mean.x.push_back(point.x / static_cast<double>(runs.size()));
    mean.mean.push_back(spread.mean);
    mean.error.push_back(runs.size() > 1 ? spread.standard_error : kMissing);
  }
  return mean;
}

Color line_color(const Palette& colors, std::size_t i) {
  // Blue, vermilion, green, purple, orange, light blue, grey; yellow is too light for a thin line and comes last.
  constexpr std::array kOrder{4, 5, 2, 6, 0, 1, 7, 3};
  constexpr int kNamed = 24;
  return i < kOrder.size() ? colors.expert(kOrder[i], kNamed) : colors.expert(static_cast<int>(i % kNamed), kNamed);
}

Scene curve_scene(const CurvePlot& plot, const Palette& colors, Size size) {
  return Curves(plot, colors, size).paint();
}

Scene value_scene(const ValuePlot& plot, const Palette& colors, Size size) {
  return Values(plot, colors, size).paint();
}

}  // namespace moescope::views
