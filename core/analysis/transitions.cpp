#include "core/analysis/transitions.h"

#include <cstddef>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

std::size_t tokens_of(const LayerChoices& layer) {
  MOESCOPE_ASSERT(layer.top_k >= 1, "a token has at least one choice");
  MOESCOPE_ASSERT(layer.expert_TK.size() % static_cast<std::size_t>(layer.top_k) == 0, "tokens times choices");
  return layer.expert_TK.size() / static_cast<std::size_t>(layer.top_k);
}

std::int16_t first_choice(const LayerChoices& layer, std::size_t token) {
  const std::int16_t expert = layer.expert_TK[token * static_cast<std::size_t>(layer.top_k)];
  MOESCOPE_ASSERT(expert < layer.num_experts, "a choice names an expert of its layer");
  return expert;
}

void count_pair(CountTable& table, int row, int column) {
  if (row < 0 || column < 0) {
    ++table.skipped_tokens;
    return;
  }
  ++table.at(row, column);
  ++table.num_tokens;
}

/// A token's weights over its choices, summing to 1; 0 everywhere if it has none.
std::vector<double> normalized_gates(const LayerChoices& layer, std::span<const float> gate_TK, std::size_t token) {
  const auto k = static_cast<std::size_t>(layer.top_k);
  std::vector<double> weight_K(k, 0.0);
  double sum = 0.0;
  for (std::size_t choice = 0; choice < k; ++choice) {
    if (layer.expert_TK[token * k + choice] < 0) continue;
    weight_K[choice] = gate_TK.empty() ? 1.0 : static_cast<double>(gate_TK[token * k + choice]);
    sum += weight_K[choice];
  }
  for (double& weight : weight_K) weight = sum > 0.0 ? weight / sum : 0.0;
  return weight_K;
}

/// False if the token has no weight on one of the two sides.
bool add_token_mass(MassTable& table, const LayerChoices& from, std::span<const double> from_K, const LayerChoices& to,
                    std::span<const double> to_K, std::size_t token) {
  bool counted = false;
  for (std::size_t i = 0; i < from_K.size(); ++i) {
    for (std::size_t j = 0; j < to_K.size(); ++j) {
      const double mass = from_K[i] * to_K[j];
      if (!(mass > 0.0)) continue;
      const std::int16_t row = from.expert_TK[token * from_K.size() + i];
      const std::int16_t column = to.expert_TK[token * to_K.size() + j];
      MOESCOPE_ASSERT(row < from.num_experts && column < to.num_experts, "a choice names an expert of its layer");
      table.at(row, column) += mass;
      counted = true;
    }
  }
  return counted;
}

}  // namespace

CountTable transition_counts(const LayerChoices& from, const LayerChoices& to) {
  const std::size_t num_tokens = tokens_of(from);
  MOESCOPE_ASSERT(num_tokens == tokens_of(to), "both layers saw the same tokens");
  CountTable table(from.num_experts, to.num_experts);
  for (std::size_t t = 0; t < num_tokens; ++t) count_pair(table, first_choice(from, t), first_choice(to, t));
  return table;
}

MassTable transition_mass(const LayerChoices& from, std::span<const float> from_gate_TK, const LayerChoices& to,
                          std::span<const float> to_gate_TK) {
  const std::size_t num_tokens = tokens_of(from);
  MOESCOPE_ASSERT(num_tokens == tokens_of(to), "both layers saw the same tokens");
  MOESCOPE_ASSERT(from_gate_TK.empty() || from_gate_TK.size() == from.expert_TK.size(), "one gate per choice");
  MOESCOPE_ASSERT(to_gate_TK.empty() || to_gate_TK.size() == to.expert_TK.size(), "one gate per choice");
  MassTable table(from.num_experts, to.num_experts);
  for (std::size_t t = 0; t < num_tokens; ++t) {
    const std::vector<double> from_K = normalized_gates(from, from_gate_TK, t);
    const std::vector<double> to_K = normalized_gates(to, to_gate_TK, t);
    const bool counted = add_token_mass(table, from, from_K, to, to_K, t);
    ++(counted ? table.num_tokens : table.skipped_tokens);
  }
  return table;
}

CountTable class_expert_counts(std::span<const std::int16_t> class_T, int num_classes, const LayerChoices& choices) {
  MOESCOPE_ASSERT(class_T.size() == tokens_of(choices), "one class per token");
  CountTable table(num_classes, choices.num_experts);
  for (std::size_t t = 0; t < class_T.size(); ++t) {
    MOESCOPE_ASSERT(class_T[t] < num_classes, "a label is one of the classes");
    count_pair(table, class_T[t], first_choice(choices, t));
  }
  return table;
}

}  // namespace moescope::analysis
