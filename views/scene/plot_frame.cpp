#include "views/scene/plot_frame.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"
#include "views/scene/time_axis.h"

namespace moescope::views {
namespace {

/// Words on lines no wider than `width`.
std::vector<std::string> wrapped(const std::string& text, float size, float width) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && text_width(line + ' ' + word, size) > width) lines.push_back(std::exchange(line, {}));
    line += (line.empty() ? "" : " ") + word;
    begin = end + 1;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

}  // namespace

void PlotRange::take(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

void PlotRange::widen(double share) {
  if (!known()) *this = {0, 1};
  const double room = high > low ? share * (high - low) : std::max(1e-9, 0.05 * std::fabs(high));
  low -= room;
  high += room;
}

PlotFrame::PlotFrame(const PlotText& text, const Palette& colors, Size size, float right)
    : colors_(colors), text_(text) {
  scene_.size = size;
  float top = kPad;
  const float width = size.w - 2 * kPad;
  scene_.add(Text{{kPad, top},
                  elided(text.title, kKeySize, width, Text::Font::kStrong),
                  colors.text,
                  kKeySize,
                  Text::Align::kLeft,
                  Text::Font::kStrong});
  top += line_height(kKeySize) + 3;
  for (const std::string& line : wrapped(text.note, kSmallSize, width)) {
    scene_.add(Text{{kPad, top}, line, colors.muted, kSmallSize});
    top += line_height(kSmallSize);
  }
  top += 10;
  scene_.add(Text{{kPad, top}, text.y, colors.text, kBodySize});
  top += line_height(kBodySize) + 8;
  const float left = kPad + text_width("0.00000", kSmallSize) + kGap;
  const float bottom = size.h - kPad - line_height(kBodySize) - line_height(kSmallSize) - 8;
  area_ = {left, top, std::max(20.0F, size.w - left - right), std::max(20.0F, bottom - top)};
}

void PlotFrame::y_axis(const PlotRange& range) {
  y_ = range;
  const int most = std::clamp(static_cast<int>(area_.h / 40), 2, 8);
  for (const double value : round_values(range.low, range.high, most)) {
    const float at = std::round(y(value)) + 0.5F;
    scene_.add(Line{{{area_.x, at}, {area_.right(), at}}, colors_.grid, 1});
    scene_.add(Text{{area_.x - kGap, at - line_height(kSmallSize) / 2},
                    figure(value),
                    colors_.muted,
                    kSmallSize,
                    Text::Align::kRight});
  }
  scene_.add(Line{{{area_.x, area_.bottom() + 0.5F}, {area_.right(), area_.bottom() + 0.5F}}, colors_.muted, 1});
}

float PlotFrame::y(double value) const {
  return area_.bottom() - static_cast<float>((value - y_.low) / (y_.high - y_.low)) * area_.h;
}

void PlotFrame::x_label() {
  const float top = area_.bottom() + line_height(kSmallSize) + 8;
  scene_.add(Text{{area_.x + area_.w / 2, top}, text_.x, colors_.text, kBodySize, Text::Align::kCenter});
}

}  // namespace moescope::views
