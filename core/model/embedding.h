#pragma once
// From token ids to the residual stream, and back to logits: one table is both (tied embeddings).
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <memory>

#include "core/config/run_config.h"
#include "core/model/attention.h"
#include "core/moe/parameter.h"

namespace moescope::model {

class Embedding {
 public:
  /// Makes "embedding.token" and, with learned positions, "embedding.position".
  Embedding(const config::ModelConfig& model, int vocab_size, moe::ParameterSet& parameters);

  /// Rows of all cells of the grid. Requires: no more positions than the context has.
  at::Tensor embed(const at::Tensor& tokens_BL) const;
  at::Tensor logits(const at::Tensor& x_TD) const;
  /// Null with learned positions.
  const Rotary* rotary() const { return rotary_.get(); }

 private:
  at::Tensor token_VD_, position_LD_;
  std::unique_ptr<Rotary> rotary_;
};

}  // namespace moescope::model
