#pragma once
// What is known of a routing method without torch: everything the form, `check`, `methods`, the tool bar and the
// documentation need. core/moe builds one for each registered method; the quiet rooms and the views only read it.
// Threads: plain values.

#include <map>
#include <string>
#include <vector>

#include "core/config/field.h"

namespace moescope::config {

/// One named stage of a method, in order. A method without stages has exactly one, "train".
struct StageInfo {
  std::string id;     ///< "learn"
  std::string title;  ///< "Learn"
  std::string help;   ///< what happens in it
};

/// What a method promises. Tests check every promise for every registered method.
struct Traits {
  /// In training a token's output depends on no later token. With capacity off: where a limit drops all second choices
  /// after all first ones (GShard, ST-MoE), a later token's first choice may take an earlier one's second.
  bool causal = true;
  bool causal_evaluation = true;   ///< nor by the evaluation rule
  bool mixes_sequences = false;    ///< a token's output depends on other sequences of its batch
  bool token_choice = false;       ///< every token chooses top_k experts: any choice can be distilled and pinned
  bool draws_evaluation = false;   ///< the evaluation rule itself is a draw: one loss per routing seed
  bool gates_sum_to_one = false;   ///< over the experts of one token, before capacity
  bool order_independent = false;  ///< permuting the tokens permutes the outputs (capacity off)
  bool has_student = false;        ///< a distilled student can take over the assignment (pin)
  bool has_router_rows = false;    ///< scores are inner products with one row per expert: the sphere can be drawn
  bool router_learns = true;       ///< some loss reaches the router's parameters
  bool balanced = false;           ///< equal load by construction
};

struct MethodInfo {
  std::string id;       ///< "stablemoe", as `[moe] method` names it
  std::string title;    ///< "StableMoE"
  std::string summary;  ///< one sentence
  std::string paper;    ///< "Dai et al., ACL 2022"
  Traits traits;
  std::vector<StageInfo> stages;
  Schema router;          ///< section "moe.router"
  Schema stage_schedule;  ///< section "stages"; no fields when the method has one stage
  /// Defaults of common keys that this method changes, by full key: {"moe.capacity_factor", 1.25}.
  std::map<std::string, Value> defaults;
};

using MethodCatalogue = std::vector<MethodInfo>;

/// The method of that id, or nullptr.
const MethodInfo* find_method(const MethodCatalogue& catalogue, const std::string& id);

}  // namespace moescope::config
