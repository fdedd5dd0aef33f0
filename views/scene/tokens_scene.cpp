#include "views/scene/tokens_scene.h"

#include <algorithm>
#include <cmath>

#include "views/scene/chips.h"
#include "views/scene/empty_scene.h"
#include "views/scene/labels.h"
#include "views/scene/layer_load.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kPad = 10;
constexpr float kHeader = 22;
constexpr float kLeastRow = 18;
constexpr float kMostRow = 30;
constexpr float kLeastColumn = 250;
constexpr float kNumberWidth = 36;

class Painter {
 public:
  Painter(const ViewContext& context, Size size)
      : context_(context),
        colors_(context.palette),
        layer_(shown_layer(context)),
        experts_(context.history.run()->num_experts),
        load_(layer_load(context.history, layer_, context.shown_step())) {
    scene_.size = size;
    // As many columns as the height asks for and the width allows.
    const float body = std::max(kLeastRow, size.h - kHeader - 6);
    const int wanted = static_cast<int>(std::ceil(static_cast<float>(experts_) * kLeastRow / body));
    columns_ = std::clamp(wanted, 1, std::max(1, static_cast<int>((size.w - kPad) / kLeastColumn)));
    rows_ = (experts_ + columns_ - 1) / columns_;
    row_ = std::clamp(body / static_cast<float>(rows_), kLeastRow, kMostRow);
    fitting_ = std::min(rows_, static_cast<int>(body / row_));
    // Below 8: the last line says how many are left out.
    if (fitting_ < rows_) fitting_ = std::max(1, fitting_ - 1);
  }

  Scene paint() {
    header();
    for (int e = 0; e < experts_; ++e)
      if (e % rows_ < fitting_) expert_row(e, cell(e));
    if (fitting_ < rows_) {
      const int hidden = experts_ - static_cast<int>(shown_);
      scene_.add(Text{{kPad, kHeader + static_cast<float>(fitting_) * row_ + 2},
                      "… " + std::to_string(hidden) + " more experts in a larger window",
                      colors_.muted,
                      kSmallSize});
    }
    scene_.summary = "Top tokens of layer " + std::to_string(layer_ + 1) + ": " + summary_;
    return std::move(scene_);
  }

 private:
  Rect cell(int expert) const {
    const float width = (scene_.size.w - kPad) / static_cast<float>(columns_);
    const int column = expert / rows_, row = expert % rows_;
    return {kPad + width * static_cast<float>(column), kHeader + row_ * static_cast<float>(row), width - kPad, row_};
  }

  void header() {
    const float used = add_layer_chooser(scene_, context_, {scene_.size.w - kPad, 3}, scene_.size.w / 2);
    const float room = scene_.size.w - 2 * kPad - used - 10;
    for (const char* text : {"chosen for these more than other experts are · most typical first",
                             "most typical tokens first", "top tokens"})
      if (text_width(text, kSmallSize) <= room) {
        scene_.add(Text{{kPad, 5}, text, colors_.muted, kSmallSize});
        break;
      }
  }

  const telemetry::ExpertTokens* tokens_of(int expert) const {
    for (const telemetry::ExpertTokens& one : context_.history.expert_tokens())
      if (one.layer == layer_ && one.expert == expert) return &one;
    return nullptr;
  }

  void expert_row(int expert, const Rect& cell) {
    ++shown_;
    const bool faded = is_faded(context_.selection, layer_, expert);
    const bool selected = context_.selection.layer == layer_ && context_.selection.expert == expert;
    const float y = cell.y + cell.h / 2;
    add_expert_label(scene_, colors_, {cell.x, y}, expert, experts_, faded, selected);
    float x = cell.x + expert_label_width(experts_) + 10;
    add_hit(expert, cell);
    x = share_bar(expert, x, y, cell, faded);
    chips(expert, x, y, cell.right(), faded);
  }

