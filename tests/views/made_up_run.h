#pragma once
// A run that never happened, for tests of scenes and views: 416 steps, 3 layers, 8 experts; routing flickers until the
// stage switch at step 240 and is calm afterwards; expert 7 of layer 2 starves from step 402 on.
// Threads: plain values.

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/seed.h"
#include "views/scene/text_metrics.h"
#include "views/view.h"

namespace moescope::views::testing {

struct RunShape {
  int steps = 416;
  int layers = 3;
  int experts = 8;
  int capacity = 256;       ///< 2.0 × the fair share of 1,024 tokens over 8 experts
  int starving_from = 402;  ///< expert 7 of layer 2
  bool tokens = true;
};

inline std::shared_ptr<telemetry::RunInfo> made_up_info(const RunShape& shape = {}) {
  auto run = std::make_shared<telemetry::RunInfo>();
  run->name = "two_stage_workshop";
  run->method = "stablemoe";
  run->total_steps = 640;
  run->num_layers = shape.layers;
  run->num_experts = shape.experts;
  run->tokens_per_step = 1024;
  run->unigram_entropy_bits = 10.4;
  run->stages = {"Learn", "Frozen"};
  run->labels = {"English", "Deutsch", "Français", "Español", "C headers", "Python"};
  return run;
}

inline std::vector<double> made_up_shares(const RunShape& shape, int layer, int step) {
  SeededWords words(
      derive_seed(7, "load", static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(step < 240 ? step / 9 : 0)));
  SeededWords noise(derive_seed(7, "noise", static_cast<std::uint64_t>(layer), static_cast<std::uint64_t>(step)));
  std::vector<double> shares;
  double sum = 0;
  for (int e = 0; e < shape.experts; ++e) {
    double share = step < 240 ? std::pow(words.unit(), 3) : 0.35 + words.unit();
    if (step >= 240 && e == 0) share = 3.0;
    share *= 0.9 + 0.2 * noise.unit();
    if (layer == 1 && e == 7 && step >= shape.starving_from) share = 0.01;
    shares.push_back(share);
    sum += share;
  }
  for (double& share : shares) share /= sum;
  return shares;
}

inline telemetry::LayerStep made_up_layer(const RunShape& shape, int layer, int step) {
  telemetry::LayerStep made;
  made.capacity = static_cast<std::uint32_t>(shape.capacity);
  for (const double share : made_up_shares(shape, layer, step)) {
    const auto load = static_cast<std::uint32_t>(std::lround(share * 1024));
    made.load_E.push_back(load);
    const auto limit = static_cast<std::uint32_t>(shape.capacity);
    made.dropped_E.push_back(limit > 0 && load > limit ? load - limit : 0);
  }
  return made;
}

inline std::vector<telemetry::ExpertTokens> made_up_tokens(const RunShape& shape) {
  const std::vector<std::vector<std::string>> lists{{" the", " of", " and", " in", " that", " with"},
                                                    {".", ",", ";", ":", ")", "\n"},
                                                    {" der", " die", " das", " und", " nicht", " werden"},
                                                    {" const", " *", "struct", "->", " void", "unsigned"},
                                                    {" de", " la", " les", " des", " être"},
                                                    {"0", "1", "16", "32", "255"},
                                                    {"ing", "s", "en", "ión", "ement", "lich"},
                                                    {}};
  std::vector<telemetry::ExpertTokens> all;
  for (int l = 0; l < shape.layers; ++l)
    for (int e = 0; e < shape.experts; ++e) {
      telemetry::ExpertTokens one{l, e, lists[static_cast<std::size_t>(e) % lists.size()], {}};
      for (std::size_t i = 0; i < one.tokens.size(); ++i) one.log_odds.push_back(4.0F - 0.4F * static_cast<float>(i));
      all.push_back(one);
    }
  return all;
}

inline telemetry::FramePtr made_up_frame(const RunShape& shape, int step) {
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  SeededWords noise(derive_seed(7, "loss", static_cast<std::uint64_t>(step)));
  frame->step = step;
  frame->stage = step > 240 ? 1 : 0;
  const double bits = 8.9 + 2.9 * std::exp(-step / 60.0) - 0.0012 * step;
  const double task = (bits + 0.25 * (noise.unit() - 0.5)) * std::log(2.0);
  frame->losses = {{"task", task},
                   {"balance", 0.02 + 0.05 * std::exp(-step / 50.0) + 0.004 * noise.unit()},
                   {"distillation", 0.6 * std::exp(-step / 90.0) + 0.02 * noise.unit()},
                   {"total", task + 0.1}};
  if (step % 20 == 0) frame->validation_loss = (bits + 0.08) * std::log(2.0);
  frame->lr = 6e-4;
  for (int l = 0; l < shape.layers; ++l) frame->layers.push_back(made_up_layer(shape, l, step));
  using Kind = telemetry::Event::Kind;
  if (step == 88) frame->events.push_back({Kind::kCommand, 88, "balance 0.3→0.5", "you"});
  if (step == 240) frame->events.push_back({Kind::kStageSwitch, 240, "switched to stage 2", "you"});
  if (step == 336) frame->events.push_back({Kind::kCommand, 336, "router 2 frozen", "you"});
  if (step == shape.steps && shape.tokens) frame->expert_tokens = made_up_tokens(shape);
  return frame;
}

inline telemetry::History made_up_history(const RunShape& shape = {}) {
  telemetry::History history;
  history.start(made_up_info(shape));
  for (int step = 1; step <= shape.steps; ++step) history.add(made_up_frame(shape, step));
  return history;
}

inline bus::SentenceResult made_up_sentence(const RunShape& shape = {}) {
  bus::SentenceResult result;
  result.sentence = "The cat sat on the mat, but der Hund schläft nicht: struct foo *x = 255;";
  const std::vector<std::string> pieces{"The",  " cat",  " sat", " on",  " the",   " mat", ",",       " but",
                                        " der", " Hund", " sch", "läft", " nicht", ":",    " struct", " foo",
                                        " *",   "x",     " =",   " 2",   "55",     ";"};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    bus::SentenceToken token{pieces[i], {}, {}, {}};
    for (int l = 0; l < shape.layers; ++l) {
      token.expert_LK.push_back(static_cast<std::int16_t>(derive_seed(i, "piece", static_cast<std::uint64_t>(l)) %
                                                          static_cast<std::uint64_t>(shape.experts)));
      token.gate_LK.push_back(1);
      token.margin_L.push_back(static_cast<float>(derive_seed(i, "margin", static_cast<std::uint64_t>(l)) % 100) / 100);
    }
    result.tokens.push_back(token);
  }
  result.continuation = " the option is used to set the file name of the output and";
  return result;
}

