#pragma once
// The causal language model: embedding, blocks of attention and feed-forward, MoE layers between the blocks
// (`inserted`) or in place of a block's feed-forward (`ffn`), and the embedding again as the head.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/model/attention.h"
#include "core/model/feed_forward.h"
#include "core/model/model.h"

namespace moescope::model {

class TinyLm : public Model {
 public:
  /// Requires: a configuration that passed read_run_config() and check_run().
  TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size,
         std::shared_ptr<const std::vector<std::int64_t>> token_count_V = nullptr);

  moe::ModelPass forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) override;
  RoutingTrace route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed = 0) override;
  at::Tensor next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode) override;

 private:
  struct Block {
    Norm attention_norm;
    SelfAttention attention;
    Norm ffn_norm;
    std::optional<FeedForward> ffn;  ///< absent where an MoE layer takes its place
    int moe_layer = -1;              ///< index into layers_, −1: none
  };
  /// Called at each MoE layer with what its router sees; an undefined result ends the pass there.
  using Visit = std::function<at::Tensor(int layer, const at::Tensor& hidden_TD)>;

  void add_block(const config::ModelConfig& model, int number, int moe_layer, bool replaces_ffn);
  at::Tensor embed(const at::Tensor& tokens_BL) const;
  /// The stream before the head; undefined when a visit ended the pass.
  at::Tensor run_blocks(const at::Tensor& tokens_BL, const Visit& visit) const;
  at::Tensor run_block(const Block& block, at::Tensor x_TD, std::int64_t num_sequences, const Visit& visit) const;
  at::Tensor head(const at::Tensor& x_TD) const;

  at::Tensor token_embedding_VD_, position_embedding_LD_;
  std::unique_ptr<Rotary> rotary_;  ///< null with learned positions
  std::vector<Block> blocks_;
  Norm final_norm_;  ///< of pre-norm models only
};

}  // namespace moescope::model
