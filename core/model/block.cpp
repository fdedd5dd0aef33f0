#include "core/model/block.h"

#include <ATen/TensorOperators.h>

#include <utility>

#include "core/base/assert.h"

namespace moescope::model {

Block::Block(const BlockShape& shape, moe::ParameterSet& parameters)
    : moe_layer_(shape.moe_layer),
      pre_norm_(shape.pre_norm),
      attention_norm_(shape.prefix + ".attention.norm", shape.d_model, parameters),
      attention_(shape.prefix + ".attention", shape.d_model, shape.num_heads, shape.out_scale, parameters,
                 shape.causal) {
  if (shape.crosses) {
    cross_norm_.emplace(shape.prefix + ".cross.norm", shape.d_model, parameters);
    cross_.emplace(shape.prefix + ".cross", shape.d_model, shape.num_heads, shape.out_scale, parameters);
  }
  ffn_norm_ = Norm(shape.prefix + ".ffn.norm", shape.d_model, parameters);
  if (!shape.replaces_ffn) ffn_.emplace(shape.prefix + ".ffn", shape.d_model, shape.out_scale, parameters);
}

at::Tensor Block::feed_forward(const at::Tensor& hidden_CD, const Visit& visit) const {
  return ffn_ ? ffn_->forward(hidden_CD) : visit(moe_layer_, hidden_CD);
}

at::Tensor Block::forward(at::Tensor x_CD, const Grid& grid, const Rotary* rotary, const Visit& visit,
                          const Memory* memory) const {
  MOESCOPE_ASSERT(!cross_ || memory != nullptr, "a block that crosses is given what the encoder made");
  if (pre_norm_) {
    x_CD = x_CD + attention_.forward(attention_norm_.forward(x_CD), grid, rotary);
    if (cross_) x_CD = x_CD + cross_->forward(cross_norm_->forward(x_CD), *memory);
    const at::Tensor delta_CD = feed_forward(ffn_norm_.forward(x_CD), visit);
    if (!delta_CD.defined()) return {};
    x_CD = x_CD + delta_CD;
  } else {
    x_CD = attention_norm_.forward(x_CD + attention_.forward(x_CD, grid, rotary));
    if (cross_) x_CD = cross_norm_->forward(x_CD + cross_->forward(x_CD, *memory));
    const at::Tensor delta_CD = feed_forward(x_CD, visit);
    if (!delta_CD.defined()) return {};
    x_CD = ffn_norm_.forward(x_CD + delta_CD);
  }
  if (!ffn_ || moe_layer_ < 0) return x_CD;
  // Inserted: router and experts see the raw stream (StableMoE: no norm before the router).
  const at::Tensor delta_CD = visit(moe_layer_, x_CD);
  return delta_CD.defined() ? x_CD + delta_CD : at::Tensor();
}

at::Tensor BlockStack::forward(at::Tensor x_CD, const Grid& grid, const Rotary* rotary, const Visit& visit,
                               const Memory* memory) const {
  for (const Block& block : blocks_) {
    x_CD = block.forward(x_CD, grid, rotary, visit, memory);
    if (!x_CD.defined()) return x_CD;
  }
  return final_norm_ ? final_norm_->forward(x_CD) : x_CD;
}

}  // namespace moescope::model
