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

constexpr std::int64_t kNumber = 4;   // bytes: single precision throughout
constexpr std::int64_t kMoments = 2;  // of a weight, in the optimiser
constexpr double kLogitsPerPass = 4;  // with their logarithms, and two gradients on the way back
constexpr double kComparedPass = 6;   // with probabilities to hold against those of the other pass
constexpr double kSmoothing = 2;      // more, when every class counts

/// Of a whole run in a ring of `ring_bytes`, whose newest state always stays.
std::int64_t copies_bytes(std::int64_t state, std::int64_t steps, std::int64_t ring_bytes) {
  const std::int64_t states = steps / kSnapshotEvery + 1;
  const bool all_fit = state <= ring_bytes / states;
  return std::max(state, all_fit ? states * state : ring_bytes);
}

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
std::int64_t MemoryNeed::total() const { return weights + copies + std::max(activations + logits, state); }

StepSize largest_step(const config::RunConfig& config) {
  const std::string& objective = config.model.objective;
  const std::int64_t B = config.train.batch_size, tokens = B * config.model.context;
  const int passes = moe::make_objective(config, *moe::find_method(config.moe.method))->passes();
  return {objective == "translation" ? 2 * tokens : tokens, objective == "classification" ? B : tokens, passes,
          model::has_padding(objective)};
}

StepSize largest_step(const config::RunConfig& config, model::BatchSource& stream) {
  constexpr std::int64_t kBatches = 32;
  StepSize largest = largest_step(config);
  if (!largest.at_most) return largest;
  largest.positions = largest.rows = 0;
  largest.at_most = false;
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
  const std::int64_t all = model.num_parameters(), trained = model.num_trained_parameters();
  need.state = kNumber * (all + kMoments * trained);
  need.weights = need.state + kNumber * trained;  // with their gradients
  need.copies = copies_bytes(need.state, config.train.steps, ring_bytes);
  need.activations = bytes(static_cast<double>(step.positions) * model.kept_per_token());
  need.logits = bytes(static_cast<double>(step.rows) * model.num_logits() * logit_tensors);
  need.at_most = step.at_most;
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
  const bool hopeless = static_cast<double>(need.total()) > kMostOverestimate * static_cast<double>(free.bytes);
  const Part largest = parts_of(need).front();
  Diagnostic problem = config::error_at(config, largest.key,
                                        "the run needs " + in_words(need) + ", but " +
                                            moescope::in_words(free.limit, record::size_in_words(free.bytes)) +
                                            (hopeless ? "" : ": it may run out of memory"),
                                        largest.hint);
  if (!hopeless) problem.severity = Severity::kWarning;
  return {problem};
}

std::string in_words(const MemoryNeed& need) {
  std::string words = (need.at_most ? "at most about " : "about ") + record::size_in_words(need.total()) + " of memory";
  const char* before = ": ";
  for (const Part& part : parts_of(need)) {
    if (part.bytes == 0) continue;
    words += before + std::string(part.name) + ' ' + record::size_in_words(part.bytes);
    before = ", ";
  }
  return words;
}

}  // namespace moescope::train
