#include "core/train/preparation.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/train/messages.h"

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

}  // namespace

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
  for (const std::string& note : material.corpus->notes) log::info(note);

  const auto seed = static_cast<std::uint64_t>(config.top.seed);
  const int B = config.train.batch_size, L = config.model.context;
  material.model = model::make_model(config, *material.method, *material.corpus);
  material.stream = std::make_unique<model::BatchStream>(material.corpus->train, B, L, seed);
  material.validation = model::fixed_batches(material.corpus->valid, B, L, kValidationBatches);
  material.objective =
      material.method->make_objective ? material.method->make_objective(config) : moe::single_pass_objective(config.train.label_smoothing);
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
  info.tokens_per_step = config.train.batch_size * config.model.context;
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
