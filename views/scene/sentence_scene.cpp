#include "views/scene/sentence_scene.h"

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "views/scene/chips.h"
#include "views/scene/empty_scene.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kPad = 10;
constexpr float kTextSize = 12;
constexpr float kStripe = 3;
constexpr int kMostStripes = 8;

std::uint8_t over(std::uint8_t top, std::uint8_t ground, double alpha) {
  return static_cast<std::uint8_t>(std::lround(ground + (top - ground) * alpha));
}

// The opaque colour that `top` with `alpha` gives on `ground`: text on it must know what it stands on.
Color over(Color top, Color ground, double alpha) {
  return {over(top.r, ground.r, alpha), over(top.g, ground.g, alpha), over(top.b, ground.b, alpha)};
}

class Painter {
 public:
  Painter(const ViewContext& context, Size size, float top)
      : context_(context), colors_(context.palette), result_(*context.sentence), layer_(shown_layer(context)) {
    scene_.size = size;
    const telemetry::RunInfo* run = context.history.run();
    experts_ = run ? run->num_experts : 8;
    layers_ = run ? run->num_layers : 1;
    stripes_ = layers_ > 1 ? std::min(layers_, kMostStripes) : 0;
    line_ = kChipHeight + static_cast<float>(stripes_) * (kStripe + 1) + 2 + line_height(kSmallSize) + 8;
    y_ = first_y_ = top + 22;
  }

  Scene paint() {
    header(y_ - 22);
    for (std::size_t t = 0; t < result_.tokens.size() && !full_; ++t) token(t);
    if (!full_) continuation();
    if (full_)
      scene_.add(Text{{scene_.size.w - kPad, scene_.size.h - line_height(kSmallSize) - 3},
                      "… more in a larger window",
                      colors_.muted,
                      kSmallSize,
                      Text::Align::kRight});
    scene_.summary = "“" + printable(result_.sentence) + "” in layer " + std::to_string(layer_ + 1) + ": " + summary_ +
                     "; continued: " + with_signs(result_.continuation);
    return std::move(scene_);
  }

 private:
  void header(float top) {
    const float used = add_layer_chooser(scene_, context_, {scene_.size.w - kPad, top + 2}, scene_.size.w / 2);
    const float room = scene_.size.w - 2 * kPad - used - 10;
    const std::string layer = "colour: expert in layer " + std::to_string(layer_ + 1);
    const std::string stripes = stripes_ > 0 ? " · stripes: layers 1 to " + std::to_string(stripes_) : "";
    for (const std::string& text :
         {layer + " · paler: smaller margin" + stripes, layer + " · paler: smaller margin", layer})
      if (text_width(text, kSmallSize) <= room) {
        scene_.add(Text{{kPad, top + 4}, text, colors_.muted, kSmallSize});
        return;
      }
  }

  // Room for `width` on this line or the next; false when the canvas is full.
  bool advance(float width) {
    if (x_ > kPad && x_ + width > scene_.size.w - kPad) {
      x_ = kPad;
      y_ += line_;
    }
    // The last line is kept for "… more"; the first line is drawn in any case.
    full_ = y_ > first_y_ && y_ + line_ - 8 > scene_.size.h - 16;
    return !full_;
  }

  int expert_at(const bus::SentenceToken& token, int layer, int choice = 0) const {
    const auto i = static_cast<std::size_t>(layer * std::max(1, result_.top_k) + choice);
    return i < token.expert_LK.size() ? token.expert_LK[i] : -1;
  }

  void token(std::size_t index) {
    const bus::SentenceToken& token = result_.tokens[index];
    const std::string text = elided(visible_token(token.text), kTextSize, scene_.size.w - 2 * kPad - 12);
    const int expert = expert_at(token, layer_);
    const std::string name = expert >= 0 ? expert_name(expert) : "–";
    const float width = std::max(chip_width(text, kTextSize), text_width(name, kSmallSize) + 2);
    if (!advance(width)) return;
    const bool faded = expert >= 0 && is_faded(context_.selection, layer_, expert);
    const Color ground = expert < 0
                             ? colors_.input
                             : over(colors_.expert(expert, experts_), colors_.dock, faded ? 0.12 : opacity(token));
    const Rect chip =
        add_chip(scene_, {x_, y_}, text, kTextSize, ground, faded ? colors_.muted : colors_.text_on(ground));
    stripes(token, chip);
    scene_.add(Text{{x_ + chip.w / 2, chip.bottom() + static_cast<float>(stripes_) * (kStripe + 1) + 2},
                    name,
                    faded ? colors_.muted.with_alpha(0.6) : colors_.muted,
                    kSmallSize,
                    Text::Align::kCenter});
    scene_.hits.push_back({{chip.x, chip.y, chip.w, line_ - 6}, hit(index)});
    summary_ += (summary_.empty() ? "" : ", ") + text + " " + name;
    x_ += width + 3;
  }

