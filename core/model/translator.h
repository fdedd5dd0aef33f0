#pragma once
// The encoder–decoder model for translation: an encoder that sees the whole source, a causal decoder that also sees
// what the encoder made, each num_layers deep, with MoE layers in both (numbered through, the encoder's first). One
// embedding serves both sides and, as the head, the answer. Padding is never routed, takes no capacity and has no loss.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/embedding.h"
#include "core/model/model.h"

namespace moescope::model {

class Translator : public Model {
 public:
  Translator(const config::RunConfig& config, const moe::Method& method, int vocab_size,
             const corpus::Specials& special,
             const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V = nullptr);

  /// Logits of the target side, one row per token.
  moe::ModelPass forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) override;
  RoutingTrace route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed = 0) override;

  /// What the encoder makes of sources, by the evaluation rule.
  Memory encode(const at::Tensor& source_BL, const at::Tensor& source_cell_T);
  /// Logits of the token after each prefix, by the evaluation rule. The prefixes of one source stand together, equally
  /// many for each source of the memory. Requires: as many positions as the context has, at most.
  at::Tensor next_logits(const Memory& memory, const at::Tensor& prefix_RL);

  const corpus::Specials& special() const { return special_; }

 protected:
  Use use_of(const moe::Parameter& parameter) const override;

 private:
  corpus::Specials special_;
  Embedding embedding_;
  BlockStack encoder_;
  BlockStack decoder_;
};

}  // namespace moescope::model
