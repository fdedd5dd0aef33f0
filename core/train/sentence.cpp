#include "core/train/sentence.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "core/base/seed.h"
#include "core/base/text.h"
#include "core/model/beam_search.h"
#include "core/model/pair_stream.h"
#include "core/train/probe.h"
#include "core/train/probe_text.h"

namespace moescope::train {

namespace {

constexpr std::size_t kMostBytes = 20'000;
constexpr int kContinuationTokens = 24;
constexpr double kTemperature = 0.8;  // below 1: a tiny model's tail is noise

using Ids = std::vector<std::int32_t>;

at::Tensor one_row(const std::vector<std::int64_t>& ids) { return at::tensor(ids, at::kLong).unsqueeze(0); }

at::Tensor as_batch(const Ids& ids, int context) {
  const std::size_t kept = std::min(ids.size(), static_cast<std::size_t>(context));
  const std::vector<std::int64_t> wide(ids.end() - static_cast<std::ptrdiff_t>(kept), ids.end());
  return one_row(wide);
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

at::Tensor beginning(const Ids& ids, int context) {
  const auto kept = static_cast<std::ptrdiff_t>(std::min(ids.size(), static_cast<std::size_t>(context)));
  return one_row({ids.begin(), ids.begin() + kept});
}

/// "section 3 (87 %)".
std::string named_class(model::Model& model, const corpus::Corpus& corpus, const at::Tensor& tokens_1L) {
  const moe::ModelPass pass = model.forward({tokens_1L, {}}, moe::RouteMode::kEvaluate, 0);
  const at::Tensor probs_C = at::softmax(pass.logits_TV.to(at::kDouble), 1).view({-1});
  const auto best = probs_C.argmax().item<std::int64_t>();
  return corpus.classes[static_cast<std::size_t>(best)] + " (" +
         std::to_string(std::lround(100 * probs_C.const_data_ptr<double>()[best])) + " %)";
}

/// Labels of the languages the run learnt to translate into, one for each tag.
std::vector<std::int16_t> target_languages(const corpus::Corpus& corpus) {
  const std::vector<int>& tags = corpus.special.tag_of_label;
  std::set<std::int16_t> found;
  for (const std::int16_t label : corpus.train_pairs.label_P) {
    // Where all sources are translated into one language, its label is the first of that tag.
    const auto first = std::find(tags.begin(), tags.end(), model::tag_of(corpus, label));
    found.insert(static_cast<std::int16_t>(first - tags.begin()));
  }
  return {found.begin(), found.end()};
}

/// Fills `answer` with a translation into each language; the batch that shows the first one's routing comes back.
model::Batch translated(model::Translator& model, const corpus::Corpus& corpus, const config::RunConfig& config,
                        Ids ids, std::string& answer) {
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(model.context() - 2)));  // beside the tag and the end
  const std::vector<std::int16_t> languages = target_languages(corpus);
  std::vector<std::vector<std::int64_t>> rows;
  for (const std::int16_t label : languages) rows.push_back(model::source_row(corpus, ids, label));
  const auto found = model::beam_search(model, rows, {config.decode.beam_width, config.decode.length_penalty});
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) answer += " · ";
    answer += corpus.labels[static_cast<std::size_t>(languages[i])] + ": " + corpus.tokenizer->decode(found[i].tokens);
  }
  std::vector<std::int64_t> target{corpus.special.bos};
  target.insert(target.end(), found.front().tokens.begin(), found.front().tokens.end());
  return {one_row(target), {}, {}, one_row(rows.front())};
}

void add_routing(model::Model& model, const corpus::Corpus& corpus, const model::Batch& batch,
                 bus::SentenceResult& result) {
  const model::RoutingTrace trace = model.route(batch, moe::RouteMode::kProbe);
  result.top_k = std::max(1, model.layers().front().router().top_k());
  for (const at::Tensor& side : {batch.source_BL, batch.tokens_BL}) {
    if (!side.defined()) continue;
    const std::int64_t* id = side.const_data_ptr<std::int64_t>();
    for (std::int64_t l = 0; l < side.numel(); ++l) result.tokens.push_back({piece_of(corpus, id[l]), {}, {}, {}});
  }
  const auto K = static_cast<std::size_t>(result.top_k);
  for (std::size_t l = 0; l < trace.routing_L.size(); ++l) {
    const telemetry::LayerProbe probe = layer_probe(trace, l, result.top_k, batch.num_tokens());
    for (std::size_t t = 0; t < result.tokens.size(); ++t) {
      bus::SentenceToken& token = result.tokens[t];
      for (std::size_t k = 0; k < K; ++k) {
        token.expert_LK.push_back(probe.expert_TK[t * K + k]);
        token.gate_LK.push_back(probe.gate_TK[t * K + k]);
      }
      token.margin_L.push_back(probe.margin_T[t]);
    }
  }
}

}  // namespace

Outcome probe_sentence(model::Model& model, const corpus::Corpus& corpus, const config::RunConfig& config,
                       const std::string& text, std::uint64_t seed, bus::SentenceResult& result) {
  if (text.size() > kMostBytes) return refused("the sentence is longer than 20,000 bytes");
  if (first_invalid_utf8(text)) return refused("the sentence is not UTF-8 text");
  Ids ids = corpus.tokenizer->encode(text);
  if (ids.empty()) return refused("the sentence is empty");
  const c10::AutoGradMode no_gradient(false);
  result.sentence = text;
  const std::string& objective = config.model.objective;
  model::Batch batch;
  if (auto* translator = dynamic_cast<model::Translator*>(&model)) {
    batch = translated(*translator, corpus, config, ids, result.continuation);
  } else {
    batch.tokens_BL = objective == "causal_lm" ? as_batch(ids, model.context()) : beginning(ids, model.context());
  }
  add_routing(model, corpus, batch, result);
  if (objective == "classification") result.continuation = named_class(model, corpus, batch.tokens_BL);
  if (objective == "causal_lm") result.continuation = continuation(model, *corpus.tokenizer, std::move(ids), seed);
  const std::size_t T = result.tokens.size();
  return accepted("routed " + std::to_string(T) + (T == 1 ? " token" : " tokens"));
}

}  // namespace moescope::train
