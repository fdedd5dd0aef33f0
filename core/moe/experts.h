#pragma once
// The experts of one layer. Each expert has tensors of its own (never one stacked parameter indexed in a loop, whose
// backward builds a zero tensor of the whole stack per expert), which also makes freezing one expert exact.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/moe/parameter.h"

namespace moescope::moe {

/// `kResidual` (inserted placement; StableMoE, Dai et al. 2022): a stack of sublayers z ← z + W2·relu(W1·LN(z)+b1)+b2
/// whose sum of increments is the expert's output; W2 starts at zero. `kPlain` (FFN placement): W2·relu(W1·h+b1)+b2.
enum class ExpertKind { kResidual, kPlain };

struct ExpertShape {
  ExpertKind kind = ExpertKind::kPlain;
  int num_experts = 1;
  int d_model = 0;
  int hidden = 0;
  int sublayers = 1;    ///< of kResidual
  bool bias = true;     ///< of both layers of kPlain
  bool shared = false;  ///< one more that every token passes, ungated: no router knows it, no load counts it
};

class Experts {
 public:
  /// Parameters are named `<prefix>.expert.<e>.…`; the shared one's `<prefix>.shared.…`, with the backbone's role,
  /// because it is used, counted and frozen as a feed-forward block would be.
  Experts(const ExpertShape& shape, const std::string& prefix, ParameterSet& parameters);

  /// rows_MD sorted by expert: expert e owns rows offset_E1[e] to offset_E1[e+1]. Returns out_MD. An expert without
  /// rows takes no part and gets no gradient.
  at::Tensor forward(const at::Tensor& rows_MD, const std::vector<std::int64_t>& offset_E1) const;

  bool has_shared() const { return !shared_.empty(); }
  /// The shared expert on any rows. Requires: has_shared().
  at::Tensor forward_shared(const at::Tensor& rows_MD) const;

  int num_experts() const { return shape_.num_experts; }
  /// Stops or thaws one expert's parameters (requires_grad); routing goes on.
  void set_frozen(int expert, bool frozen);

 private:
  struct Sublayer {
    at::Tensor norm_weight, norm_bias, w1, b1, w2, b2;  ///< norm_* undefined for kPlain
  };
  using Stack = std::vector<Sublayer>;
  Stack make_stack(const std::string& name, ParameterRole role, int expert, ParameterSet& parameters) const;
  at::Tensor forward_one(const Stack& stack, const at::Tensor& rows_MD) const;

  ExpertShape shape_;
  std::vector<Stack> stacks_;  ///< [expert]
  Stack shared_;               ///< empty without one
};

}  // namespace moescope::moe
