#pragma once
// Whether two partitions of the same tokens agree: two runs' experts, or experts and a known class. Tables come from
// transition_counts or class_expert_counts. M tokens, E experts, R runs; rows a, columns b.
// Sources: ARI (Hubert & Arabie 1985); NMI and AMI (Vinh, Epps & Bailey 2010); inter-run consistency (X-MoE, Chi et
// al. 2022).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>

#include "core/analysis/transitions.h"

namespace moescope::analysis {

/// Entropies and information in nats. With M = 0 all are NaN. The names of rows and columns do not matter, except that
/// where several matchings are equally good, chance_agreement and κ are those of one of them.
struct Agreement {
  double mutual_information = 0.0;
  double row_entropy = 0.0;
  double column_entropy = 0.0;
  double nmi = 0.0;                // 2I / (H_a + H_b): the arithmetic mean normalises
  double nmi_geometric = 0.0;      // I / √(H_a H_b)
  double ami = 0.0;                // NMI (arithmetic) adjusted for chance: for many experts beside few tokens
  double ari = 0.0;                // adjusted for chance: about 0 for unrelated partitions, 1 for equal ones
  double matched_agreement = 0.0;  // max over one-to-one pairs π of Σ_i n_{i,π(i)} / M
  double chance_agreement = 0.0;   // Σ_i a_i b_{π(i)} / M²: what unrelated choices of these loads give under this π
  double largest_share = 0.0;      // of one row or column: matched agreement below it is what naming one expert reaches
  double kappa = 0.0;              // Cohen's κ after matching: (matched − chance) / (1 − chance)
  double purity_of_rows = 0.0;     // share of tokens in the largest column of their row
  double purity_of_columns = 0.0;  // share of tokens in the largest row of their column
  std::int64_t num_tokens = 0;     // M
  std::int64_t skipped_tokens = 0;
};

/// Degenerate tables: if one side is constant, NMI and AMI are 0; if both are, NMI, AMI and κ are 1. ARI and AMI are 1
/// where chance leaves no other value (both constant, or every token alone on both sides).
/// Requires: counts not negative; M up to about 1e7.
Agreement agreement(const CountTable& table);

struct RunConsistency {
  double consistency = 0.0;        // (1/R²) Σ_ij Pearson(l_i, l_j), 0 to 1: about 1/R for unrelated runs
  double off_diagonal_mean = 0.0;  // the same without the R ones on the diagonal, −1/(R−1) to 1; NaN for one run
  int num_runs = 0;
};

/// Inter-run consistency of loads accumulated over the same window (X-MoE: 100 steps), [R][E]. It means something only
/// if expert e is the same expert in all runs, as when all are tuned from one checkpoint. A run with equal loads has no
/// correlation: both figures are NaN, as without runs.
/// Requires: load_RE.size() is a multiple of num_experts ≥ 1, finite loads.
RunConsistency run_consistency(std::span<const double> load_RE, int num_experts);

}  // namespace moescope::analysis