  double opacity(const bus::SentenceToken& token) const {
    const auto l = static_cast<std::size_t>(layer_);
    if (l >= token.margin_L.size() || std::isnan(token.margin_L[l])) return 0.85;
    return 0.30 + 0.70 * std::clamp(static_cast<double>(token.margin_L[l]), 0.0, 1.0);
  }

  void stripes(const bus::SentenceToken& token, const Rect& chip) {
    for (int l = 0; l < stripes_; ++l) {
      const int expert = expert_at(token, l);
      const Color color = expert < 0 ? colors_.input : colors_.expert(expert, experts_);
      scene_.add(Box{{chip.x + 1, chip.bottom() + 1 + static_cast<float>(l) * (kStripe + 1), chip.w - 2, kStripe},
                     l == layer_ ? color : color.with_alpha(0.75)});
    }
  }

  Hit hit(std::size_t index) const {
    const bus::SentenceToken& token = result_.tokens[index];
    Hit hit;
    const int expert = expert_at(token, layer_);
    hit.kind = expert >= 0 ? Hit::Kind::kExpert : Hit::Kind::kNone;
    hit.layer = layer_;
    hit.expert = expert;
    hit.index = static_cast<std::int64_t>(index);
    hit.name = "piece " + std::to_string(index);
    hit.tooltip = "“" + with_signs(token.text) + "”";
    for (int l = 0; l < layers_; ++l) {
      const int first = expert_at(token, l);
      if (first < 0) continue;
      hit.tooltip += "\n" + mark_name(l, first);
      for (int k = 1; k < result_.top_k; ++k)
        if (expert_at(token, l, k) >= 0) hit.tooltip += " " + expert_name(expert_at(token, l, k));
      const auto i = static_cast<std::size_t>(l);
      if (i < token.margin_L.size() && !std::isnan(token.margin_L[i]))
        hit.tooltip += " · margin " + exact(static_cast<double>(token.margin_L[i]));
    }
    return hit;
  }

  // The model's own words: muted, word by word on the same lines.
  void continuation() {
    if (result_.continuation.empty()) return;
    const std::string text = with_signs(result_.continuation);
    x_ += 4;
    std::size_t begin = 0;
    while (begin < text.size() && !full_) {
      std::size_t end = text.find(' ', begin + 1);
      end = std::min(end, text.size());
      const std::string word = elided(text.substr(begin, end - begin), kTextSize, scene_.size.w - 2 * kPad);
      const float width = text_width(word, kTextSize);
      if (advance(width) && !word.empty())
        scene_.add(Text{{x_, y_ + (kChipHeight - line_height(kTextSize)) / 2}, word, colors_.muted, kTextSize});
      x_ += width;
      begin = end;
    }
  }

  const ViewContext& context_;
  const Palette& colors_;
  const bus::SentenceResult& result_;
  int layer_, experts_ = 8, layers_ = 1, stripes_ = 0;
  float x_ = kPad, y_ = 0, first_y_ = 0, line_ = 0;
  bool full_ = false;
  std::string summary_;
  Scene scene_;
};

// The empty states stand below the text field.
Scene below(Scene scene, Size size, float top) {
  for (Shape& shape : scene.shapes) {
    if (auto* text = std::get_if<Text>(&shape)) text->position.y += top;
    if (auto* box = std::get_if<Box>(&shape)) box->rect.y += top;
  }
  scene.size = size;
  return scene;
}

}  // namespace

Scene sentence_scene(const ViewContext& context, Size size, const SentenceState& state) {
  const Size rest{size.w, std::max(20.0F, size.h - state.top)};
  const char* what =
      "A sentence of yours, each piece in the colour of the expert it goes to, and how the model continues it.";
  if (auto waiting = waiting_scene(context, rest, "Sentence", what)) return below(std::move(*waiting), size, state.top);
  const bool answered = context.sentence && (state.asked.empty() || context.sentence->sentence == state.asked);
  const bool alive = context.status.state == bus::RunState::kRunning || context.status.state == bus::RunState::kPaused;
  if (!answered && !alive)
    return below(empty_scene(rest, context.palette, "Sentence", what,
                             "The run has ended; sentences need one that runs or is paused"),
                 size, state.top);
  if (!answered && !state.asked.empty())
    return below(empty_scene(rest, context.palette, "Routing …",
                             "The answer comes at the next step boundary, at once while paused.", ""),
                 size, state.top);
  if (!answered)
    return below(empty_scene(rest, context.palette, "Sentence", what,
                             "Type above and press Enter; this works while paused, too"),
                 size, state.top);
  return Painter(context, size, state.top).paint();
}

}  // namespace moescope::views
