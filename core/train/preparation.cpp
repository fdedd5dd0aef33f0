#include "core/train/preparation.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/model/document_stream.h"
#include "core/model/masked_stream.h"
#include "core/model/pair_stream.h"
#include "core/train/memory_need.h"
#include "core/train/messages.h"
#include "core/train/snapshot_ring.h"
#include "core/train/weights_file.h"

namespace moescope::train {

namespace {

// About one step of time, so that a command waits no longer for a validation than for a step.
constexpr int kValidationBatches = 4;

/// One fewer than cores, so that a window keeps a core to itself; the same without a window, so that the bits are too.
int training_threads(const config::TrainConfig& train) {
  if (train.threads > 0) return train.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
}

std::shared_ptr<const corpus::Corpus> load_corpus(const RunRequest& request, bus::StatusBoard& status,
                                                  const std::stop_token& stop) {
  corpus::CorpusRequest wanted;
  wanted.data = request.config.data;
  wanted.seed = static_cast<std::uint64_t>(request.config.top.seed);
  wanted.context = request.config.model.context;
  wanted.cache_folder = request.cache_folder;
  wanted.allow_fallback = true;  // a note tells the user
  const auto progress = [&status](const std::string& activity, double fraction) {
    status.update([&](bus::RunStatus& now) {
      now.activity = activity;
      now.progress = fraction;
    });
  };
  auto prepared = corpus::prepare_corpus(wanted, progress, stop);
  if (!prepared) throw std::runtime_error(one_line(prepared.error()));
  return *prepared;
}

model::MaskRule mask_rule(const config::RunConfig& config, const corpus::Corpus& corpus) {
  return {config.model.mask_share, corpus.special.mask, corpus.tokenizer->vocab_size()};
}

std::unique_ptr<model::BatchSource> make_stream(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const auto seed = static_cast<std::uint64_t>(config.top.seed);
  const int B = config.train.batch_size, L = config.model.context;
  const std::string& objective = config.model.objective;
  if (objective == "translation") return std::make_unique<model::PairStream>(corpus, B, L, seed);
  if (objective == "classification") {
    return std::make_unique<model::DocumentStream>(
        corpus.train, model::documents_of(corpus.train, model::trained_label(corpus)), B, L, corpus.special.pad, seed);
  }
  if (objective == "masked_lm") {
    return std::make_unique<model::MaskedStream>(corpus.train, B, L, mask_rule(config, corpus), seed);
  }
  return std::make_unique<model::BatchStream>(corpus.train, B, L, seed);
}

/// At the key that chose the corpus.
Diagnostics about_corpus(const config::RunConfig& config, const corpus::Corpus& corpus, const std::string& problem,
                         std::string hint) {
  const std::string key = config.data.source.empty() ? "data.corpus" : "data.source";
  return {config::error_at(config, key,
                           "the corpus '" + printable(corpus.name) + "' " + problem + ", but 'objective' is \"" +
                               config.model.objective + "\"",
                           std::move(hint))};
}

Diagnostics check_pairs(const config::RunConfig& config, const corpus::Corpus& corpus) {
  if (!corpus.parallel()) {
    return about_corpus(config, corpus, "holds no sentence pairs",
                        "corpora with pairs are catalogs, synthetic_pairs and a source with its target");
  }
  const int context = config.model.context;
  if (!model::fitting_pairs(corpus.train_pairs, context).empty()) return {};
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t p = 0; p < corpus.train_pairs.label_P.size(); ++p) {
    shortest = std::min(shortest, model::pair_length(corpus.train_pairs, static_cast<std::int64_t>(p)));
  }
  return {config::error_at(config, "model.context",
                           "'context' is " + std::to_string(context) + ", but the shortest sentence pair takes " +
                               with_thousands(shortest) + " positions",
                           "set context to " + std::to_string(shortest) + " or more; longer pairs are left out")};
}

Diagnostics check_classes(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const std::string hint = "manuals has the section of each page";
  if (corpus.classes.size() < 2) return about_corpus(config, corpus, "has no classes", hint);
  const std::int16_t trained = model::trained_label(corpus);
  if (!model::documents_of(corpus.train, trained).empty()) return {};
  const std::string& language = corpus.labels[static_cast<std::size_t>(trained)];
  return about_corpus(config, corpus, "has no text with a class in " + language, hint);
}

/// Pairs that the context is too short for.
std::string note_on_pairs(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const std::size_t all = corpus.train_pairs.label_P.size();
  const std::size_t fitting = model::fitting_pairs(corpus.train_pairs, config.model.context).size();
  if (fitting == all) return {};
  return with_thousands(static_cast<long long>(all - fitting)) + " of " + with_thousands(static_cast<long long>(all)) +
         " training pairs are longer than the context of " + std::to_string(config.model.context) + " and left out";
}

/// Of batches with padding the mean over a few.
int tokens_per_step(const config::RunConfig& config, model::BatchSource& stream) {
  constexpr std::int64_t kBatches = 8;
  if (!model::has_padding(config.model.objective)) return config.train.batch_size * config.model.context;
  std::int64_t tokens = 0;
  for (std::int64_t step = 0; step < kBatches; ++step) tokens += stream.batch(step).num_tokens();
  return static_cast<int>(tokens / kBatches);
}

void start_from_weights(const config::RunConfig& config, Material& material) {
  if (config.model.init_from.empty()) return;
  const Result<LoadedWeights> loaded = load_weights(config.model.init_from, *material.model);
  if (!loaded) {
    Diagnostics problems;
    for (const Diagnostic& one : loaded.error()) {
      problems.push_back(config::error_at(config, "model.init_from", "'init_from': " + one.message, one.hint));
    }
    throw std::runtime_error(one_line(problems));
  }
  material.notes.push_back(in_words(*loaded));
}

/// Throws when the run cannot fit, before it has taken anything; notes that it may not.
void require_memory(const RunRequest& request, Material& material, const model::Vocabulary& vocabulary) {
  const moe::ShapesOnly shapes;
  const auto model = model::make_model(request.config, *material.method, vocabulary);
  const StepSize step = largest_step(request.config, *material.stream);
  const std::int64_t ring = request.ring ? static_cast<std::int64_t>(request.ring->free_bytes()) : 0;
  material.memory = memory_need(*model, request.config, step, ring);
  const Diagnostics problems = check_memory(request.config, material.memory, free_memory());
  if (has_errors(problems)) throw std::runtime_error(one_line(problems));
  for (const Diagnostic& one : problems) material.notes.push_back(one.message + "; " + one.hint);
}

}  // namespace

