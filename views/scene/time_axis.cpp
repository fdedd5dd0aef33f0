#include "views/scene/time_axis.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/text.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

using telemetry::Event;

bool touches(const std::vector<Rect>& taken, const Rect& rect) {
  return std::any_of(taken.begin(), taken.end(), [&](const Rect& other) { return overlap(other, rect); });
}

// All events that fall on one pixel: one line, one hit box, one text.
struct Mark {
  std::int64_t step = 0;
  float x = 0;
  bool stage_switch = false;
  std::string text;                  // of the most important event
  std::vector<std::string> shorter;  // when that is too long
  std::string tooltip;
  Rect place;  // of the text; no width: there was no room
};

void merge(Mark& mark, const Event& event) {
  const bool is_switch = event.kind == Event::Kind::kStageSwitch;
  if (mark.text.empty() || (is_switch && !mark.stage_switch)) {
    mark.step = event.step;
    mark.text = is_switch ? event_text(event) : with_short_numbers(event.text);
    mark.shorter.clear();
    if (is_switch)
      mark.shorter = {event.text, event.text.substr(
                                      event.text.find("stage ") == std::string::npos ? 0 : event.text.find("stage "))};
  }
  mark.stage_switch = mark.stage_switch || is_switch;
  mark.tooltip += (mark.tooltip.empty() ? "" : "\n") + event_text(event);
}

// Stage switches first, then from the newest back: the order in which texts get room.
std::vector<Mark> collect_marks(const ViewContext& context, const TimeAxis& axis) {
  std::map<int, Mark> by_pixel;
  for (const Event& event : context.history.events()) {
    if (event.step < axis.first || event.step > axis.last || event.text.empty()) continue;
    const float x = axis.x(static_cast<double>(event.step));
    Mark& mark = by_pixel[static_cast<int>(std::lround(x))];
    mark.x = std::round(x) + 0.5F;
    merge(mark, event);
  }
  std::vector<Mark> marks;
  for (auto pixel = by_pixel.rbegin(); pixel != by_pixel.rend(); ++pixel) marks.push_back(std::move(pixel->second));
  std::stable_partition(marks.begin(), marks.end(), [](const Mark& mark) { return mark.stage_switch; });
  return marks;
}

class MarkPainter {
 public:
  MarkPainter(Scene& scene, const ViewContext& context, const TimeAxis& axis, const MarkLabels& labels)
      : scene_(scene), colors_(context.palette), axis_(axis), labels_(labels) {}

  void paint(std::vector<Mark> marks) {
    for (Mark& mark : marks) find_place(mark);
    // Lines first, weakest first, so that no line crosses a text and the switch lies on top.
    for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) line(*mark);
    for (const Mark& mark : marks)
      if (mark.place.w > 0) label(mark);
  }

 private:
  void find_place(Mark& mark) {
    const float left = labels_.left >= 0 ? labels_.left : axis_.plot.x;
    std::vector<std::string> versions = mark.shorter;
    versions.insert(versions.begin(), mark.text);
    for (const std::string& text : versions) {
      const float width = text_width(text, kSmallSize);
      const float height = line_height(kSmallSize);
      for (int row = 0; row < labels_.rows; ++row) {
        const float y = labels_.top + static_cast<float>(row) * (height + 1);
        for (const float x : {mark.x + 4, mark.x - 4 - width}) {
          const Rect rect{x, y, width, height};
          if (x < left || rect.right() > axis_.plot.right()) continue;
          // A mark's line rises from the plot to its text, through the rows of texts below that.
          const Rect stem{mark.x - 1, y, 2, axis_.plot.y - y};
          if (touches(taken_, {x - 4, y, width + 8, height}) || (stem.h > 0 && touches(taken_, stem))) continue;
          taken_.push_back(rect);
          if (stem.h > 0) taken_.push_back(stem);
          mark.place = rect;
          mark.text = text;
          return;
        }
      }
    }
  }

  // A line reaches up to its text; one without a text stays inside the plot.
  void line(const Mark& mark) {
    const float top = mark.place.w > 0 ? std::min(mark.place.y, axis_.plot.y) : axis_.plot.y;
    const Color color = mark.stage_switch ? colors_.text : colors_.text.with_alpha(0.45);
    const float width = mark.stage_switch ? 1.5F : 1.0F;
    scene_.add(Line{{{mark.x, top}, {mark.x, axis_.plot.bottom()}}, color, width, mark.stage_switch});
    add_hit({mark.x - 3, top, 6, axis_.plot.bottom() - top}, mark, "mark " + std::to_string(mark.step));
  }

  void label(const Mark& mark) {
    const Rect& rect = mark.place;
    if (labels_.over_plot)
      scene_.add(Box{{rect.x - 2, rect.y, rect.w + 4, rect.h}, colors_.dock.with_alpha(0.85), {0, 0, 0, 0}, 2});
    scene_.add(Text{{rect.x, rect.y}, mark.text, mark.stage_switch ? colors_.text : colors_.muted, kSmallSize});
    add_hit(rect, mark, "mark text " + std::to_string(mark.step));
  }

  void add_hit(const Rect& rect, const Mark& mark, std::string name) {
    Hit hit;
    hit.kind = Hit::Kind::kStep;
    hit.index = mark.step;
    hit.name = std::move(name);
    hit.tooltip = mark.tooltip;
    scene_.hits.push_back({rect, std::move(hit)});
  }

  Scene& scene_;
  const Palette& colors_;
  const TimeAxis& axis_;
  const MarkLabels& labels_;
  std::vector<Rect> taken_;
};

