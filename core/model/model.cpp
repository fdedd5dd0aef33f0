#include "core/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"
#include "core/base/seed.h"
#include "core/model/classifier.h"
#include "core/model/masked_stream.h"
#include "core/model/pair_stream.h"
#include "core/model/tiny_lm.h"
#include "core/model/translator.h"

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

/// How often each token id occurs in what the run trains on.
std::shared_ptr<const std::vector<std::int64_t>> token_counts(const config::RunConfig& config,
                                                              const corpus::Corpus& corpus, int vocab_size) {
  auto count_V = std::make_shared<std::vector<std::int64_t>>(static_cast<std::size_t>(vocab_size), 0);
  const auto add = [&](std::int32_t id, std::int64_t times) {
    MOESCOPE_ASSERT(id >= 0 && id < vocab_size, "a corpus names tokens of its own vocabulary");
    (*count_V)[static_cast<std::size_t>(id)] += times;
  };
  const std::string& objective = config.model.objective;
  if (objective == "translation") {
    const corpus::PairSplit& pairs = corpus.train_pairs;
    for (const std::int32_t id : pairs.source_tokens) add(id, 1);
    for (const std::int32_t id : pairs.target_tokens) add(id, 1);
    const auto num_pairs = static_cast<std::int64_t>(pairs.label_P.size());
    add(corpus.special.bos, num_pairs);
    add(corpus.special.eos, 2 * num_pairs);  // one on each side
    for (const std::int16_t label : pairs.label_P) add(tag_of(corpus, label), 1);
    return count_V;
  }
  for (const std::int32_t id : corpus.train.tokens) add(id, 1);
  if (objective == "masked_lm") {
    const double hidden = config.model.mask_share * kMaskedShare * static_cast<double>(corpus.train.tokens.size());
    add(corpus.special.mask, std::llround(hidden));
  }
  return count_V;
}

}  // namespace

Model::Model(const config::RunConfig& config, const moe::Method& method, int vocab_size)
    : context_(config.model.context),
      vocab_size_(vocab_size),
      pre_norm_(config.model.norm == "pre"),
      parameters_(static_cast<std::uint64_t>(config.top.seed)),
      expert_shape_(expert_shape(config, method)) {}

BlockStack Model::add_blocks(const config::RunConfig& config, const moe::Method& method, const StackShape& shape,
                             const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V) {
  const config::ModelConfig& model = config.model;
  const std::vector<int> carriers = config::moe_blocks(config);
  // Attention, cross attention and feed-forward each add to the stream once per block.
  const double additions = (shape.crosses ? 3.0 : 2.0) * model.num_layers;
  BlockStack stack;
  for (int number = 1; number <= model.num_layers; ++number) {
    const bool carries = std::find(carriers.begin(), carriers.end(), number) != carriers.end();
    BlockShape block;
    block.prefix = shape.prefix + "block." + std::to_string(number);
    block.d_model = model.d_model;
    block.num_heads = model.num_heads;
    block.out_scale = 1 / std::sqrt(additions);
    block.pre_norm = pre_norm_;
    block.causal = shape.causal;
    block.crosses = shape.crosses;
    block.moe_layer = carries ? num_layers() : -1;
    block.replaces_ffn = carries && config.moe.placement == "ffn";
    stack.add(Block(block, parameters_));
    if (carries) add_layer(config, method, token_count_V);
  }
  if (pre_norm_) stack.end_with(Norm(shape.prefix + "final_norm", model.d_model, parameters_));
  return stack;
}

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
  context.seed = static_cast<std::uint64_t>(config.top.seed);
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