  float share_bar(int expert, float x, float y, const Rect& cell, bool faded) {
    if (load_.share_E.empty()) return x;
    const auto e = static_cast<std::size_t>(expert);
    const float width = std::clamp(cell.w * 0.16F, 30.0F, 110.0F);
    double most = 2.0 / experts_;
    for (const double share : load_.share_E) most = std::max(most, share);
    const bool starves = load_.starving_since_E[e].has_value();
    const Color color = colors_.expert(expert, experts_).with_alpha(faded ? 0.3 : 1.0);
    scene_.add(Box{{x, y - 2, width, 4}, colors_.input, {0, 0, 0, 0}, 2});
    const float filled = std::max(2.0F, width * static_cast<float>(load_.share_E[e] / most));
    scene_.add(
        Box{{x, y - 2, filled, 4}, color, faded ? Color{0, 0, 0, 0} : colors_.expert_outline(expert, experts_), 2});
    if (starves) scene_.add(Box{{x, y - 3, width, 6}, {0, 0, 0, 0}, colors_.warning, 2, 1, Box::Pattern::kHatched});
    scene_.add(Text{{x + width + kNumberWidth, y - line_height(kSmallSize) / 2},
                    percent(load_.share_E[e]),
                    starves ? colors_.warning : colors_.muted,
                    kSmallSize,
                    Text::Align::kRight});
    return x + width + kNumberWidth + 12;
  }

  void chips(int expert, float x, float y, float right, bool faded) {
    const telemetry::ExpertTokens* tokens = tokens_of(expert);
    if (!tokens || tokens->tokens.empty()) {
      const bool reported = !context_.history.expert_tokens().empty();
      const std::string text =
          elided(reported ? "no token is typical of it yet" : "tokens are being counted …", kSmallSize, right - x);
      scene_.add(Text{{x, y - line_height(kSmallSize) / 2}, text, colors_.muted, kSmallSize});
      return;
    }
    const Color ground = colors_.expert(expert, experts_)
                             .with_alpha(faded                           ? 0.06
                                         : colors_.theme == Theme::kDark ? 0.20
                                                                         : 0.16);
    for (std::size_t i = 0; i < tokens->tokens.size(); ++i) {
      const std::string text = elided(visible_token(tokens->tokens[i]), kBodySize, 110);
      if (x + chip_width(text, kBodySize) > right) return;
      const Rect chip =
          add_chip(scene_, {x, y - kChipHeight / 2}, text, kBodySize, ground, faded ? colors_.muted : colors_.text);
      Hit hit;
      hit.tooltip = "“" + with_signs(tokens->tokens[i]) + "”";
      if (i < tokens->log_odds.size()) {
        const double odds = static_cast<double>(tokens->log_odds[i]);
        hit.tooltip += "\nodds to go to " + mark_name(layer_, expert) + ": " + figure(std::exp(odds)) +
                       " × those of the other experts\nlog-odds " + exact(odds);
      }
      scene_.hits.push_back({chip, hit});
      if (i == 0) summary_ += (summary_.empty() ? "" : ", ") + expert_name(expert) + " " + text;
      x = chip.right() + 4;
    }
  }

  void add_hit(int expert, const Rect& cell) {
    Hit hit;
    hit.kind = Hit::Kind::kExpert;
    hit.layer = layer_;
    hit.expert = expert;
    hit.name = "expert " + mark_name(layer_, expert);
    hit.tooltip = mark_name(layer_, expert);
    const auto e = static_cast<std::size_t>(expert);
    if (!load_.share_E.empty()) {
      hit.tooltip += "\n" + exact(100 * load_.share_E[e]) + " % of the layer’s pairs";
      if (load_.starving_since_E[e]) hit.tooltip += "\nstarves since " + step_text(*load_.starving_since_E[e]);
    }
    hit.tooltip += "\nclick to follow its tokens";
    scene_.hits.push_back({cell, hit});
  }

  const ViewContext& context_;
  const Palette& colors_;
  int layer_, experts_;
  LayerLoad load_;
  int columns_ = 1, rows_ = 1, fitting_ = 1;
  float row_ = kLeastRow;
  int shown_ = 0;
  std::string summary_;
  Scene scene_;
};

}  // namespace

Scene tokens_scene(const ViewContext& context, Size size) {
  const char* what = "For each expert the tokens it is chosen for more than the others are.";
  if (auto waiting = waiting_scene(context, size, "Top tokens", what)) return std::move(*waiting);
  if (context.history.run()->num_experts < 1)
    return empty_scene(size, context.palette, "Top tokens",
                       "This run has no experts: every token takes the one dense network.", "Nothing to do here");
  return Painter(context, size).paint();
}

}  // namespace moescope::views
