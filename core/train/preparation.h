#pragma once
// Everything a run trains with, made once before its first step.
// Threads: trainer thread only.

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/diagnostic.h"
#include "core/bus/run_state.h"
#include "core/corpus/corpus.h"
#include "core/model/dataset.h"
#include "core/model/model.h"
#include "core/moe/method.h"
#include "core/telemetry/frame.h"
#include "core/train/memory_need.h"
#include "core/train/trainer_thread.h"

namespace moescope::train {

struct Material {
  const moe::Method* method = nullptr;
  std::shared_ptr<const corpus::Corpus> corpus;
  std::unique_ptr<model::Model> model;
  std::unique_ptr<model::BatchSource> stream;
  std::unique_ptr<moe::Objective> objective;
  std::vector<model::Batch> validation;
  std::vector<std::string> notes;  ///< what a user should know, the corpus' own first
  MemoryNeed memory;
  int threads = 1;
};

/// `count` batches of validation text (fewer when there is little), as the objective reads it: the same for every run.
std::vector<model::Batch> held_out_batches(const config::RunConfig& config, const corpus::Corpus& corpus, int count);

/// What keeps this corpus from teaching the configured objective, at the key to change.
Diagnostics check_objective(const config::RunConfig& config, const corpus::Corpus& corpus);

/// Reports long work to `status`. Throws what keeps the run from starting, with its remedy; a stop makes it throw too.
Material prepare_material(const RunRequest& request, const TrainerHooks& hooks, bus::StatusBoard& status,
                          const std::stop_token& stop);

/// What the window is told once. `probe` is empty when nobody watches.
telemetry::RunInfo run_info(const RunRequest& request, const Material& material,
                            std::vector<telemetry::ProbeToken> probe);

}  // namespace moescope::train