std::int64_t Model::num_trained_parameters() const {
  std::int64_t count = 0;
  for (const moe::Parameter& parameter : parameters_.all())
    if (!parameter.fixed) count += parameter.tensor.numel();
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

Model::Use Model::use_of(const moe::Parameter& parameter) const {
  if (parameter.name == "embedding.position" || parameter.name.ends_with("student.embedding")) return {0, 0};
  if (parameter.name.ends_with("attention.qkv.weight")) return {1, 0.5 * context_};
  return {};
}

double Model::flops_per_token(double experts_per_token) const {
  double products = 0, of_experts = 0;
  for (const moe::Parameter& parameter : parameters_.all()) {
    if (parameter.tensor.dim() != 2) continue;
    const Use use = use_of(parameter);
    const auto numel = static_cast<double>(parameter.tensor.numel());
    if (parameter.role == moe::ParameterRole::kExpert) {
      of_experts += use.share * numel;
    } else {
      // Each query is multiplied with the keys, and what comes of it with their values.
      products += use.share * (numel + 2 * use.keys * static_cast<double>(parameter.tensor.size(1)));
    }
  }
  return 2 * (products + of_experts / num_experts() * experts_per_token);
}

double Model::kept_per_token() const {
  constexpr double kScoreTensors = 6;  // scores, noise, masks, probabilities and their shares in the losses
  const double experts_per_token = layers_.empty() ? 0 : layers_.front().router().most_experts_per_token(context_);
  double kept = kScoreTensors * num_experts() * num_layers(), of_experts = 0, widest = 0;
  for (const moe::Parameter& parameter : parameters_.all()) {
    const bool matrix = parameter.tensor.dim() == 2 && parameter.name != "embedding.token";
    const bool router = parameter.role == moe::ParameterRole::kRouter || parameter.role == moe::ParameterRole::kStudent;
    if (router || !(matrix || parameter.name.ends_with("norm.weight"))) continue;
    const Use use = use_of(parameter);
    // What a matrix, or a norm, makes of a token is what the next one needs to know of it on the way back.
    const auto made = static_cast<double>(parameter.tensor.size(0));
    if (parameter.role == moe::ParameterRole::kExpert) {
      const bool gathers = parameter.name.ends_with(".w1");  // from the tokens' rows into the expert's own
      const double taken = gathers ? static_cast<double>(parameter.tensor.size(1)) : 0;
      of_experts += use.share * (made + taken);
      widest = std::max(widest, experts_per_token / num_experts() * made);
    } else {
      const double mixed = use.keys > 0 ? static_cast<double>(parameter.tensor.size(1)) : 0;  // by attention
      kept += use.share * (made + mixed);
      widest = std::max(widest, use.share * made);
    }
  }
  return kept + of_experts / num_experts() * experts_per_token + widest;
}

Vocabulary vocabulary_of(const config::RunConfig& config, const corpus::Corpus& corpus) {
  // A causal language model has no use for the special pieces.
  const int size = config.model.objective == "causal_lm" ? corpus.tokenizer->vocab_size() : corpus.vocab_size();
  return {size, static_cast<int>(corpus.classes.size()), corpus.special, token_counts(config, corpus, size)};
}

Vocabulary planned_vocabulary(const config::RunConfig& config) {
  constexpr int kSpecials = 4, kClasses = 8;
  const bool specials = config.model.objective != "causal_lm";
  const int pieces = config.data.tokenizer == "bytes" ? 256 : config.data.vocab_size;
  return {pieces + (specials ? kSpecials : 0), kClasses, {}, nullptr};
}

std::unique_ptr<Model> make_model(const config::RunConfig& config, const moe::Method& method, Vocabulary vocabulary) {
  const std::string& objective = config.model.objective;
  auto counts = std::move(vocabulary.token_count_V);
  if (objective == "translation") {
    return std::make_unique<Translator>(config, method, vocabulary.size, vocabulary.special, std::move(counts));
  }
  if (objective == "classification") {
    return std::make_unique<Classifier>(config, method, vocabulary.size, vocabulary.num_classes, std::move(counts));
  }
  return std::make_unique<TinyLm>(config, method, vocabulary.size, std::move(counts));
}

}  // namespace moescope::model