double round_spacing(double span, int most) {
  const double raw = span / std::max(1, most);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace

float TimeAxis::x(double step) const {
  const double span = static_cast<double>(std::max<std::int64_t>(1, last - first));
  return plot.x + static_cast<float>((step - static_cast<double>(first)) / span * static_cast<double>(plot.w));
}

std::int64_t TimeAxis::step_at(float at) const {
  const double span = static_cast<double>(std::max<std::int64_t>(1, last - first));
  const double part = static_cast<double>((at - plot.x) / std::max(1.0F, plot.w));
  return std::clamp(first + static_cast<std::int64_t>(std::llround(part * span)), first, last);
}

TimeAxis time_axis(const ViewContext& context, Rect plot) { return {plot, 0, last_step_of_all(context)}; }

std::vector<double> round_values(double low, double high, int most) {
  std::vector<double> values;
  if (!(high > low) || most < 1) return values;
  double spacing = round_spacing(high - low, most);
  // A spacing of span ÷ most can give most + 1 values when both ends are round.
  if (std::floor(high / spacing + 1e-9) - std::ceil(low / spacing - 1e-9) + 1 > most)
    spacing = round_spacing((high - low) * 1.01, most);
  for (double i = std::ceil(low / spacing - 1e-9); i * spacing <= high + 1e-9 * spacing; ++i)
    values.push_back(i * spacing);
  if (static_cast<int>(values.size()) > most) values.resize(static_cast<std::size_t>(most));
  return values;
}

std::vector<std::int64_t> round_steps(std::int64_t first, std::int64_t last, int most) {
  std::vector<std::int64_t> steps;
  for (const double value : round_values(static_cast<double>(first), static_cast<double>(last), most))
    if (std::fabs(value - std::round(value)) < 1e-6) steps.push_back(std::llround(value));
  return steps;
}

void add_step_labels(Scene& scene, const ViewContext& context, const TimeAxis& axis, float y) {
  const Palette& colors = context.palette;
  std::vector<Rect> taken;
  const auto add = [&](float x, const std::string& text, Color color, Text::Align align, Text::Font font) {
    Text shape{{x, y}, text, color, kSmallSize, align, font};
    Rect box = text_box(shape);
    if (box.x < axis.plot.x) shape.position.x += axis.plot.x - box.x;
    if (box.right() > axis.plot.right()) shape.position.x -= box.right() - axis.plot.right();
    box = text_box(shape);
    if (touches(taken, {box.x - 8, box.y, box.w + 16, box.h}) || box.x < axis.plot.x - 0.5F) return;
    taken.push_back(box);
    scene.add(std::move(shape));
  };
  if (context.selection.step)
    add(axis.x(static_cast<double>(*context.selection.step)), step_text(*context.selection.step), colors.accent,
        Text::Align::kCenter, Text::Font::kStrong);
  const telemetry::TelemetryFrame* latest = context.history.latest();
  const bool ends_here = !latest || latest->step >= axis.last;  // else the right end is a ghost's
  add(axis.plot.right(), with_thousands(axis.last), ends_here ? colors.text : colors.muted, Text::Align::kRight,
      ends_here ? Text::Font::kStrong : Text::Font::kRegular);
  add(axis.plot.x, step_text(axis.first), colors.muted, Text::Align::kLeft, Text::Font::kRegular);
  const int most = std::clamp(static_cast<int>(axis.plot.w / 90), 1, 8);
  for (const std::int64_t step : round_steps(axis.first, axis.last, most))
    add(axis.x(static_cast<double>(step)), with_thousands(step), colors.muted, Text::Align::kCenter,
        Text::Font::kRegular);
}

void add_time_marks(Scene& scene, const ViewContext& context, const TimeAxis& axis, const MarkLabels& labels) {
  MarkPainter(scene, context, axis, labels).paint(collect_marks(context, axis));
}

void add_time_cursor(Scene& scene, const ViewContext& context, const TimeAxis& axis) {
  if (!context.selection.step) return;
  const float x =
      std::round(axis.x(static_cast<double>(std::clamp(*context.selection.step, axis.first, axis.last)))) + 0.5F;
  scene.add(Line{{{x, axis.plot.y}, {x, axis.plot.bottom()}}, context.palette.accent, 1.5F});
}

std::string event_text(const Event& event) {
  std::string text = with_short_numbers(event.text) + " at " + step_text(event.step);
  if (!event.who.empty()) text += " · by " + event.who;
  return text;
}

}  // namespace moescope::views
