#pragma once
// One step of training.
// Threads: trainer thread only.

#include <cstdint>

#include "core/model/dataset.h"
#include "core/model/model.h"
#include "core/moe/objective.h"
#include "core/train/optimizer.h"
#include "core/train/phase.h"

namespace moescope::train {

struct StepPlan {
  std::int64_t step = 0;  ///< optimiser steps done before this one
  double lr = 0;
  std::uint64_t run_seed = 0;
};

struct StepResult {
  moe::StepLosses losses;
  double grad_norm = 0;  ///< before clipping
  model::Batch batch;    ///< what was learnt from
};

/// Data → losses → gradients → update. A loss or gradient that is not finite throws before anything is written, with a
/// message that names it; the phase in `clock` says where.
StepResult train_step(model::Model& model, moe::Objective& objective, model::BatchSource& stream, AdamW& optimizer,
                      const StepPlan& plan, PhaseClock& clock);

}  // namespace moescope::train
