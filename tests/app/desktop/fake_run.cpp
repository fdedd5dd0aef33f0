#include "tests/app/desktop/fake_run.h"

#include <cmath>

namespace moescope::test {
namespace {

constexpr int kEvery = 5;
constexpr int kTokensPerStep = 1024;
const char* const kWords[] = {" the", " of",  ",",     " der",   " die",     " de",  " la", " const",
                              " *",   " int", " -s",   " 17",    " und",     " les", " el", " return",
                              "(",    ")",    " file", " Datei", " fichier", " def"};

void add_probe_tokens(telemetry::RunInfo& info) {
  for (int t = 0; t < FakeRun::kProbe; ++t) {
    telemetry::ProbeToken token;
    token.text = kWords[static_cast<std::size_t>(t * 7 % 22)];
    token.id = t * 7 % 22;
    token.label = static_cast<std::int16_t>(t / 64 % 6);
    token.sequence = t / 64;
    token.position = t % 64;
    token.document = "doc" + std::to_string(t / 64);
    info.probe.push_back(token);
  }
}

}  // namespace

FakeRun::FakeRun(std::string name, std::string folder, std::int64_t total_steps)
    : info_(std::make_shared<telemetry::RunInfo>()) {
  telemetry::RunInfo& info = *info_;
  info.name = std::move(name);
  info.folder = std::move(folder);
  info.method = "two_stage";
  info.corpus = "made-up";
  info.total_steps = total_steps;
  info.num_layers = kLayers;
  info.num_experts = kExperts;
  info.router_space_dim = kSpace;
  info.tokens_per_step = kTokensPerStep;
  info.vocab_size = 22;
  info.threads = 2;
  info.precision = "fp32";
  info.device = "CPU";
  info.num_parameters = 1'200'000;
  info.num_active_parameters = 700'000;
  info.unigram_entropy_bits = 9.6;
  info.stages = {"Learn", "Frozen"};
  info.labels = {"English", "Deutsch", "Français", "Español", "C headers", "Python"};
  add_probe_tokens(info);
  for (int layer = 0; layer < kLayers; ++layer) {
    std::vector<int> home, now;
    for (int t = 0; t < kProbe; ++t) {
      const int of_class = (info.probe[static_cast<std::size_t>(t)].label * 2 + layer) % kExperts;
      home.push_back(unit() < 0.6 ? of_class : static_cast<int>(unit() * kExperts));
      now.push_back(static_cast<int>(unit() * kExperts));
    }
    home_LT_.push_back(home);
    now_LT_.push_back(now);
    load_LE_.emplace_back(kExperts, 1.0 / kExperts);
  }
}

int FakeRun::choose(int layer, int token, int stage) {
  const auto l = static_cast<std::size_t>(layer), t = static_cast<std::size_t>(token);
  int& now = now_LT_[l][t];
  if (stage > 0) return now = home_LT_[l][t];
  const double restless = std::exp(-static_cast<double>(step_) / (40.0 + token % 97));
  if (unit() < 0.5 * restless) {
    now = static_cast<int>(unit() * kExperts);
  } else if (unit() < 0.25) {
    now = home_LT_[l][t];
  }
  return now;
}

telemetry::LayerStep FakeRun::layer_step(int layer) {
  telemetry::LayerStep made;
  std::vector<double>& load = load_LE_[static_cast<std::size_t>(layer)];
  double total = 0;
  for (std::size_t e = 0; e < load.size(); ++e) {
    const double target = 0.4 + std::abs(std::sin(static_cast<double>(e) * 1.7 + layer)) + (e == 7 ? -0.35 : 0);
    load[e] = std::max(0.005, 0.9 * load[e] + 0.1 * target / kExperts + 0.02 * (unit() - 0.5));
    total += load[e];
  }
  made.capacity = 2 * kTokensPerStep / kExperts;
  for (const double share : load) {
    const auto tokens = static_cast<std::uint32_t>(share / total * kTokensPerStep);
    made.load_E.push_back(tokens);
    made.dropped_E.push_back(tokens > made.capacity ? tokens - made.capacity : 0);
  }
  made.router_entropy = static_cast<float>(2.0 * std::exp(-static_cast<double>(step_) / 200));
  made.experts_per_token = 1;
  made.student_agreement = static_cast<float>(1 - std::exp(-static_cast<double>(step_) / 60));
  made.margin_histogram.fill(64);
  made.auxiliary_losses = {{"balance", 1 + unit() * 0.1},
                           {"distillation", 2 * std::exp(-static_cast<double>(step_) / 100)}};
  return made;
}

std::shared_ptr<telemetry::ProbeSnapshot> FakeRun::probe(int stage) {
  auto made = std::make_shared<telemetry::ProbeSnapshot>();
  made->step = step_;
  made->spacing = kEvery;
  made->stage = stage;
  made->after_break = stage != stage_before_;
  stage_before_ = stage;
  for (int layer = 0; layer < kLayers; ++layer) {
    if (made->after_break) {
      const std::vector<int>& home = home_LT_[static_cast<std::size_t>(layer)];
      made->reference.emplace_back(home.begin(), home.end());
    }
    telemetry::LayerProbe one;
    for (int t = 0; t < kProbe; ++t) {
      one.expert_TK.push_back(static_cast<std::int16_t>(choose(layer, t, stage)));
      one.gate_TK.push_back(static_cast<float>(0.3 + 0.6 * unit()));
      one.margin_T.push_back(static_cast<float>(unit()));
      one.student_T.push_back(
          static_cast<std::int16_t>(home_LT_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(t)]));
    }
    made->layers.push_back(std::move(one));
  }
  return made;
}

