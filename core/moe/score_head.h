#pragma once
// What every score-based router has: an optional trained reduction D → R, one row per expert in that space, and scores
// as inner products. Scores are fp32 whatever the model's precision; fp64 stays fp64.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/config/field.h"
#include "core/moe/parameter.h"
#include "core/moe/router.h"

namespace moescope::moe {

struct ScoreHeadShape {
  int d_model = 0;
  int num_experts = 0;
  int router_dim = 0;  ///< R; 0: no reduction, the rows live in the model's own space
  bool bias = false;
  Init row_init;
  bool fixed = false;  ///< left at its start by design
};

class ScoreHead {
 public:
  /// Parameters `<prefix>.reduce` (R×D, orthonormal at the start, so angles in its span are kept), `<prefix>.rows`
  /// (E×R) and `<prefix>.bias` (E, zero).
  ScoreHead(const ScoreHeadShape& shape, const std::string& prefix, ParameterSet& parameters);

  at::Tensor vectors_TR(const at::Tensor& hidden_TD) const;
  at::Tensor scores_TE(const at::Tensor& vectors_TR) const;
  RouterSpaceTensors space(const at::Tensor& hidden_TD) const;
  int dim() const;

 private:
  at::Tensor reduce_RD_;  ///< undefined without reduction
  at::Tensor rows_ER_;
  at::Tensor bias_E_;  ///< undefined without bias
};

/// `router_dim`, for the field list of a config struct that has it.
template <class Config>
config::Field<Config> router_dim_field() {
  return config::field(
             &Config::router_dim, "router_dim",
             "width of a trained linear reduction before the router rows; 0 is none, 3 draws the sphere exactly")
      .range(0, 128);
}

}  // namespace moescope::moe