/// A context over values that live as long as this object.
struct Stage {
  explicit Stage(telemetry::History h, Theme theme = Theme::kDark) : history(std::move(h)), colors(palette(theme)) {
    status.state = bus::RunState::kRunning;
    selection.layer = 1;
  }
  ViewContext context() {
    ViewContext made{history, status, selection, colors};
    made.ghosts = ghosts;
    made.post = [this](bus::Command command) { posted.push_back(std::move(command)); };
    return made;
  }
  telemetry::History history;
  bus::RunStatus status;
  Selection selection;
  std::vector<telemetry::Ghost> ghosts;
  const Palette& colors;
  std::vector<bus::Command> posted;
};

// These point into the scene: not for one that ends with the expression.
std::vector<const Text*> texts_of(Scene&&) = delete;
template <class S>
std::vector<const S*> shapes_of(Scene&&) = delete;

inline std::vector<const Text*> texts_of(const Scene& scene) {
  std::vector<const Text*> all;
  for (const Shape& shape : scene.shapes)
    if (const auto* text = std::get_if<Text>(&shape)) all.push_back(text);
  return all;
}

inline const Text* find_text(const Scene& scene, const std::string& part) {
  for (const Text* text : texts_of(scene))
    if (text->text.find(part) != std::string::npos) return text;
  return nullptr;
}

template <class S>
std::vector<const S*> shapes_of(const Scene& scene) {
  std::vector<const S*> all;
  for (const Shape& shape : scene.shapes)
    if (const auto* one = std::get_if<S>(&shape)) all.push_back(one);
  return all;
}

/// Every pair of texts that would be drawn over each other, and every text that leaves the canvas, as sentences.
inline std::vector<std::string> text_faults(const Scene& scene) {
  std::vector<std::string> faults;
  const auto texts = texts_of(scene);
  const auto inner = [](const Text& text) {
    Rect box = text_box(text);
    // Ascent and descent leave air above capitals and below the baseline; 1.5 px of it may be shared.
    return Rect{box.x, box.y + 1.5F, box.w, box.h - 3};
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Rect box = text_box(*texts[i]);
    if (box.x < -0.5F || box.y < -2 || box.right() > scene.size.w + 0.5F || box.bottom() > scene.size.h + 2)
      faults.push_back("“" + texts[i]->text + "” leaves the canvas");
    for (std::size_t j = i + 1; j < texts.size(); ++j)
      if (overlap(inner(*texts[i]), inner(*texts[j])))
        faults.push_back("“" + texts[i]->text + "” over “" + texts[j]->text + "”");
  }
  return faults;
}

/// Sizes from a small dock to a wide window.
inline std::vector<Size> canvas_sizes() {
  return {{300, 160}, {320, 240},  {420, 200},  {560, 360}, {640, 240},
          {900, 500}, {1200, 160}, {1200, 260}, {1200, 700}};
}

}  // namespace moescope::views::testing