std::shared_ptr<telemetry::RouterSpace> FakeRun::space(int layer) {
  auto made = std::make_shared<telemetry::RouterSpace>();
  made->step = step_;
  made->layer = layer;
  made->dim = kSpace;
  for (int e = 0; e < kExperts; ++e) {
    const double around = e * 2.4, up = 1 - 2 * (e + 0.5) / kExperts, flat = std::sqrt(1 - up * up);
    for (const double x : {std::cos(around) * flat, std::sin(around) * flat, up})
      made->rows_ER.push_back(static_cast<float>(x));
  }
  const double spread = 0.25 + 0.8 * std::exp(-static_cast<double>(step_) / 80);
  for (int t = 0; t < kProbe; ++t) {
    const int expert = now_LT_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(t)];
    made->token_S.push_back(t);
    made->expert_S.push_back(static_cast<std::int16_t>(expert));
    for (int d = 0; d < kSpace; ++d)
      made->vectors_SR.push_back(made->rows_ER[static_cast<std::size_t>(expert * kSpace + d)] +
                                 static_cast<float>(spread * (unit() - 0.5)));
  }
  return made;
}

std::vector<telemetry::ExpertTokens> FakeRun::expert_tokens() const {
  std::vector<telemetry::ExpertTokens> all;
  for (int layer = 0; layer < kLayers; ++layer)
    for (int e = 0; e < kExperts; ++e) {
      telemetry::ExpertTokens one{layer, e, {}, {}};
      for (int i = 0; i < 10; ++i) {
        one.tokens.emplace_back(kWords[static_cast<std::size_t>((e * 3 + i + layer) % 22)]);
        one.log_odds.push_back(4.0F - 0.3F * static_cast<float>(i));
      }
      all.push_back(std::move(one));
    }
  return all;
}

std::shared_ptr<telemetry::TelemetryFrame> FakeRun::next(int stage,
                                                         const std::vector<telemetry::LayerControls>& controls,
                                                         const telemetry::Wants& wants) {
  ++step_;
  auto made = std::make_shared<telemetry::TelemetryFrame>();
  made->step = step_;
  made->stage = stage;
  const double s = static_cast<double>(step_);
  const double task = 4.2 + 4.1 * std::exp(-s / 90) + 0.12 * (unit() - 0.5);
  made->losses = {{"task", task}, {"balance", 0.3}, {"distillation", std::exp(-s / 100)}, {"total", task + 0.3}};
  if (step_ % 20 == 0) made->validation_loss = task + 0.05;
  made->lr = 4e-3;
  made->grad_norm = 1 + 0.2 * unit();
  made->step_ms = 80;
  made->watch_ms = step_ % kEvery == 0 ? 4 : 0.2;
  made->tokens_per_second = 12'000 + 400 * unit();
  for (int layer = 0; layer < kLayers; ++layer) made->layers.push_back(layer_step(layer));
  made->controls = controls;
  if (step_ % kEvery != 0) return made;
  made->probe = probe(stage);
  for (int layer = 0; layer < kLayers; ++layer)
    if (wants.space_layers >> layer & 1) made->spaces.push_back(space(layer));
  if (wants.expert_tokens) made->expert_tokens = expert_tokens();
  return made;
}

}  // namespace moescope::test
