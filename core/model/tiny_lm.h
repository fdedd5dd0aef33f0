#pragma once
// The language model: embedding, blocks of attention and feed-forward, MoE layers between the blocks (`inserted`) or in
// place of a block's feed-forward (`ffn`), and the embedding again as the head. Under causal_lm a token sees those
// before it, under every other objective all tokens of its sequence.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/embedding.h"
#include "core/model/model.h"

namespace moescope::model {

class TinyLm : public Model {
 public:
  /// Requires: a configuration that passed read_run_config() and check_run().
  TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size,
         const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V = nullptr);

  moe::ModelPass forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) override;
  RoutingTrace route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed = 0) override;
  at::Tensor next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode) override;

 protected:
  Use use_of(const moe::Parameter& parameter) const override;
  /// The stream after the last block, a row per cell, and what the layers left behind.
  at::Tensor run_blocks(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed,
                        std::vector<moe::LayerRecord>& records);

 private:
  bool causal_;
  Embedding embedding_;
  BlockStack blocks_;
};

}  // namespace moescope::model
