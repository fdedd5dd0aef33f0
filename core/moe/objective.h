#pragma once
// What a step computes from the model. Most methods make one pass; a method may make several (THOR makes two and
// compares them). The objective knows neither the model nor the trainer: it is handed a function that makes a pass.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/moe/moe_layer.h"

namespace moescope::moe {

/// One pass of the model over the batch.
struct ModelPass {
  at::Tensor logits_TV;
  std::vector<LayerRecord> layers;
};

/// Makes pass `index` (0, 1, …): passes differ in their random draws only.
using MakePass = std::function<ModelPass(int index)>;

struct LossTerm {
  std::string name;
  at::Tensor value;  ///< scalar with gradient, mean over tokens
  double coefficient = 1;
};

struct StepLosses {
  std::vector<LossTerm> terms;      ///< "task" first; auxiliary losses summed over layers
  at::Tensor total;                 ///< Σ coefficient · value
  std::vector<LayerRecord> layers;  ///< of the first pass, for telemetry
};

class Objective {
 public:
  virtual ~Objective() = default;
  /// `target_T`: int64 next tokens, −100 where there is none.
  virtual StepLosses compute(const MakePass& make_pass, const at::Tensor& target_T) = 0;
  /// How often compute() calls `make_pass`.
  virtual int passes() const { return 1; }
  /// A live field of the method's router section, already accepted by the routers; the objective takes what is its own.
  virtual void set(const std::string& /*key*/, const config::Value& /*value*/) {}
};

inline constexpr std::int64_t kNoTarget = -100;

/// Mean cross-entropy over the rows that have a target; zero when none has. With `smoothing` ε the target weighs 1 − ε
/// and every other class ε/(V − 1), as fairseq does.
at::Tensor mean_cross_entropy(const at::Tensor& logits_TV, const at::Tensor& target_T, double smoothing = 0);

/// Each auxiliary loss of the layers, summed over layers under its name and coefficient.
void add_auxiliary(const std::vector<LayerRecord>& layers, std::vector<LossTerm>& terms);
/// Σ coefficient · value. Requires: at least one term.
at::Tensor total_of(const std::vector<LossTerm>& terms);

/// One pass, mean cross-entropy, plus each auxiliary loss summed over layers with its coefficient.
std::unique_ptr<Objective> single_pass_objective(double label_smoothing = 0);

}  // namespace moescope::moe
