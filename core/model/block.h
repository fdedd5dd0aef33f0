#pragma once
// A transformer block and a stack of them: attention, in a decoder also attention to the encoder, and a feed-forward
// network, with an MoE layer after the block (`inserted`) or in the network's place (`ffn`).
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/model/attention.h"
#include "core/model/feed_forward.h"
#include "core/moe/parameter.h"

namespace moescope::model {

struct BlockShape {
  std::string prefix;  ///< of parameter names: "block.2"
  int d_model = 0;
  int num_heads = 1;
  double out_scale = 1;  ///< as for SelfAttention
  bool pre_norm = true;
  bool causal = true;
  bool crosses = false;  ///< attends to a Memory too
  int moe_layer = -1;    ///< number of its MoE layer from 0; −1: none
  bool replaces_ffn = false;
};

/// Called at each MoE layer with what its router sees; an undefined result ends the pass there.
using Visit = std::function<at::Tensor(int layer, const at::Tensor& hidden_CD)>;

class Block {
 public:
  Block(const BlockShape& shape, moe::ParameterSet& parameters);

  /// x_CD has a row for each cell of the grid. Undefined when a visit ended the pass. `memory` is what the encoder
  /// made; null for a block that does not cross.
  at::Tensor forward(at::Tensor x_CD, const Grid& grid, const Rotary* rotary, const Visit& visit,
                     const Memory* memory) const;

 private:
  at::Tensor feed_forward(const at::Tensor& hidden_CD, const Visit& visit) const;

  int moe_layer_;
  bool pre_norm_;
  Norm attention_norm_;
  SelfAttention attention_;
  std::optional<Norm> cross_norm_;
  std::optional<CrossAttention> cross_;
  Norm ffn_norm_;
  std::optional<FeedForward> ffn_;  ///< absent where an MoE layer takes its place
};

/// Blocks one after another, and the norm that ends a pre-norm stack.
class BlockStack {
 public:
  void add(Block block) { blocks_.push_back(std::move(block)); }
  void end_with(Norm norm) { final_norm_.emplace(std::move(norm)); }

  /// Undefined when a visit ended the pass.
  at::Tensor forward(at::Tensor x_CD, const Grid& grid, const Rotary* rotary, const Visit& visit,
                     const Memory* memory = nullptr) const;

 private:
  std::vector<Block> blocks_;
  std::optional<Norm> final_norm_;
};

}  // namespace moescope::model
