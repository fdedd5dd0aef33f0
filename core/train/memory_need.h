#pragma once
// What memory a run takes beside the program and its corpus, known before it starts, and whether there is as much: a
// run that cannot fit is refused in a sentence instead of being killed on its way. Free of torch.
// Threads: pure functions.

#include <cstdint>
#include <string>

#include "core/base/diagnostic.h"
#include "core/base/free_memory.h"
#include "core/config/run_config.h"
#include "core/record/retention.h"

namespace moescope::model {
class BatchSource;
class Model;
}  // namespace moescope::model

namespace moescope::train {

/// How far what is said may lie above what a run takes: what exceeds the free memory by less is no reason to refuse it.
inline constexpr double kMostOverestimate = 1.45;

/// Bytes at the worst moment of a run. tests/core/train/memory_need_test.cpp holds it against measured runs of every
/// method and objective.
struct MemoryNeed {
  std::int64_t weights = 0;      ///< each with its gradient and two moments of the optimiser, but for fixed ones
  std::int64_t state = 0;        ///< of the weights: what a copy of a step's state takes
  std::int64_t copies = 0;       ///< states of older steps, to go back to
  std::int64_t activations = 0;  ///< what blocks, routers and experts keep of a batch until its gradients are known
  std::int64_t logits = 0;       ///< of a batch, with their gradients
  bool at_most = false;          ///< batches are smaller where sequences are shorter than the context
  std::int64_t total() const;
};

/// What a step works on at once.
struct StepSize {
  std::int64_t positions = 0;  ///< of all sequences, padding included; of a translation on both sides
  std::int64_t rows = 0;       ///< of the logits
  int passes = 1;              ///< as moe::Objective says
  bool at_most = false;        ///< sequences may be shorter than the context
};
/// As much as the configuration allows: every sequence fills the context.
StepSize largest_step(const config::RunConfig& config);
/// The largest of some batches, since sentences and documents seldom fill the context.
StepSize largest_step(const config::RunConfig& config, model::BatchSource& stream);

/// Of `model`, which may be made of shapes only (moe::ShapesOnly). `ring_bytes`: what the request's snapshot ring may
/// still take, 0 without one.
MemoryNeed memory_need(const model::Model& model, const config::RunConfig& config, const StepSize& step,
                       std::int64_t ring_bytes);

/// A run as it will be, from its configuration alone. Parameters are exact but for the number of pieces that its
/// tokenizer will find; memory is an upper bound where sequences differ in length.
struct PlannedRun {
  record::RunSize size;
  MemoryNeed memory;
};
/// Requires: a configuration that passed read_run_config() and moe::check_run().
PlannedRun planned_run(const config::RunConfig& config, std::int64_t ring_bytes);

/// About the key that takes most, with what would help, when `need` is more than `free`: an error when the run cannot
/// fit, a warning when it may not.
Diagnostics check_memory(const config::RunConfig& config, const MemoryNeed& need, const FreeMemory& free);

/// "about 340 MB of memory: activations 180 MB, weights 110 MB, …", the largest part first.
std::string in_words(const MemoryNeed& need);

}  // namespace moescope::train
