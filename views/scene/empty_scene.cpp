#include "views/scene/empty_scene.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

struct Paragraph {
  std::string text;
  Color color;
  float size = kBodySize;
  Text::Font font = Text::Font::kRegular;
  float space_before = 0;
};

std::vector<std::string> wrapped(std::string_view text, float size, Text::Font font, float width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word(text.substr(0, end));
    const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (lines.back().empty() || text_width(longer, size, font) <= width)
      lines.back() = longer;
    else
      lines.push_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (std::string& line : lines) line = elided(line, size, width, font);
  return lines;
}

// Centred lines, those that do not fit into the canvas left out from the end. Returns where they end.
float add_paragraphs(Scene& scene, const std::vector<Paragraph>& paragraphs, float extra_height) {
  const float width = std::min(420.0F, scene.size.w - 24);
  struct Placed {
    Text text;
    float height;
  };
  std::vector<Placed> placed;
  float height = extra_height;
  for (const Paragraph& paragraph : paragraphs) {
    float before = placed.empty() ? 0 : paragraph.space_before;
    for (std::string& line : wrapped(paragraph.text, paragraph.size, paragraph.font, width)) {
      const float step = before + std::ceil(line_height(paragraph.size) * 1.15F);
      if (line.empty() || height + step > scene.size.h - 8) break;
      placed.push_back({Text{{scene.size.w / 2, height - extra_height + before},
                             std::move(line),
                             paragraph.color,
                             paragraph.size,
                             Text::Align::kCenter,
                             paragraph.font},
                        step});
      height += step;
      before = 0;
    }
  }
  const float top = std::max(4.0F, (scene.size.h - height) / 2);
  for (Placed& one : placed) {
    one.text.position.y += top;
    scene.add(std::move(one.text));
  }
  return top + height - extra_height;
}

void add_progress(Scene& scene, const Palette& colors, float top, double progress) {
  const float width = std::min(220.0F, scene.size.w - 40);
  const Rect bar{(scene.size.w - width) / 2, top + 8, width, 4};
  scene.add(Box{bar, colors.input, {0, 0, 0, 0}, 2});
  const auto done = static_cast<float>(std::clamp(progress, 0.0, 1.0));
  if (done > 0) scene.add(Box{{bar.x, bar.y, std::max(4.0F, width * done), bar.h}, colors.accent, {0, 0, 0, 0}, 2});
}

Scene preparing_scene(const ViewContext& context, Size size, const std::string& title, const std::string& what) {
  const Palette& colors = context.palette;
  Scene scene;
  scene.size = size;
  const bool known = context.status.progress >= 0;
  std::string activity = context.status.activity;
  if (known) activity += " · " + percent(context.status.progress);
  const float bottom = add_paragraphs(scene,
                                      {{title, colors.text, kKeySize, Text::Font::kStrong},
                                       {what, colors.muted, kBodySize, Text::Font::kRegular, 3},
                                       {activity, colors.accent, kBodySize, Text::Font::kStrong, 8}},
                                      known ? 16.0F : 0.0F);
  if (known) add_progress(scene, colors, bottom, context.status.progress);
  scene.summary = title + ": preparing, " + activity;
  return scene;
}

Scene failed_scene(const ViewContext& context, Size size, const std::string& title) {
  const bus::Failure& failure = context.status.failure;
  const Palette& colors = context.palette;
  Scene scene;
  scene.size = size;
  add_paragraphs(scene,
                 {{"The run failed at " + step_text(failure.step) + ", phase " + failure.phase, colors.warning,
                   kKeySize, Text::Font::kStrong},
                  {"The message above the pictures says why.", colors.text, kBodySize, Text::Font::kRegular, 4},
                  {"Change the configuration and start again; this window is ready.", colors.muted, kBodySize,
                   Text::Font::kRegular, 6}},
                 0);
  scene.summary = title + ": the run failed in phase " + failure.phase + ": " + failure.message;
  return scene;
}

}  // namespace

Scene empty_scene(Size size, const Palette& palette, const std::string& title, const std::string& what_will_appear,
                  const std::string& what_to_do) {
  Scene scene;
  scene.size = size;
  add_paragraphs(scene,
                 {{title, palette.text, kKeySize, Text::Font::kStrong},
                  {what_will_appear, palette.muted, kBodySize, Text::Font::kRegular, 3},
                  {what_to_do, palette.accent, kBodySize, Text::Font::kRegular, 8}},
                 0);
  scene.summary = title + ": " + what_to_do;
  return scene;
}

std::optional<Scene> waiting_scene(const ViewContext& context, Size size, const std::string& title,
                                   const std::string& what_will_appear) {
  const bus::RunStatus& status = context.status;
  if (context.history.latest()) return std::nullopt;
  if (status.state == bus::RunState::kFailed) return failed_scene(context, size, title);
  if (!status.activity.empty()) return preparing_scene(context, size, title, what_will_appear);
  if (!context.history.run())
    return empty_scene(size, context.palette, title, what_will_appear,
                       "Start a run: pick a sample or drop a text file");
  const bool paused = status.state == bus::RunState::kPaused;
  return empty_scene(
      size, context.palette, title, what_will_appear,
      paused ? "The run is paused before its first step: press Space" : "The first step is on its way …");
}

}  // namespace moescope::views
