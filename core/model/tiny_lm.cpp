#include "core/model/tiny_lm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/base/seed.h"

namespace moescope::model {

using moe::Init;
using moe::ParameterRole;

TinyLm::TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size,
               std::shared_ptr<const std::vector<std::int64_t>> token_count_V)
    : Model(config, method, vocab_size) {
  const config::ModelConfig& model = config.model;
  const int D = model.d_model;
  // Scaled by √d on the way in, so the residual stream starts with unit variance and the head with logits of order one.
  const Init start = Init::normal(1 / std::sqrt(static_cast<double>(D)));
  token_embedding_VD_ =
      parameters_.add("embedding.token", {vocab_size, D}, start, ParameterRole::kBackbone, -1, false, false);
  if (model.positions == "rotary") {
    rotary_ = std::make_unique<Rotary>(context_, D / model.num_heads);
  } else {
    position_embedding_LD_ =
        parameters_.add("embedding.position", {context_, D}, start, ParameterRole::kBackbone, -1, false, false);
  }
  const std::vector<int> carriers = config::moe_blocks(config);
  for (int number = 1; number <= model.num_layers; ++number) {
    const bool carries = std::find(carriers.begin(), carriers.end(), number) != carriers.end();
    add_block(model, number, carries ? num_layers() : -1, carries && config.moe.placement == "ffn");
    if (carries) add_layer(config, method, token_count_V);
  }
  if (pre_norm_) final_norm_ = Norm("final_norm", D, parameters_);
}

void TinyLm::add_block(const config::ModelConfig& model, int number, int moe_layer, bool replaces_ffn) {
  const std::string prefix = "block." + std::to_string(number);
  const int D = model.d_model;
  const double out_scale = 1 / std::sqrt(2.0 * model.num_layers);
  Block block{Norm(prefix + ".attention.norm", D, parameters_),
              SelfAttention(prefix + ".attention", D, model.num_heads, out_scale, parameters_),
              Norm(prefix + ".ffn.norm", D, parameters_), std::nullopt, moe_layer};
  if (!replaces_ffn) block.ffn.emplace(prefix + ".ffn", D, out_scale, parameters_);
  blocks_.push_back(std::move(block));
}

at::Tensor TinyLm::embed(const at::Tensor& tokens_BL) const {
  const std::int64_t L = tokens_BL.size(1);
  at::Tensor x_BLD = at::embedding(token_embedding_VD_, tokens_BL);
  if (position_embedding_LD_.defined()) x_BLD = x_BLD + position_embedding_LD_.narrow(0, 0, L);
  return (x_BLD * std::sqrt(static_cast<double>(x_BLD.size(2)))).view({-1, x_BLD.size(2)});
}

at::Tensor TinyLm::run_block(const Block& block, at::Tensor x_TD, std::int64_t num_sequences,
                             const Visit& visit) const {
  const auto feed_forward = [&](const at::Tensor& hidden_TD) {
    return block.ffn ? block.ffn->forward(hidden_TD) : visit(block.moe_layer, hidden_TD);
  };
  if (pre_norm_) {
    x_TD = x_TD + block.attention.forward(block.attention_norm.forward(x_TD), num_sequences, rotary_.get());
    const at::Tensor delta_TD = feed_forward(block.ffn_norm.forward(x_TD));
    if (!delta_TD.defined()) return {};
    x_TD = x_TD + delta_TD;
  } else {
    x_TD = block.attention_norm.forward(x_TD + block.attention.forward(x_TD, num_sequences, rotary_.get()));
    const at::Tensor delta_TD = feed_forward(x_TD);
    if (!delta_TD.defined()) return {};
    x_TD = block.ffn_norm.forward(x_TD + delta_TD);
  }
  if (!block.ffn || block.moe_layer < 0) return x_TD;
  // Inserted: router and experts see the raw stream (StableMoE: no norm before the router).
  const at::Tensor delta_TD = visit(block.moe_layer, x_TD);
  return delta_TD.defined() ? x_TD + delta_TD : at::Tensor();
}

at::Tensor TinyLm::run_blocks(const at::Tensor& tokens_BL, const Visit& visit) const {
  at::Tensor x_TD = embed(tokens_BL);
  for (const Block& block : blocks_) {
    x_TD = run_block(block, x_TD, tokens_BL.size(0), visit);
    if (!x_TD.defined()) return x_TD;
  }
  return pre_norm_ ? final_norm_.forward(x_TD) : x_TD;
}

at::Tensor TinyLm::head(const at::Tensor& x_TD) const { return at::linear(x_TD, token_embedding_VD_); }

moe::ModelPass TinyLm::forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  moe::ModelPass pass;
  const moe::RouterInput about{{}, batch.tokens_BL, mode, 0, batch.cell_T};
  pass.logits_TV = head(run_blocks(batch.tokens_BL, [&](int layer, const at::Tensor& hidden_CD) {
    return run_layer(layer, hidden_CD, about, noise_seed, pass.layers);
  }));
  return pass;
}

RoutingTrace TinyLm::route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  RoutingTrace trace;
  const moe::RouterInput about{{}, batch.tokens_BL, mode, 0, batch.cell_T};
  run_blocks(batch.tokens_BL, [&](int layer, const at::Tensor& hidden_CD) {
    return trace_layer(layer, hidden_CD, about, noise_seed, 0, trace);
  });
  return trace;
}

at::Tensor TinyLm::next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode) {
  std::vector<moe::LayerRecord> records;
  const moe::RouterInput about{{}, tokens_1L, mode};
  const at::Tensor x_TD = run_blocks(tokens_1L, [&](int layer, const at::Tensor& hidden_CD) {
    return run_layer(layer, hidden_CD, about, 0, records);
  });
  return head(x_TD.narrow(0, x_TD.size(0) - 1, 1)).view({-1});
}

}  // namespace moescope::model