std::vector<model::Batch> held_out_batches(const config::RunConfig& config, const corpus::Corpus& corpus, int count) {
  const int B = config.train.batch_size, L = config.model.context;
  const std::string& objective = config.model.objective;
  if (objective == "translation") return model::fixed_pair_batches(corpus, corpus.valid_pairs, B, L, count);
  if (objective == "classification") {
    std::vector<std::int64_t> documents = model::documents_of(corpus.valid, model::trained_label(corpus));
    const auto most = static_cast<std::size_t>(B) * static_cast<std::size_t>(count);
    if (documents.size() > most) documents.resize(most);
    return model::document_batches(corpus.valid, documents, B, L, corpus.special.pad);
  }
  if (objective == "masked_lm") {
    return model::fixed_masked_batches(corpus.valid, B, L, count, mask_rule(config, corpus));
  }
  return model::fixed_batches(corpus.valid, B, L, count);
}

Diagnostics check_objective(const config::RunConfig& config, const corpus::Corpus& corpus) {
  if (config.model.objective == "translation") return check_pairs(config, corpus);
  if (config.model.objective == "classification") return check_classes(config, corpus);
  return {};
}

Material prepare_material(const RunRequest& request, const TrainerHooks& hooks, bus::StatusBoard& status,
                          const std::stop_token& stop) {
  const config::RunConfig& config = request.config;
  Material material;
  material.method = moe::find_method(config.moe.method);
  if (!material.method) throw std::runtime_error("there is no routing method '" + config.moe.method + "'");
  if (const Diagnostics problems = moe::check_run(config); has_errors(problems)) {
    throw std::runtime_error(one_line(problems));
  }
  material.threads = training_threads(config.train);
  at::set_num_threads(material.threads);
  material.corpus = hooks.corpus ? hooks.corpus : load_corpus(request, status, stop);
  if (const Diagnostics problems = check_objective(config, *material.corpus); has_errors(problems)) {
    throw std::runtime_error(one_line(problems));
  }
  material.notes = material.corpus->notes;
  material.objective = moe::make_objective(config, *material.method);
  material.stream = make_stream(config, *material.corpus);
  const model::Vocabulary vocabulary = model::vocabulary_of(config, *material.corpus);
  require_memory(request, material, vocabulary);
  material.model = model::make_model(config, *material.method, vocabulary);
  start_from_weights(config, material);
  material.validation = held_out_batches(config, *material.corpus, kValidationBatches);
  if (config.model.objective == "translation") {
    std::string note = note_on_pairs(config, *material.corpus);
    if (!note.empty()) material.notes.push_back(std::move(note));
  }
  for (const std::string& note : material.notes) log::info(note);
  return material;
}

telemetry::RunInfo run_info(const RunRequest& request, const Material& material,
                            std::vector<telemetry::ProbeToken> probe) {
  const config::RunConfig& config = request.config;
  const config::MethodInfo& method = material.method->info;
  const corpus::Corpus& corpus = *material.corpus;
  moe::Router& router = material.model->layers().front().router();
  telemetry::RunInfo info;
  info.name = config.top.name;
  info.folder = request.folder;
  info.method = method.id;
  info.corpus = corpus.name + " · " + corpus.identity.substr(0, 8);
  info.config_toml = config::to_toml(config, method);
  info.total_steps = config.train.steps;
  info.num_layers = material.model->num_layers();
  info.num_experts = material.model->num_experts();
  info.top_k = router.top_k();
  info.router_space_dim = router.space_dim();
  info.tokens_per_step = tokens_per_step(config, *material.stream);
  info.vocab_size = material.model->vocab_size();
  info.threads = material.threads;
  info.precision = config.train.precision;
  info.device = "CPU";
  info.num_parameters = material.model->num_parameters();
  info.num_active_parameters = material.model->num_active_parameters();
  info.unigram_entropy_bits = corpus.unigram_entropy_bits;
  for (const config::StageInfo& stage : method.stages) info.stages.push_back(stage.title);
  info.labels = corpus.labels;
  info.probe = std::move(probe);
  return info;
}

}  // namespace moescope::train
