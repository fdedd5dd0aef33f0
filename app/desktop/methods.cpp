#include "app/desktop/methods.h"

#include "core/base/free_memory.h"
#include "core/moe/method.h"
#include "core/record/retention.h"
#include "core/train/memory_need.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

namespace {

RunPlan plan_of(const config::RunConfig& config) {
  const train::PlannedRun planned = train::planned_run(config, train::kSnapshotRingBytes);
  return {train::in_words(planned.memory), record::in_words(record::estimated_retention(config, planned.size)),
          train::check_memory(config, planned.memory, free_memory())};
}

}  // namespace

Methods registered_methods() {
  return {moe::method_catalogue(), [](const auto& config) { return moe::check_run(config); }, plan_of};
}

}  // namespace moescope::app
