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

namespace {

moe::ExpertShape expert_shape(const config::RunConfig& config, const moe::Method& method) {
  moe::ExpertShape shape;
  const bool inserted = config.moe.placement == "inserted";
  shape.kind = inserted ? moe::ExpertKind::kResidual : moe::ExpertKind::kPlain;
  shape.num_experts = config.moe.num_experts;
  shape.d_model = config.model.d_model;
  shape.hidden = config.moe.expert_hidden;
  shape.sublayers = inserted ? config.moe.expert_sublayers : 1;
  if (method.shape_experts) method.shape_experts(config, shape);
  return shape;
}

}  // namespace

TinyLm::TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size)
    : context_(config.model.context),
      vocab_size_(vocab_size),
      pre_norm_(config.model.norm == "pre"),
      parameters_(static_cast<std::uint64_t>(config.top.seed)),
      expert_shape_(expert_shape(config, method)) {
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
    if (carries) add_layer(config, method, num_layers() + 1);
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

void TinyLm::add_layer(const config::RunConfig& config, const moe::Method& method, int number) {
  const std::string prefix = "moe." + std::to_string(number);
  moe::RouterContext context;
  context.prefix = prefix + ".router";
  context.d_model = config.model.d_model;
  context.num_experts = expert_shape_.num_experts;
  context.vocab_size = vocab_size_;
  context.capacity_factor = config.moe.capacity_factor;
  context.settings = config.router;
  auto router = method.make_router(context, parameters_);
  layers_.emplace_back(std::move(router), moe::Experts(expert_shape_, prefix, parameters_));
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

at::Tensor TinyLm::run_layers(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed,
                              std::vector<moe::LayerRecord>& records) {
  return run_blocks(tokens_BL, [&](int layer, const at::Tensor& hidden_TD) {
    moe::RouterInput input{hidden_TD, tokens_BL, mode,
                           derive_seed(noise_seed, "layer", static_cast<std::uint64_t>(layer))};
    moe::MoeOutput output = layers_[static_cast<std::size_t>(layer)].forward(input);
    records.push_back(std::move(output.record));
    return output.delta_TD;
  });
}

at::Tensor TinyLm::head(const at::Tensor& x_TD) const { return at::linear(x_TD, token_embedding_VD_); }

moe::ModelPass TinyLm::forward(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed) {
  moe::ModelPass pass;
  pass.logits_TV = head(run_layers(tokens_BL, mode, noise_seed, pass.layers));
  return pass;
}

RoutingTrace TinyLm::route(const at::Tensor& tokens_BL, moe::RouteMode mode, std::uint64_t noise_seed) {
  RoutingTrace trace;
  run_blocks(tokens_BL, [&](int layer, const at::Tensor& hidden_TD) {
    moe::MoeLayer& here = layers_[static_cast<std::size_t>(layer)];
    const moe::RouterInput input{hidden_TD, tokens_BL, mode,
                                 derive_seed(noise_seed, "layer", static_cast<std::uint64_t>(layer))};
    trace.hidden_LTD.push_back(hidden_TD);
    if (layer + 1 == num_layers()) {
      trace.routing_L.push_back(here.router().route(input));
      return at::Tensor();
    }
    moe::MoeOutput output = here.forward(input);
    trace.routing_L.push_back(std::move(output.record.routing));
    return output.delta_TD;
  });
  return trace;
}

at::Tensor TinyLm::next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode) {
  std::vector<moe::LayerRecord> records;
  const at::Tensor x_TD = run_layers(tokens_1L, mode, 0, records);
  return head(x_TD.narrow(0, x_TD.size(0) - 1, 1)).view({-1});
}

std::vector<moe::Parameter> TinyLm::parameters_of(ParameterRole role) const {
  std::vector<moe::Parameter> chosen;
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (parameter.role == role) chosen.push_back(parameter);
  }
  return chosen;
}

std::int64_t TinyLm::num_parameters() const {
  std::int64_t count = 0;
  for (const moe::Parameter& parameter : parameters_.all()) count += parameter.tensor.numel();
  return count;
}

std::int64_t TinyLm::num_active_parameters() const {
  const int chosen = layers_.empty() ? 1 : std::min(layers_.front().router().top_k(), num_experts());
  std::int64_t of_experts = 0;
  for (const moe::Parameter& parameter : parameters_of(ParameterRole::kExpert)) of_experts += parameter.tensor.numel();
  // Experts of a model are alike, so the share of chosen ones is the share of their parameters.
  return num_parameters() - of_experts + of_experts / num_experts() * chosen;
}

}  // namespace moescope::model
