#pragma once
// Whether hidden states have shrunk onto the centre of their expert: RC = Tr(Σ_W Σ_B†), smaller = more collapsed.
// The classes are the experts that tokens are assigned to, the features the hidden states entering the router.
//   Σ_W = (1/M) Σ_c Σ_{t∈c} (h_t − μ_c)(h_t − μ_c)ᵀ     Σ_B = Σ_c w_c (μ_c − μ)(μ_c − μ)ᵀ     † = pseudo-inverse
// T tokens (M of them counted), E experts (K of them counted), D hidden width.
// Sources: X-MoE (Chi et al. 2022), without the extra 1/K of NC1 (Zhu et al. 2021).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <string_view>

namespace moescope::analysis {

/// How the classes enter Σ_B. `kBalanced`: w_c = 1/K and μ the mean of the class means (Zhu et al.); `kWeighted`:
/// w_c = n_c/M and μ the mean of the tokens. The two differ, so a picture names the one it shows.
enum class CollapseVariant { kBalanced, kWeighted };

/// "balanced" or "weighted".
std::string_view collapse_variant_name(CollapseVariant variant);

struct CollapseSettings {
  CollapseVariant variant = CollapseVariant::kBalanced;
  int min_class_tokens = 2;  // smaller classes are dropped: a single token has no scatter
};

struct RepresentationCollapse {
  CollapseVariant variant = CollapseVariant::kBalanced;
  double collapse = 0.0;            // RC, 0 or more; 0 if nothing scatters on the span of Σ_B
  double trace_ratio = 0.0;         // Tr Σ_W / Tr Σ_B
  int num_classes = 0;              // K. When it changes between checkpoints the value jumps
  int dropped_classes = 0;          // with tokens, but fewer than min_class_tokens
  int between_rank = 0;             // eigenvalues of Σ_B kept: those above 1e-10 of the largest; at most K − 1
  std::int64_t num_tokens = 0;      // M
  std::int64_t skipped_tokens = 0;  // without an expert, or of a dropped class
  bool enough_tokens = false;       // M ≥ 10·D; below that the value rests on few samples per direction
};

/// In fp64. Invariant to shift, rotation and global scale. Fewer than two classes, or class means that coincide:
/// collapse and trace_ratio are NaN, because there is nothing between classes to compare with.
/// Requires: expert_T.size() = T, experts in [−1, num_experts) with −1 for none, dim ≥ 1, finite features.
RepresentationCollapse representation_collapse(std::span<const float> hidden_TD, int dim,
                                               std::span<const std::int16_t> expert_T, int num_experts,
                                               const CollapseSettings& settings = {});

struct GradientSpan {
  double share = 0.0;           // Σ‖P g_t‖² / Σ‖g_t‖², P the projection on span{router rows}; 0 to 1
  int rank = 0;                 // of the router rows; rank = D makes the share 1 whatever the router
  std::int64_t num_tokens = 0;  // tokens with a gradient other than zero
};

/// How much of the gate's gradient into the hidden states lies inside the span of the router rows: 1 for a linear
/// router, which is the argument of X-MoE for why hidden states collapse. No gradient at all: NaN.
/// Requires: both sizes are multiples of dim ≥ 1, finite values.
GradientSpan gradient_share_in_span(std::span<const float> gradient_TD, std::span<const float> router_ED, int dim);

}  // namespace moescope::analysis
