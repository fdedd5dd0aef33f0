#pragma once
// What every model of the lab shares: its MoE layers, its parameters, and the passes the trainer and the probe ask for.
// The trainer, the watch and the commands know models by this shape only.
// Parameters: "embedding.token", "block.2.attention.qkv.weight" (of a translator "encoder.block.2.…",
// "decoder.block.2.…"), "moe.1.router…", "moe.1.expert.0.…": blocks and layers count from 1, experts from 0. Threads:
// trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/block.h"
#include "core/model/dataset.h"
#include "core/moe/method.h"
#include "core/moe/moe_layer.h"
#include "core/moe/objective.h"

namespace moescope::model {

/// What a pass without the head leaves behind, per MoE layer.
struct RoutingTrace {
  std::vector<at::Tensor> hidden_LTD;  ///< what each layer's router saw
  std::vector<moe::Routing> routing_L;
  /// Where each layer's first token stands among all tokens of the batch: source tokens first, then the others. A
  /// translation model's decoder layers begin after the source.
  std::vector<std::int64_t> first_token_L;
};

class Model {
 public:
  virtual ~Model() = default;

  /// One pass. Every random draw comes from `noise_seed` and the layer's number.
  virtual moe::ModelPass forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) = 0;

  /// Routing of every layer and nothing else: no head, nothing after the last router. `noise_seed` matters only to
  /// methods whose choice itself is a draw.
  virtual RoutingTrace route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed = 0) = 0;

  /// Logits of the token after the sequence tokens_1L; undefined for a model that does not continue text.
  virtual at::Tensor next_token_logits(const at::Tensor& /*tokens_1L*/, moe::RouteMode /*mode*/) { return {}; }

  /// Around every optimiser step; see moe::Router.
  void begin_step(std::int64_t step);
  void after_step(const std::vector<moe::LayerRecord>& layers);

  std::vector<moe::MoeLayer>& layers() { return layers_; }
  const std::vector<moe::MoeLayer>& layers() const { return layers_; }
  int num_layers() const { return static_cast<int>(layers_.size()); }
  int num_experts() const { return expert_shape_.num_experts; }
  int context() const { return context_; }
  int vocab_size() const { return vocab_size_; }
  /// In one row of what forward() answers.
  virtual std::int64_t num_logits() const { return vocab_size_; }

  moe::ParameterSet& parameters() { return parameters_; }
  const moe::ParameterSet& parameters() const { return parameters_; }
  std::vector<moe::Parameter> parameters_of(moe::ParameterRole role) const;
  std::int64_t num_parameters() const;
  /// All but the fixed ones.
  std::int64_t num_trained_parameters() const;
  /// Those that take part in one token's path: all but the experts the token does not choose.
  std::int64_t num_active_parameters() const;
  /// Multiply-adds of one token's forward pass times two: matrix products, attention over the context (half of it where
  /// it is causal), experts chosen, routers, head. A soft mixture counts what its slots cost per token; a translator's
  /// token is on one side, half of them on each.
  double flops_per_token(double experts_per_token) const;
  /// Numbers that stay in memory of each token between the forward and the backward pass, logits left out, and the
  /// widest on the way back: an estimate from the shapes, which is held against measured steps of every method.
  double kept_per_token() const;
  /// Expert networks a token pays for in training.
  double experts_per_token() const { return layers_.empty() ? 0 : layers_.front().router().experts_per_token(); }

 protected:
  /// Requires: a configuration that passed read_run_config() and check_run().
  Model(const config::RunConfig& config, const moe::Method& method, int vocab_size);

  /// What a token of the batch pays at a weight matrix.
  struct Use {
    double share = 1;  ///< of tokens that meet it at all
    double keys = 0;   ///< that its queries meet, when it makes queries
  };
  /// Looking a row up costs nothing; the token embedding counts once, as the head it also is.
  virtual Use use_of(const moe::Parameter& parameter) const;

  /// num_layers blocks named `<prefix>block.<n>` with the MoE layers that moe_blocks() gives them, and the norm after.
  struct StackShape {
    std::string prefix;
    bool causal = true;
    bool crosses = false;
  };
  BlockStack add_blocks(const config::RunConfig& config, const moe::Method& method, const StackShape& shape,
                        const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V);
  /// Appends MoE layer number layers + 1.
  void add_layer(const config::RunConfig& config, const moe::Method& method,
                 std::shared_ptr<const std::vector<std::int64_t>> token_count_V);

  /// Layer `layer` (from 0) over the grid's tokens: padding takes no part and gets zeros.
  at::Tensor run_layer(int layer, const at::Tensor& hidden_CD, const moe::RouterInput& about, std::uint64_t noise_seed,
                       std::vector<moe::LayerRecord>& records);
  /// The same for a trace; the last layer ends it with an undefined result.
  at::Tensor trace_layer(int layer, const at::Tensor& hidden_CD, const moe::RouterInput& about,
                         std::uint64_t noise_seed, std::int64_t first_token, RoutingTrace& trace);

  int context_, vocab_size_;
  bool pre_norm_;
  moe::ParameterSet parameters_;
  moe::ExpertShape expert_shape_;
  std::vector<moe::MoeLayer> layers_;
};

/// What a model is made to read and to answer.
struct Vocabulary {
  int size = 0;
  int num_classes = 0;  ///< of a classifier
  corpus::Specials special;
  /// How often each token id occurs in what the run trains on; null: every id alike.
  std::shared_ptr<const std::vector<std::int64_t>> token_count_V;
};
Vocabulary vocabulary_of(const config::RunConfig& config, const corpus::Corpus& corpus);
/// Of a corpus that is not loaded yet: as many pieces as the configuration asks its tokenizer for.
Vocabulary planned_vocabulary(const config::RunConfig& config);

/// The model that the configuration's objective asks for.
std::unique_ptr<Model> make_model(const config::RunConfig& config, const moe::Method& method, Vocabulary vocabulary);

}  // namespace moescope::model
