#pragma once
// Everything that steers training, at a step boundary, as named blocks: what a checkpoint holds, what is hashed, what a
// snapshot in memory is. Random draws need no state: each is a function of (run seed, purpose, step).
//
//   model/<parameter>                     the weights, fp32
//   router/<layer>/<name>                 what a router keeps beside its parameters: a bias set by rule, a table …
//   optim/<parameter>/mean|square|count   AdamW's moments, and how often the parameter was updated
//   schedule/peak            F64          of the learning rate
//   control/stage, control/stage_due I64  the stage, and the one the schedule asked for last
//   control/router_frozen, control/assignment_pinned  U8 by layer;  control/frozen_experts  I64 by layer, a bit each
//   control/settings         U8           live parameters set by hand, one `set` command as JSON per line
//   data/step, data/seed     I64          the cursor of the data and of every random draw
//   watch/probe, watch/reference, watch/spacing   what the next probe is compared with; no part of the hash
//
// Layers count from 1. Threads: trainer thread only.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model.h"
#include "core/moe/objective.h"
#include "core/record/checkpoint_files.h"
#include "core/record/run_rows.h"
#include "core/train/live_controls.h"
#include "core/train/live_settings.h"
#include "core/train/lr_schedule.h"
#include "core/train/optimizer.h"
#include "core/train/watch.h"

namespace moescope::train {

/// The parts of a run that have state. References: all must outlive it.
struct TrainingState {
  model::Model& model;
  moe::Objective& objective;
  AdamW& optimizer;
  LiveControls& controls;
  LiveSettings& settings;
  LrSchedule& schedule;
  Watch& watch;
  std::int64_t& step;
  int& stage_due;
  std::int64_t seed;
};

/// A copy of everything.
record::Blocks capture(const TrainingState& state);

/// Puts a copy back. Throws, naming the block, when one is missing, has another shape, or has no place here; then the
/// state is neither the old nor the new one.
void restore(TrainingState state, const std::vector<record::TensorBlock>& blocks);

/// Hash of the whole and of every tensor (XXH3). Equal states have equal hashes on every machine of one byte order.
struct StateHash {
  std::string hash;                         ///< 32 hex digits
  std::vector<record::TensorHash> tensors;  ///< sorted by name
};
StateHash hash_of(const TrainingState& state);
/// The same of a captured state.
StateHash hash_of(const std::vector<record::TensorBlock>& blocks);

}  // namespace moescope::train
