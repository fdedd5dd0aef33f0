#pragma once
// The causal language model: embedding, blocks of attention and feed-forward, MoE layers between the blocks
// (`inserted`) or in place of a block's feed-forward (`ffn`), and the embedding again as the head. Parameters:
// "embedding.token", "block.2.attention.qkv.weight", "moe.1.router…", "moe.1.expert.0.…": blocks and layers count from
// 1, experts from 0. Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/config/run_config.h"
#include "core/model/attention.h"
#include "core/model/feed_forward.h"
#include "core/moe/method.h"
#include "core/moe/moe_layer.h"
#include "core/moe/objective.h"

namespace moescope::model {

/// What a pass without the head leaves behind, per MoE layer.
struct RoutingTrace {
  std::vector<at::Tensor> hidden_LTD;  ///< what each layer's router saw
  std::vector<moe::Routing> routing_L;
};

class TinyLm {
 public:
  /// Requires: a configuration that passed read_run_config() and check_run().
  TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size);

  /// tokens_BL int64, L ≤ context. Every random draw of the pass comes from `noise_seed` and the layer's number.
  moe::ModelPass forward(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed);

  /// Routing of every layer and nothing else: no head, nothing after the last router. `noise_seed` matters only to
  /// methods whose choice itself is a draw.
  RoutingTrace route(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed = 0);

  /// Logits of the token after the sequence tokens_1L.
  at::Tensor next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode);

  std::vector<moe::MoeLayer>& layers() { return layers_; }
  int num_layers() const { return static_cast<int>(layers_.size()); }
  int num_experts() const { return expert_shape_.num_experts; }
  int context() const { return context_; }
  int vocab_size() const { return vocab_size_; }

  moe::ParameterSet& parameters() { return parameters_; }
  const moe::ParameterSet& parameters() const { return parameters_; }
  std::vector<moe::Parameter> parameters_of(moe::ParameterRole role) const;
  std::int64_t num_parameters() const;
  /// Those that take part in one token's path: all but the experts the token does not choose.
  std::int64_t num_active_parameters() const;

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
  void add_layer(const config::RunConfig& config, const moe::Method& method, int number);
  at::Tensor embed(const at::Tensor& tokens_BL) const;
  /// The stream before the head; undefined when a visit ended the pass.
  at::Tensor run_blocks(const at::Tensor& tokens_BL, const Visit& visit) const;
  at::Tensor run_block(const Block& block, at::Tensor x_TD, std::int64_t num_sequences, const Visit& visit) const;
  at::Tensor run_layers(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed,
                        std::vector<moe::LayerRecord>& records);
  at::Tensor head(const at::Tensor& x_TD) const;

  int context_, vocab_size_;
  bool pre_norm_;
  moe::ParameterSet parameters_;
  moe::ExpertShape expert_shape_;
  at::Tensor token_embedding_VD_, position_embedding_LD_;
  std::unique_ptr<Rotary> rotary_;  ///< null with learned positions
  std::vector<Block> blocks_;
  Norm final_norm_;  ///< of pre-norm models only
  std::vector<moe::MoeLayer> layers_;
};

}  // namespace moescope::model
