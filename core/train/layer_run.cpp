#include "core/train/layer_run.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <map>
#include <stdexcept>

#include "core/base/text.h"
#include "core/model/tiny_lm.h"
#include "core/train/messages.h"
#include "core/train/tensor_blocks.h"

namespace moescope::train {

namespace {

using Tensors = std::map<std::string, at::Tensor>;

const std::string kPrefix = "moe.1.";

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ",") + std::to_string(size);
  return "[" + text + "]";
}

/// The layer with the names of everything in it.
class NamedLayer {
 public:
  explicit NamedLayer(const config::RunConfig& config)
      : method_(*moe::find_method(config.moe.method)),
        vocab_size_(config.data.tokenizer == "bytes" ? 256 : config.data.vocab_size),
        model_(config, method_, vocab_size_) {
    for (const moe::Parameter& one : model_.parameters().with_prefix(kPrefix)) {
      parameters_[one.name.substr(kPrefix.size())] = one.tensor;
    }
    for (const moe::NamedTensor& one : layer().router().state()) state_["router." + one.name] = one.tensor;
  }

  moe::MoeLayer& layer() { return model_.layers().front(); }
  const moe::Method& method() const { return method_; }
  const Tensors& parameters() const { return parameters_; }
  const Tensors& state() const { return state_; }
  int vocab_size() const { return vocab_size_; }

  std::vector<std::string> names() const {
    std::vector<std::string> all = {"hidden", "token_id", "grad_output"};
    for (const auto& [name, tensor] : parameters_) all.push_back(name);
    for (const auto& [name, tensor] : state_) all.push_back(name);
    return all;
  }

  /// Throws when the shapes differ.
  void fill(const std::string& name, const at::Tensor& value) {
    const bool parameter = parameters_.contains(name);
    const at::Tensor& target = parameter ? parameters_.at(name) : state_.at(name);
    if (target.sizes() != value.sizes()) {
      throw std::runtime_error("'" + name + "' has the shape " + shape_text(value.sizes()) + ", this layer's has " +
                               shape_text(target.sizes()));
    }
    target.detach().copy_(value);
  }

  /// Router and experts hold the same tensors, so a change in place reaches both.
  void compute_in(at::ScalarType type) {
    for (const Tensors* all : {&parameters_, &state_}) {
      for (const auto& [name, tensor] : *all) {
        if (at::isFloatingType(tensor.scalar_type())) at::Tensor(tensor).set_data(tensor.detach().to(type));
      }
    }
  }

 private:
  const moe::Method& method_;
  int vocab_size_;
  model::TinyLm model_;
  Tensors parameters_, state_;
};

struct GivenTensors {
  at::Tensor hidden_BLD, token_id_BL, grad_output_BLD;
  moe::GivenDraws draws;
};

void check_inputs(const GivenTensors& given, int d_model, int vocab_size) {
  if (!given.hidden_BLD.defined()) throw std::runtime_error("'hidden' [B,L,D] is missing");
  const at::Tensor& hidden = given.hidden_BLD;
  if (hidden.dim() != 3 || hidden.size(2) != d_model || !at::isFloatingType(hidden.scalar_type())) {
    throw std::runtime_error("'hidden' is " + shape_text(hidden.sizes()) + ", needed are numbers of the shape [B,L," +
                             std::to_string(d_model) + "]");
  }
  if (given.token_id_BL.sizes() != hidden.sizes().slice(0, 2) || given.token_id_BL.scalar_type() != at::kLong) {
    throw std::runtime_error("'token_id' is " + shape_text(given.token_id_BL.sizes()) +
                             ", needed are I64 of the shape " + shape_text(hidden.sizes().slice(0, 2)));
  }
  if (given.token_id_BL.numel() > 0 && (given.token_id_BL.min().item<std::int64_t>() < 0 ||
                                        given.token_id_BL.max().item<std::int64_t>() >= vocab_size)) {
    throw std::runtime_error("'token_id' names a token outside the vocabulary of " + std::to_string(vocab_size));
  }
  if (given.grad_output_BLD.sizes() != hidden.sizes()) {
    throw std::runtime_error("'grad_output' is " + shape_text(given.grad_output_BLD.sizes()) +
                             ", needed is the shape of 'hidden', " + shape_text(hidden.sizes()));
  }
}

/// Sorts what was given into the layer and the rest; what has no place is an error.
GivenTensors take(NamedLayer& layer, const std::vector<record::TensorBlock>& blocks) {
  GivenTensors given;
  Tensors of_layer;
  for (const record::TensorBlock& block : blocks) {
    const at::Tensor tensor = to_tensor(block);
    if (block.name == "hidden")
      given.hidden_BLD = tensor;
    else if (block.name == "token_id")
      given.token_id_BL = tensor;
    else if (block.name == "grad_output")
      given.grad_output_BLD = tensor;
    else if (block.name.starts_with("draw."))
      given.draws.by_name[block.name.substr(5)] = tensor;
    else if (layer.parameters().contains(block.name) || layer.state().contains(block.name))
      of_layer[block.name] = tensor;
    else {
      const auto near = nearest_word(block.name, layer.names());
      throw std::runtime_error("this layer has no '" + printable(block.name) + "'" +
                               (near ? "; did you mean '" + *near + "'?" : "; --names lists what it has"));
    }
  }
  if (given.hidden_BLD.defined()) {
    if (!given.token_id_BL.defined()) {
      given.token_id_BL = at::zeros(given.hidden_BLD.sizes().slice(0, given.hidden_BLD.dim() - 1), at::kLong);
    }
    if (!given.grad_output_BLD.defined()) given.grad_output_BLD = at::ones_like(given.hidden_BLD);
    layer.compute_in(given.hidden_BLD.scalar_type());
  }
  for (const auto& [name, tensor] : of_layer) layer.fill(name, tensor);
  return given;
}

