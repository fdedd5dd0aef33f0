#include "core/train/memory_need.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model.h"
#include "core/moe/method.h"
#include "core/train/snapshot_ring.h"

namespace moescope::train {
namespace {

constexpr std::int64_t kNumber = 4;           // bytes: single precision throughout
constexpr std::int64_t kStatePerWeight = 3;   // a weight and its two moments
constexpr std::int64_t kMemoryPerWeight = 4;  // and its gradient
constexpr double kLogitsPerPass = 4;          // with their logarithms, and two gradients on the way back
constexpr double kComparedPass = 6;           // with probabilities to hold against those of the other pass
constexpr double kSmoothing = 2;              // more, when every class counts

std::int64_t state_bytes(const MemoryNeed& need) { return need.weights / kMemoryPerWeight * kStatePerWeight; }

struct Part {
  std::int64_t bytes;
  const char* name;
  const char* key;  ///< to change when it is too much
  const char* hint;
};

/// The largest first.
std::vector<Part> parts_of(const MemoryNeed& need) {
  std::vector<Part> parts = {
      {need.weights, "weights", "model.d_model",
       "a smaller model.d_model, moe.expert_hidden or moe.num_experts, or fewer layers, needs less"},
      {need.copies, "states to go back to", "model.d_model",
       "a smaller model.d_model, moe.expert_hidden or moe.num_experts, or fewer layers, needs less"},
      {need.activations, "activations", "train.batch_size",
       "a smaller train.batch_size, model.context or model.d_model needs less"},
      {need.logits, "logits", "train.batch_size",
       "a smaller train.batch_size, model.context or data.vocab_size needs less"}};
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.bytes > b.bytes; });
  return parts;
}

}  // namespace

// A new state is copied when the batch is through, so its copy and the batch never stand beside each other.
std::int64_t MemoryNeed::total() const { return weights + copies + std::max(activations + logits, state_bytes(*this)); }

StepSize largest_step(const config::RunConfig& config) {
  const std::string& objective = config.model.objective;
  const std::int64_t B = config.train.batch_size, tokens = B * config.model.context;
  const int passes = moe::make_objective(config, *moe::find_method(config.moe.method))->passes();
  return {objective == "translation" ? 2 * tokens : tokens, objective == "classification" ? B : tokens, passes};
}

StepSize largest_step(const config::RunConfig& config, model::BatchSource& stream) {
  constexpr std::int64_t kBatches = 32;
  StepSize largest = largest_step(config);
  if (!model::has_padding(config.model.objective)) return largest;
  largest.positions = largest.rows = 0;
  for (std::int64_t step = 0; step < kBatches; ++step) {
    const model::Batch batch = stream.batch(step);
    const std::int64_t source = batch.source_BL.defined() ? batch.source_BL.numel() : 0;
    largest.positions = std::max(largest.positions, source + batch.tokens_BL.numel());
    largest.rows = std::max(largest.rows, batch.target_T.size(0));
  }
  return largest;
}

MemoryNeed memory_need(const model::Model& model, const config::RunConfig& config, const StepSize& step,
                       std::int64_t ring_bytes) {
  const bool compares = step.passes > 1, smoothes = config.train.label_smoothing > 0;
  const double logit_tensors = (compares ? kComparedPass : kLogitsPerPass) + (smoothes ? kSmoothing : 0);
  const auto bytes = [&step](double numbers) { return static_cast<std::int64_t>(step.passes * kNumber * numbers); };
  MemoryNeed need;
  need.weights = kMemoryPerWeight * kNumber * model.num_parameters();
  const std::int64_t state = state_bytes(need), states = config.train.steps / kSnapshotEvery + 1;
  need.copies = std::max(state, std::min(ring_bytes, states * state));
  need.activations = bytes(static_cast<double>(step.positions) * model.kept_per_token());
  need.logits = bytes(static_cast<double>(step.rows) * model.num_logits() * logit_tensors);
  return need;
}

PlannedRun planned_run(const config::RunConfig& config, std::int64_t ring_bytes) {
  const moe::Method& method = *moe::find_method(config.moe.method);
  const moe::ShapesOnly shapes;
  const std::unique_ptr<model::Model> model = model::make_model(config, method, model::planned_vocabulary(config));
  PlannedRun run;
  run.size.num_parameters = model->num_parameters();
  run.size.num_layers = model->num_layers();
  run.size.router_space_dim = model->num_layers() > 0 ? model->layers().front().router().space_dim() : 0;
  run.size.num_stages = static_cast<int>(std::max<std::size_t>(1, method.info.stages.size()));
  run.memory = memory_need(*model, config, largest_step(config), ring_bytes);
  return run;
}

Diagnostics check_memory(const config::RunConfig& config, const MemoryNeed& need, const FreeMemory& free) {
  if (need.total() <= free.bytes) return {};
  const Part largest = parts_of(need).front();
  return {config::error_at(
      config, largest.key,
      "the run needs " + in_words(need) + ", but " + moescope::in_words(free.limit, record::size_in_words(free.bytes)),
      largest.hint)};
}

std::string in_words(const MemoryNeed& need) {
  std::string words = "about " + record::size_in_words(need.total()) + " of memory";
  const char* before = ": ";
  for (const Part& part : parts_of(need)) {
    if (part.bytes == 0) continue;
    words += before + std::string(part.name) + ' ' + record::size_in_words(part.bytes);
    before = ", ";
  }
  return words;
}

}  // namespace moescope::train
