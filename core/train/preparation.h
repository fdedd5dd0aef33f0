#pragma once
// Everything a run trains with, made once before its first step.
// Threads: trainer thread only.

#include <memory>
#include <stop_token>
#include <vector>

#include "core/bus/run_state.h"
#include "core/corpus/corpus.h"
#include "core/model/dataset.h"
#include "core/model/model.h"
#include "core/moe/method.h"
#include "core/telemetry/frame.h"
#include "core/train/trainer_thread.h"

namespace moescope::train {

struct Material {
  const moe::Method* method = nullptr;
  std::shared_ptr<const corpus::Corpus> corpus;
  std::unique_ptr<model::Model> model;
  std::unique_ptr<model::BatchSource> stream;
  std::unique_ptr<moe::Objective> objective;
  std::vector<model::Batch> validation;
  int threads = 1;
};

/// Reports long work to `status`. Throws what keeps the run from starting, with its remedy; a stop makes it throw too.
Material prepare_material(const RunRequest& request, const TrainerHooks& hooks, bus::StatusBoard& status,
                          const std::stop_token& stop);

/// What the window is told once. `probe` is empty when nobody watches.
telemetry::RunInfo run_info(const RunRequest& request, const Material& material,
                            std::vector<telemetry::ProbeToken> probe);

}  // namespace moescope::train