moe::RouteMode route_mode(const std::string& mode) {
  if (mode == "train") return moe::RouteMode::kTrain;
  return mode == "eval" ? moe::RouteMode::kEvaluate : moe::RouteMode::kProbe;
}

class Outputs {
 public:
  void add(const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) blocks_.push_back(to_block(name, tensor));
  }
  void add_record(const moe::LayerRecord& record) {
    const moe::Routing& routing = record.routing;
    add("scores", routing.scores_TE);
    add("probs", routing.probs_TE);
    if (const moe::SparseRouting* sparse = routing.sparse()) {
      add("routing.token", sparse->token_N);
      add("routing.expert", sparse->expert_N);
      add("routing.gate", sparse->gate_N);
      add("routing.kept", record.kept_N);
    } else {
      const auto& dense = std::get<moe::DenseRouting>(routing.assignment);
      add("routing.member", dense.member_GI);
      add("routing.dispatch", dense.dispatch_GIES);
      add("routing.combine", dense.combine_GIES);
    }
    add("load", record.load_E);
    for (const moe::AuxiliaryLoss& loss : routing.losses) {
      add("loss." + loss.name, loss.value);
      add("loss." + loss.name + ".coefficient", at::full({}, loss.coefficient, at::kDouble));
    }
  }
  std::vector<record::TensorBlock> take() { return std::move(blocks_); }

 private:
  std::vector<record::TensorBlock> blocks_;
};

std::vector<record::TensorBlock> compute(NamedLayer& layer, const LayerRequest& request, const GivenTensors& given,
                                         int d_model) {
  moe::Router& router = layer.layer().router();
  router.apply({request.stage, false, false});
  router.begin_step(request.step);
  moe::Experts& experts = layer.layer().experts();
  for (int expert = 0; expert < experts.num_experts(); ++expert) experts.set_frozen(expert, router.experts_frozen());
  const at::Tensor hidden_TD = given.hidden_BLD.reshape({-1, d_model}).detach().requires_grad_(request.backward);
  const c10::AutoGradMode gradient(request.backward);
  const moe::RouterInput input{hidden_TD, given.token_id_BL, route_mode(request.mode), request.seed, {}, &given.draws};
  const moe::MoeOutput output = layer.layer().forward(input);

  Outputs out;
  out.add("output", output.delta_TD.reshape(given.hidden_BLD.sizes()));
  out.add_record(output.record);
  if (!request.backward) return out.take();
  at::Tensor total = (output.delta_TD * given.grad_output_BLD.reshape({-1, d_model})).sum();
  for (const moe::AuxiliaryLoss& loss : output.record.routing.losses) {
    if (loss.coefficient != 0) total = total + loss.coefficient * loss.value;
  }
  if (total.requires_grad()) total.backward();
  const at::Tensor& hidden_grad = hidden_TD.grad();
  out.add("grad.hidden", hidden_grad.defined() ? hidden_grad.reshape(given.hidden_BLD.sizes()) : at::Tensor());
  for (const auto& [name, tensor] : layer.parameters()) out.add("grad." + name, tensor.grad());
  return out.take();
}

}  // namespace

Result<std::vector<record::TensorBlock>> run_layer(const config::RunConfig& config, const LayerRequest& request,
                                                   const std::vector<record::TensorBlock>& given) {
  try {
    NamedLayer layer(config);
    const auto num_stages = static_cast<int>(layer.method().info.stages.size());
    if (request.stage < 0 || request.stage >= num_stages) {
      return error("there is no stage " + std::to_string(request.stage) + ": " + layer.method().info.title +
                   " has stages 0 to " + std::to_string(num_stages - 1));
    }
    const GivenTensors tensors = take(layer, given);
    check_inputs(tensors, config.model.d_model, layer.vocab_size());
    return compute(layer, request, tensors, config.model.d_model);
  } catch (const std::exception&) {
    return error(one_line(std::current_exception()));
  }
}

std::vector<LayerInputName> layer_input_names(const config::RunConfig& config) {
  NamedLayer layer(config);
  const std::string width = std::to_string(config.model.d_model);
  std::vector<LayerInputName> names = {{"hidden", "[B,L," + width + "]", "input"},
                                       {"token_id", "[B,L]", "input"},
                                       {"grad_output", "[B,L," + width + "]", "input"}};
  for (const auto& [name, tensor] : layer.parameters())
    names.push_back({name, shape_text(tensor.sizes()), "parameter"});
  for (const auto& [name, tensor] : layer.state()) names.push_back({name, shape_text(tensor.sizes()), "state"});
  const c10::AutoGradMode no_gradient(false);
  const moe::GivenDraws draws;
  moe::RouterInput input{at::zeros({8, config.model.d_model}), at::zeros({2, 4}, at::kLong)};
  input.draws = &draws;
  static_cast<void>(layer.layer().router().route(input));
  for (const auto& [name, shape] : draws.asked) names.push_back({"draw." + name, shape_text(shape), "draw"});
  return names;
}

}  // namespace moescope::train
