#pragma once
// In how many directions a set of vectors really spreads.
// Source: effective rank of Roy & Vetterli 2007.
// Threads: pure functions.

#include <span>
#include <vector>

namespace moescope::analysis {

struct SpectrumRanks {
  double effective_rank = 0.0;       // exp(−Σ p ln p), p = σ / Σσ; 1 to the number of σ
  double participation_ratio = 0.0;  // (Σλ)² / Σλ², λ = σ²
  double stable_rank = 0.0;          // ‖A‖_F² / ‖A‖₂²
};

/// From singular values in any order. None, or all zero: NaN. Requires: not negative.
SpectrumRanks spectrum_ranks(std::span<const double> singular_values);

/// Singular values of [R][D] rows, falling; min(R, D) of them. `centered` subtracts the column means first, which is
/// the usual choice for hidden states. They come from the smaller Gram matrix, so values below about 1e-8 of the
/// largest are noise, which none of the ranks above notices. No rows: empty.
/// Requires: rows_RD.size() is a multiple of dim ≥ 1, finite values; min(R, D) up to about 128 for a prompt answer.
std::vector<double> singular_values(std::span<const float> rows_RD, int dim, bool centered);

}  // namespace moescope::analysis
