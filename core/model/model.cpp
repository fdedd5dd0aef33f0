#include "core/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "core/base/seed.h"
#include "core/model/tiny_lm.h"

namespace moescope::model {

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

/// What the router of layer `layer` is asked: the real tokens' rows and a seed of its own.
moe::RouterInput input_of(const at::Tensor& hidden_CD, const moe::RouterInput& about, std::uint64_t noise_seed,
                          int layer) {
  moe::RouterInput input = about;
  input.hidden_TD = about.cell_T.defined() ? hidden_CD.index_select(0, about.cell_T) : hidden_CD;
  input.noise_seed = derive_seed(noise_seed, "layer", static_cast<std::uint64_t>(layer));
  return input;
}

at::Tensor back_to_cells(const at::Tensor& delta_TD, const at::Tensor& hidden_CD, const at::Tensor& cell_T) {
  return cell_T.defined() ? at::zeros_like(hidden_CD).index_copy(0, cell_T, delta_TD) : delta_TD;
}

}  // namespace

Model::Model(const config::RunConfig& config, const moe::Method& method, int vocab_size)
    : context_(config.model.context),
      vocab_size_(vocab_size),
      pre_norm_(config.model.norm == "pre"),
      parameters_(static_cast<std::uint64_t>(config.top.seed)),
      expert_shape_(expert_shape(config, method)) {}

void Model::add_layer(const config::RunConfig& config, const moe::Method& method,
                      std::shared_ptr<const std::vector<std::int64_t>> token_count_V) {
  const std::string prefix = "moe." + std::to_string(num_layers() + 1);
  moe::RouterContext context;
  context.prefix = prefix + ".router";
  context.d_model = config.model.d_model;
  context.num_experts = expert_shape_.num_experts;
  context.vocab_size = vocab_size_;
  context.capacity_factor = config.moe.capacity_factor;
  context.settings = config.router;
  context.stages = config.stages;
  context.total_steps = config.train.steps;
  context.token_count_V = std::move(token_count_V);
  auto router = method.make_router(context, parameters_);
  layers_.emplace_back(std::move(router), moe::Experts(expert_shape_, prefix, parameters_));
}

at::Tensor Model::run_layer(int layer, const at::Tensor& hidden_CD, const moe::RouterInput& about,
                            std::uint64_t noise_seed, std::vector<moe::LayerRecord>& records) {
  moe::MoeOutput output =
      layers_[static_cast<std::size_t>(layer)].forward(input_of(hidden_CD, about, noise_seed, layer));
  records.push_back(std::move(output.record));
  return back_to_cells(output.delta_TD, hidden_CD, about.cell_T);
}

at::Tensor Model::trace_layer(int layer, const at::Tensor& hidden_CD, const moe::RouterInput& about,
                              std::uint64_t noise_seed, std::int64_t first_token, RoutingTrace& trace) {
  moe::MoeLayer& here = layers_[static_cast<std::size_t>(layer)];
  const moe::RouterInput input = input_of(hidden_CD, about, noise_seed, layer);
  trace.hidden_LTD.push_back(input.hidden_TD);
  trace.first_token_L.push_back(first_token);
  if (layer + 1 == num_layers()) {
    trace.routing_L.push_back(here.router().route(input));
    return {};
  }
  moe::MoeOutput output = here.forward(input);
  trace.routing_L.push_back(std::move(output.record.routing));
  return back_to_cells(output.delta_TD, hidden_CD, about.cell_T);
}

void Model::begin_step(std::int64_t step) {
  for (moe::MoeLayer& layer : layers_) layer.router().begin_step(step);
}

void Model::after_step(const std::vector<moe::LayerRecord>& layers) {
  for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].router().after_step(layers, l);
}

std::vector<moe::Parameter> Model::parameters_of(moe::ParameterRole role) const {
  std::vector<moe::Parameter> chosen;
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (parameter.role == role) chosen.push_back(parameter);
  }
  return chosen;
}

std::int64_t Model::num_parameters() const {
  std::int64_t count = 0;
  for (const moe::Parameter& parameter : parameters_.all()) count += parameter.tensor.numel();
  return count;
}

std::int64_t Model::num_active_parameters() const {
  const int chosen = layers_.empty() ? 1 : std::min(layers_.front().router().top_k(), num_experts());
  std::int64_t of_experts = 0;
  for (const moe::Parameter& parameter : parameters_of(moe::ParameterRole::kExpert)) {
    of_experts += parameter.tensor.numel();
  }
  // Experts of a model are alike, so the share of chosen ones is the share of their parameters.
  return num_parameters() - of_experts + of_experts / num_experts() * chosen;
}

double Model::flops_per_token() const {
  double products = 0;
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (parameter.tensor.dim() != 2 || parameter.role == moe::ParameterRole::kExpert) continue;
    // Looking a row up costs nothing; the token embedding counts once, as the head it also is.
    const bool looked_up = parameter.name == "embedding.position" || parameter.name.ends_with("student.embedding");
    if (!looked_up) products += static_cast<double>(parameter.tensor.numel());
    // Each block's queries meet, under a causal mask, half the context's keys and values.
    if (parameter.name.ends_with("attention.qkv.weight")) {
      products += static_cast<double>(context_) * static_cast<double>(parameter.tensor.size(1));
    }
  }
  double of_experts = 0;
  for (const moe::Parameter& parameter : parameters_of(moe::ParameterRole::kExpert)) {
    if (parameter.tensor.dim() == 2) of_experts += static_cast<double>(parameter.tensor.numel());
  }
  const double chosen = layers_.empty() ? 0 : layers_.front().router().experts_per_token();
  return 2 * (products + of_experts / num_experts() * chosen);
}

std::shared_ptr<const std::vector<std::int64_t>> token_counts(const corpus::Corpus& corpus, int vocab_size) {
  auto count_V = std::make_shared<std::vector<std::int64_t>>(static_cast<std::size_t>(vocab_size), 0);
  for (const std::int32_t id : corpus.train.tokens) ++(*count_V)[static_cast<std::size_t>(id)];
  return count_V;
}

std::unique_ptr<Model> make_model(const config::RunConfig& config, const moe::Method& method,
                                  const corpus::Corpus& corpus) {
  const int vocab_size = corpus.tokenizer->vocab_size();
  return std::make_unique<TinyLm>(config, method, vocab_size, token_counts(corpus, vocab_size));
}

}  // namespace moescope::model
