#pragma once
// AdamW (Loshchilov and Hutter 2019) over named parameters, with the state kept by name.
// A parameter without a gradient in a step is left alone entirely: no decay, no momentum, no count. So a frozen router
// or expert, and an expert no token chose, stay bit-identical together with their state.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/moe/parameter.h"

namespace moescope::train {

struct OptimizerSettings {
  double weight_decay = 0.01;  ///< on parameters marked `decayed`
  double grad_clip = 1.0;      ///< on the norm over all gradients together; 0: none
  double beta1 = 0.9;
  double beta2 = 0.98;  ///< short memory: runs are hundreds of steps long, not hundreds of thousands
  double epsilon = 1e-8;
};

class AdamW {
 public:
  /// Keeps a reference to the list, which must outlive the optimiser and not change in length.
  AdamW(moe::ParameterSet& parameters, const OptimizerSettings& settings);

  void clear_gradients();

  /// Clips, then updates. Returns the gradient norm before clipping. When a gradient is not finite it throws, naming
  /// the parameter, before anything is written.
  double step(double lr);

  OptimizerSettings& settings() { return settings_; }

  /// Of one parameter; the tensors are the optimiser's own and may be copied into.
  struct Moments {
    at::Tensor mean, square, count;
  };
  /// By parameter name. Fixed parameters have none.
  const std::map<std::string, Moments>& moments() const { return moments_; }

 private:
  /// Parallel lists over the parameters that have a gradient, as the fused operation wants them.
  struct Lists {
    std::vector<at::Tensor> value, gradient, mean, square, count;
  };
  double gradient_norm() const;
  Lists gather(bool decayed);
  void update(const Lists& lists, double lr, double weight_decay, const at::Tensor& gradient_divisor);

  moe::ParameterSet& parameters_;
  OptimizerSettings settings_;
  std::map<std::string, Moments> moments_;
};

}  // namespace moescope::train
