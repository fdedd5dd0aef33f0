#pragma once
// One MoE layer on its own: named tensors in, named tensors out. It lets anyone hold a method against code of their
// own, in any language. This header is free of torch.
//
// In: "hidden" [B,L,D] (F32 or F64, which decides the type of all arithmetic), "token_id" [B,L] I64 (zeros),
// "grad_output" [B,L,D] (ones), parameters and state under their names without the layer's prefix ("router.rows",
// "expert.0.w1", "router.balance_bias"; those not given keep their start), "draw.<name>" (else drawn from the seed).
// Out: "output" [B,L,D] (what the layer adds to the stream), "scores" and "probs" [T,E] where the method has scores,
// "routing.token|expert|gate|kept" [N], or of a soft mixture "routing.member" [G,I] and "routing.dispatch|combine"
// [G,I,E,S]; "load" [E]; "loss.<name>" and "loss.<name>.coefficient" []; with `backward`, "grad.hidden" and
// "grad.<parameter>" of Σ output·grad_output + Σ coefficient·loss.
// Threads: one at a time.

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/record/safetensors.h"

namespace moescope::train {

struct LayerRequest {
  std::string mode = "train";  ///< train | eval | probe
  int stage = 0;
  std::int64_t step = 0;
  std::uint64_t seed = 0;  ///< of the draws that are not given
  bool backward = false;
};

/// MoE layer 1 of `config`. A name the layer does not have, a shape or type that does not fit and a stage that is not
/// there are messages; so is what the method itself throws (scores that are not finite).
Result<std::vector<record::TensorBlock>> run_layer(const config::RunConfig& config, const LayerRequest& request,
                                                   const std::vector<record::TensorBlock>& given);

/// A tensor that run_layer() takes.
struct LayerInputName {
  std::string name;
  std::string shape;  ///< "[8,64]", "[B,L,64]"
  std::string what;   ///< "parameter", "state", "draw", "input"
};
/// Draws are those asked for in training at B = 2, L = 4.
std::vector<LayerInputName> layer_input_names(const config::RunConfig& config);

}  // namespace moescope::train
