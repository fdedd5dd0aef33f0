#pragma once
// Whether experts specialise on known classes of tokens (character class, part of speech, language, domain, generator),
// and how much of that chance alone would show. C classes, E experts, V vocabulary entries.
// Source: homogeneity and completeness from Rosenberg & Hirschberg 2007.
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/agreement.h"
#include "core/analysis/spread.h"
#include "core/analysis/transitions.h"

namespace moescope::analysis {

struct Specialisation {
  Agreement agreement;  // rows are classes: purity_of_columns is the experts' purity
  /// I(expert; class) / H(class) = 1 − H(class | expert) / H(class): how much of the class the expert gives away, 0
  /// to 1. Unlike NMI it does not sink because experts outnumber classes.
  double homogeneity = 0.0;
  double completeness = 0.0;            // 1 − H(expert | class) / H(expert): whether a class stays with one expert
  MassTable share_CE;                   // where each class goes: rows sum to 1; a class without tokens is a row of NaN
  std::vector<double> class_entropy_E;  // H(class) among an expert's tokens, nats; NaN without tokens

  Specialisation(int num_classes, int num_experts) : share_CE(num_classes, num_experts) {}
};

/// From class_expert_counts. One class only: homogeneity 1; one expert only: completeness 1 (nothing is left unknown).
/// No tokens: both NaN. Requires: counts not negative.
Specialisation specialisation(const CountTable& class_expert);

/// What specialisation shows when classes are shuffled among the tokens.
struct PermutationBaseline {
  Spread homogeneity, completeness, nmi, ari, expert_purity;  // over the draws
};

/// Shuffles the classes of the tokens counted, `num_draws` times, by generators seeded from `seed`: the same call gives
/// the same figures. No draws, or no tokens: NaN. Requires: as class_expert_counts; num_draws ≥ 0.
PermutationBaseline permutation_baseline(std::span<const std::int16_t> class_T, int num_classes,
                                         const LayerChoices& choices, std::uint64_t seed, int num_draws = 20);

/// Σ_v freq(v) · max_e P(e | v): the share of tokens that go where their token id usually goes. 1 if the id alone
/// decides (Hash, StableMoE's second stage); never below the largest load share. No counts: NaN.
/// Requires: count_EV.size() is a multiple of num_experts ≥ 1, counts not negative.
double token_determinism(std::span<const std::int64_t> count_EV, int num_experts);

}  // namespace moescope::analysis
