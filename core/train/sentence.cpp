#include "core/train/sentence.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "core/base/seed.h"
#include "core/base/text.h"
#include "core/train/layer_step.h"

namespace moescope::train {

namespace {

constexpr std::size_t kMostBytes = 20'000;
constexpr int kContinuationTokens = 24;
constexpr double kTemperature = 0.8;  // below 1: a tiny model's tail is noise

using Ids = std::vector<std::int32_t>;

at::Tensor as_batch(const Ids& ids, int context) {
  const std::size_t kept = std::min(ids.size(), static_cast<std::size_t>(context));
  const std::vector<std::int64_t> wide(ids.end() - static_cast<std::ptrdiff_t>(kept), ids.end());
  return at::tensor(wide, at::kLong).unsqueeze(0);
}

std::int32_t draw(const at::Tensor& logits_V, double unit) {
  const at::Tensor probs_V = at::softmax(logits_V.to(at::kDouble) / kTemperature, 0);
  const double* p = probs_V.const_data_ptr<double>();
  const std::int64_t last = probs_V.numel() - 1;
  std::int64_t id = 0;
  for (double sum = p[0]; id < last && sum <= unit; sum += p[++id]) {
  }
  return static_cast<std::int32_t>(id);
}

std::string continuation(model::Model& model, const corpus::Tokenizer& tokenizer, Ids ids, std::uint64_t seed) {
  SeededWords words(seed);
  const std::string before = tokenizer.decode(ids);
  for (int i = 0; i < kContinuationTokens; ++i) {
    const at::Tensor tokens_1L = as_batch(ids, model.context());
    ids.push_back(draw(model.next_token_logits(tokens_1L, moe::RouteMode::kEvaluate), words.unit()));
  }
  // Decoded together: pieces alone lose the space between them.
  const std::string all = tokenizer.decode(ids);
  return all.rfind(before, 0) == 0 ? all.substr(before.size()) : all;
}

}  // namespace

Outcome probe_sentence(model::Model& model, const corpus::Tokenizer& tokenizer, const std::string& text,
                       std::uint64_t seed, bus::SentenceResult& result) {
  if (text.size() > kMostBytes) return refused("the sentence is longer than 20,000 bytes");
  if (first_invalid_utf8(text)) return refused("the sentence is not UTF-8 text");
  Ids ids = tokenizer.encode(text);
  if (ids.empty()) return refused("the sentence is empty");
  const c10::AutoGradMode no_gradient(false);
  const at::Tensor tokens_1L = as_batch(ids, model.context());
  const std::int64_t T = tokens_1L.size(1);
  const model::RoutingTrace trace = model.route({tokens_1L, {}}, moe::RouteMode::kProbe);
  result.sentence = text;
  result.top_k = std::max(1, model.layers().front().router().top_k());
  for (std::int64_t t = 0; t < T; ++t) {
    result.tokens.push_back({tokenizer.piece(ids[ids.size() - static_cast<std::size_t>(T - t)]), {}, {}, {}});
  }
  const auto K = static_cast<std::size_t>(result.top_k);
  for (const moe::Routing& routing : trace.routing_L) {
    const telemetry::LayerProbe probe = layer_probe(routing, T, result.top_k);
    for (std::size_t t = 0; t < result.tokens.size(); ++t) {
      bus::SentenceToken& token = result.tokens[t];
      for (std::size_t k = 0; k < K; ++k) {
        token.expert_LK.push_back(probe.expert_TK[t * K + k]);
        token.gate_LK.push_back(probe.gate_TK[t * K + k]);
      }
      token.margin_L.push_back(probe.margin_T[t]);
    }
  }
  result.continuation = continuation(model, tokenizer, std::move(ids), seed);
  return accepted("routed " + std::to_string(T) + (T == 1 ? " token" : " tokens"));
}

}  // namespace moescope::train
