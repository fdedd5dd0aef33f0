#include "core/train/evaluation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <c10/core/GradMode.h>

#include <cstdio>
#include <limits>

#include "core/model/document_stream.h"
#include "core/model/translator.h"
#include "core/train/translation_eval.h"

namespace moescope::train {

namespace {

constexpr std::size_t kMostTexts = 200;

Accuracy accuracy_of(model::Model& model, const corpus::Corpus& corpus, std::int16_t label, int batch_size) {
  Accuracy accuracy{corpus.labels[static_cast<std::size_t>(label)]};
  std::vector<std::int64_t> documents = model::documents_of(corpus.valid, label);
  if (documents.size() > kMostTexts) documents.resize(kMostTexts);
  for (const model::Batch& batch :
       model::document_batches(corpus.valid, documents, batch_size, model.context(), corpus.special.pad)) {
    const at::Tensor logits_BC = model.forward(batch, moe::RouteMode::kEvaluate, 0).logits_TV;
    accuracy.right += at::argmax(logits_BC, 1).eq(batch.target_T).sum().item<std::int64_t>();
    accuracy.documents += batch.target_T.size(0);
  }
  return accuracy;
}

}  // namespace

double validation_loss(model::Model& model, const std::vector<model::Batch>& batches) {
  const c10::AutoGradMode no_gradient(false);
  double sum = 0;
  std::int64_t tokens = 0;
  for (const model::Batch& batch : batches) {
    // Seed 0: an evaluation rule that draws (random routing) draws the same each time, so losses compare.
    const moe::ModelPass pass = model.forward(batch, moe::RouteMode::kEvaluate, 0);
    const std::int64_t asked = batch.target_T.ne(moe::kNoTarget).sum().item<std::int64_t>();
    sum += moe::mean_cross_entropy(pass.logits_TV, batch.target_T).item<double>() * static_cast<double>(asked);
    tokens += asked;
  }
  return tokens == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(tokens);
}

std::vector<Accuracy> accuracy_by_label(model::Model& model, const corpus::Corpus& corpus, int batch_size,
                                        const std::function<bool()>& stop) {
  const c10::AutoGradMode no_gradient(false);
  const std::int16_t trained = model::trained_label(corpus);
  std::vector<Accuracy> found{accuracy_of(model, corpus, trained, batch_size)};
  for (std::int16_t label = 0; label < static_cast<std::int16_t>(corpus.labels.size()); ++label) {
    if (stop && stop()) break;
    if (label == trained) continue;
    Accuracy accuracy = accuracy_of(model, corpus, label, batch_size);
    if (accuracy.documents > 0) found.push_back(std::move(accuracy));
  }
  return found;
}

void add_quality(const config::RunConfig& config, const corpus::Corpus& corpus, model::Model& model,
                 std::map<std::string, double>& more, std::string& bleu_signature, const std::function<bool()>& stop) {
  if (config.model.objective == "classification") {
    const std::vector<Accuracy> found = accuracy_by_label(model, corpus, config.train.batch_size, stop);
    if (stop && stop()) return;
    for (std::size_t i = 0; i < found.size(); ++i) {
      more[i == 0 ? "accuracy" : "accuracy." + found[i].label] = found[i].share();
    }
  }
  if (auto* translator = dynamic_cast<model::Translator*>(&model)) {
    const TranslationScores found = evaluate_translation(*translator, corpus, config.decode, stop);
    for (std::size_t i = 0; i < found.scores.size(); ++i) {
      more[i == 0 ? "bleu" : "bleu." + found.scores[i].language] = found.scores[i].bleu;
    }
    if (!found.scores.empty()) bleu_signature = found.signature;
  }
}

std::string in_words(const std::map<std::string, double>& quality, const std::string& bleu_signature) {
  std::string text;
  for (const auto& [name, value] : quality) {
    char number[32];
    std::snprintf(number, sizeof number, "%.3g", value);
    text += (text.empty() ? "" : ", ") + name + ' ' + number;
  }
  return bleu_signature.empty() ? text : text + " (" + bleu_signature + ')';
}

}  // namespace moescope::train
