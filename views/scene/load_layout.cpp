#include "views/scene/load_layout.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kHeader = 20;  // one row of mark texts; a second where there is room
constexpr float kMarkRow = 13;
constexpr float kNumberWidth = 38;  // the column of percentages
constexpr float kTallEnough = 200;  // for one line more below the picture

float words_width(const std::vector<LoadWord>& words) {
  float width = 0;
  for (const LoadWord& word : words) width += text_width(word.text, kBodySize, word.font);
  return width + text_width(" · ", kBodySize) * static_cast<float>(words.empty() ? 0 : words.size() - 1);
}

struct Words {
  std::vector<LoadWord> words;
  int lines = 1;
};

// The warning is the last to go: in a small canvas it stands alone with the effective experts.
Words choose_words(const Palette& colors, Size size, const LayerLoad& load) {
  Words chosen;
  std::vector<LoadWord>& words = chosen.words;
  words = {{effective_text(load), colors.text},
           {"dropped " + percent(load.dropped), colors.text},
           {"dead " + std::to_string(load.num_dead()), colors.text}};
  const std::string warning = starving_text(load);
  const bool warns = !warning.empty();
  if (warns) words.push_back({warning, colors.warning, Text::Font::kStrong});
  const float room = size.w - 2 * LoadLayout::kPad;
  if (words_width(words) > room && warns) words.erase(words.begin() + 2);
  if (words_width(words) > room && warns && size.h >= kTallEnough) chosen.lines = 2;
  while (chosen.lines == 1 && words.size() > 1 && words_width(words) > room) {
    const bool drop_first = warns && words.size() == 2;
    words.erase(drop_first ? words.begin() : warns ? words.begin() + 1 : words.end() - 1);
  }
  return chosen;
}

}  // namespace

std::string effective_text(const LayerLoad& load) {
  char text[96];
  std::snprintf(text, sizeof text, "effective experts %.1f of %zu", load.effective_experts, load.share_E.size());
  return text;
}

bool has_loads(const ViewContext& context) {
  return context.history.run() && load_column_at(context.history, context.shown_step()) &&
         !layer_load(context.history, shown_layer(context), context.shown_step()).share_E.empty();
}

LoadLayout load_layout(const ViewContext& context, Size size) {
  return load_layout(context, size, layer_load(context.history, shown_layer(context), context.shown_step()));
}

LoadLayout load_layout(const ViewContext& context, Size size, const LayerLoad& load) {
  LoadLayout layout;
  Words words = choose_words(context.palette, size, load);
  layout.words = std::move(words.words);
  layout.num_experts = std::max(1, static_cast<int>(load.share_E.size()));
  layout.mark_rows = context.history.events().size() > 1 && size.h >= 250 ? 2 : 1;
  const float labels = expert_label_width(layout.num_experts) + 10;
  const float bars = std::clamp(size.w * 0.19F, 54.0F, 190.0F);
  const bool says_difference = size.h >= kTallEnough && difference_ghost(context);
  const int lines = 1 + words.lines + (says_difference ? 1 : 0);  // the first under the heat map holds the steps
  const float footer = LoadLayout::kLine * static_cast<float>(lines) + 5;
  const float top = kHeader + 3 + kMarkRow * static_cast<float>(layout.mark_rows - 1);
  const float height = std::max(8.0F, size.h - top - footer);
  layout.right = size.w - LoadLayout::kPad;
  layout.bars = {layout.right - kNumberWidth - bars, top, bars, height};
  const float heat_x = LoadLayout::kPad + labels;
  layout.heat = {heat_x, top, std::max(10.0F, layout.bars.x - 14 - heat_x), height};
  layout.row = height / static_cast<float>(layout.num_experts);
  layout.words_top = layout.heat.bottom() + 4 + LoadLayout::kLine;
  if (says_difference) layout.difference_top = std::exchange(layout.words_top, layout.words_top + LoadLayout::kLine);
  return layout;
}

}  // namespace moescope::views
