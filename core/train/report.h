#pragma once
// What a trained run is worth, on held-out text: losses by several evaluation rules, the spread over routings, the
// geometry of its experts. This header is free of torch.
// Threads: evaluate_run() on one thread at a time; the results are plain values.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"

namespace moescope::corpus {
struct Corpus;
}

namespace moescope::train {

/// One way to evaluate: live fields of the method's router section changed for it.
struct EvaluationRule {
  std::string name;  ///< "as configured", "top_k = 4"
  std::map<std::string, config::Value> router;
};

struct EvaluationRequest {
  config::RunConfig config;
  std::string weights;                ///< a safetensors file of that configuration
  std::string cache_folder;           ///< corpora and tokenizers
  std::vector<EvaluationRule> rules;  ///< beside "as configured", which always comes first
  int routings = 1;       ///< routing seeds; more than one tells the spread (methods whose evaluation draws)
  bool backbone = false;  ///< also the backbone router's choice, where a student chooses at evaluation
  int batches = 16;       ///< of validation text, train.batch_size sequences each
  int stage = -1;         ///< of the method, from 0; −1: the one due at the end of the run
};

struct RuleResult {
  std::string name;
  double loss = 0;               ///< nats per token (or per text for a classifier)
  double tokens_per_second = 0;  ///< forward only, on this machine
  double experts_per_token = 0;
  double flops_per_token = 0;
  /// "accuracy", "accuracy.de", "bleu", "bleu.fr": what the objective asks for beside the loss.
  std::map<std::string, double> more;
};

/// Over routing seeds (Zuo et al. 2022): how much the choice of experts matters.
struct RoutingSpread {
  int routings = 0;
  double mean_loss = 0, std_loss = 0;  ///< nats per token over seeds
  double ensemble_loss = 0;            ///< of the mean probability
  double symmetric_kl = 0;             ///< mean over tokens, between the first two routings
  double top1_agreement = 0;           ///< likewise
};

/// One MoE layer on the validation text.
struct LayerReport {
  std::int64_t tokens = 0;
  double entropy = 0, marginal_entropy = 0;  ///< nats; NaN without scores
  double effective_experts = 0, max_violation = 0;
  double collapse = 0;           ///< RC, balanced variant, classes = first choices; NaN for soft mixtures
  double expert_similarity = 0;  ///< mean off-diagonal linear CKA of all experts' outputs on common tokens
  std::vector<double> load_E;
};

struct Report {
  std::string method, corpus;
  std::int64_t parameters = 0, active_parameters = 0;
  std::vector<RuleResult> rules;
  std::optional<RoutingSpread> spread;
  /// Relative change of a sequence's logits when the other sequences of its batch are replaced; methods that mix only.
  std::optional<double> leak;
  std::vector<LayerReport> layers;
  std::string bleu_signature;  ///< empty unless BLEU was computed
  std::vector<std::string> notes;
};

/// Prepares the corpus, loads the weights and evaluates. A weights file that does not fit, a field the method does not
/// have, a value it refuses and an unreadable corpus are messages. `corpus` null: the configuration's own.
Result<Report> evaluate_run(const EvaluationRequest& request,
                            const std::function<void(const std::string& activity, double fraction)>& progress,
                            const std::shared_ptr<const corpus::Corpus>& corpus = nullptr, std::stop_token stop = {});

/// As JSON, keys as the members; what is NaN is left out.
std::string to_json(const Report& report);

}  // namespace moescope::train
