#include "core/train/report.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/log_softmax.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <stdexcept>

#include "core/analysis/mixing.h"
#include "core/analysis/spread.h"
#include "core/base/seed.h"
#include "core/train/evaluation.h"
#include "core/train/layer_geometry.h"
#include "core/train/messages.h"
#include "core/train/preparation.h"
#include "core/train/weights_file.h"

namespace moescope::train {

namespace {

using Batches = std::vector<model::Batch>;

/// Live fields changed for as long as it lives.
class ChangedFields {
 public:
  ChangedFields(model::Model& model, const config::RunConfig& config, const EvaluationRule& rule)
      : model_(model), config_(config), rule_(rule) {
    for (const auto& [key, value] : rule.router) set(key, value);
  }
  ~ChangedFields() {
    for (const auto& [key, value] : rule_.router) {
      for (moe::MoeLayer& layer : model_.layers()) layer.router().set(key, config_.router.at(key));
    }
  }
  ChangedFields(const ChangedFields&) = delete;
  ChangedFields& operator=(const ChangedFields&) = delete;

 private:
  void set(const std::string& key, const config::Value& value) {
    for (moe::MoeLayer& layer : model_.layers()) {
      if (const std::string why = layer.router().set(key, value); !why.empty()) throw std::runtime_error(why);
    }
  }

  model::Model& model_;
  const config::RunConfig& config_;
  const EvaluationRule& rule_;
};

double experts_per_token(const std::vector<moe::LayerRecord>& layers, double of_mixtures) {
  double sum = 0;
  for (const moe::LayerRecord& layer : layers) {
    const auto tokens = static_cast<double>(std::max<std::int64_t>(1, layer.token_id_T.numel()));
    sum += layer.routing.sparse() ? layer.kept_N.sum().item<double>() / tokens : of_mixtures;
  }
  return layers.empty() ? 0 : sum / static_cast<double>(layers.size());
}

RuleResult evaluate_rule(model::Model& model, const Batches& batches, moe::RouteMode mode, const std::string& name) {
  const c10::AutoGradMode no_gradient(false);
  RuleResult result;
  result.name = name;
  double sum = 0, asked = 0, tokens = 0, experts = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const model::Batch& batch : batches) {
    const moe::ModelPass pass = model.forward(batch, mode, 0);
    const double rows = batch.target_T.ne(moe::kNoTarget).sum().item<double>();
    sum += rows * moe::mean_cross_entropy(pass.logits_TV, batch.target_T).item<double>();
    asked += rows;
    tokens += static_cast<double>(batch.num_tokens());
    experts += experts_per_token(pass.layers, model.experts_per_token());
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  result.loss = sum / std::max(1.0, asked);
  result.tokens_per_second = tokens / spent.count();
  result.experts_per_token = experts / static_cast<double>(std::max<std::size_t>(1, batches.size()));
  result.flops_per_token = model.flops_per_token(result.experts_per_token);
  return result;
}

/// One batch routed several times.
struct Routed {
  std::vector<float> log_prob_RT;        ///< of the right answer
  std::vector<std::int32_t> answer_RT;   ///< most probable
  std::vector<at::Tensor> first_two_TV;  ///< log-probabilities
};

Routed route_often(model::Model& model, const model::Batch& batch, int routings) {
  Routed routed;
  const at::Tensor row_N = batch.target_T.ne(moe::kNoTarget).nonzero().squeeze(1);
  const at::Tensor target_N1 = batch.target_T.index_select(0, row_N).unsqueeze(1);
  for (int r = 0; r < routings; ++r) {
    const std::uint64_t seed = derive_seed(0, "routing", static_cast<std::uint64_t>(r));
    const at::Tensor logits_TV = model.forward(batch, moe::RouteMode::kEvaluate, seed).logits_TV;
    const at::Tensor log_p_NV = at::log_softmax(logits_TV.index_select(0, row_N), 1).contiguous();
    const at::Tensor right_N = log_p_NV.gather(1, target_N1).contiguous(), best_N = at::argmax(log_p_NV, 1);
    for (std::int64_t n = 0; n < row_N.numel(); ++n) {
      routed.log_prob_RT.push_back(right_N.const_data_ptr<float>()[n]);
      routed.answer_RT.push_back(static_cast<std::int32_t>(best_N.const_data_ptr<std::int64_t>()[n]));
    }
    if (r < 2) routed.first_two_TV.push_back(log_p_NV);
  }
  return routed;
}

std::span<const float> numbers(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

RoutingSpread spread_over(model::Model& model, const Batches& batches, int routings) {
  const c10::AutoGradMode no_gradient(false);
  const auto R = static_cast<std::size_t>(routings);
  std::vector<double> loss_R(R, 0);
  double tokens = 0, ensemble = 0, kl = 0, agreed = 0;
  for (const model::Batch& batch : batches) {
    const Routed routed = route_often(model, batch, routings);
    const std::size_t T = routed.log_prob_RT.size() / R;
    const auto share = static_cast<double>(T);
    for (std::size_t i = 0; i < routed.log_prob_RT.size(); ++i)
      loss_R[i / T] -= static_cast<double>(routed.log_prob_RT[i]);
    ensemble += share * analysis::ensemble_gain(routed.log_prob_RT, routings).ensemble_loss;
    kl += share * analysis::mean_symmetric_kl(numbers(routed.first_two_TV[0]), numbers(routed.first_two_TV[1]),
                                              static_cast<int>(routed.first_two_TV[0].size(1)));
    agreed += share * analysis::top1_agreement(routed.answer_RT, routings);
    tokens += share;
  }
  for (double& loss : loss_R) loss /= tokens;
  const analysis::Spread over = analysis::spread(loss_R);
  return {routings, over.mean, over.sd, ensemble / tokens, kl / tokens, agreed / tokens};
}

/// The first sequence's logits, before and after the others are replaced by those of the next batch.
std::optional<double> leak_of(model::Model& model, const Batches& batches) {
  const c10::AutoGradMode no_gradient(false);
  if (batches.size() < 2 || batches[0].cell_T.defined() || batches[0].tokens_BL.sizes() != batches[1].tokens_BL.sizes())
    return std::nullopt;
  model::Batch other = batches[0];
  const std::int64_t B = other.tokens_BL.size(0), L = other.tokens_BL.size(1);
  if (B < 2) return std::nullopt;
  other.tokens_BL = other.tokens_BL.clone();
  other.tokens_BL.narrow(0, 1, B - 1).copy_(batches[1].tokens_BL.narrow(0, 1, B - 1));
  const auto logits = [&](const model::Batch& batch) {
    return model.forward(batch, moe::RouteMode::kEvaluate, 0).logits_TV.narrow(0, 0, L).contiguous();
  };
  const at::Tensor before = logits(batches[0]), after = logits(other);
  return analysis::mixing_leak(numbers(before), numbers(after), static_cast<int>(before.size(1))).mean;
}

/// Material without training: the weights of the run instead of fresh ones.
Material load_run(const EvaluationRequest& request, std::shared_ptr<const corpus::Corpus> corpus,
                  const std::stop_token& stop) {
  RunRequest run;
  run.config = request.config;
  run.config.model.init_from.clear();
  TrainerHooks hooks;
  hooks.corpus = std::move(corpus);
  bus::StatusBoard unread;
  Material material = prepare_material(run, hooks, unread, stop);
  load_exact_weights(request.weights, *material.model);
  const auto num_stages = static_cast<int>(material.method->info.stages.size());
  if (request.stage >= num_stages) {
    throw std::runtime_error("there is no stage " + std::to_string(request.stage + 1) + ": " +
                             material.method->info.title + " has " + std::to_string(num_stages));
  }
  int stage = request.stage;
  if (stage < 0)
    stage = material.method->stage_due ? material.method->stage_due(request.config, request.config.train.steps) : 0;
  for (moe::MoeLayer& layer : material.model->layers()) {
    layer.router().apply({stage, false, false});
    layer.router().begin_step(request.config.train.steps);
  }
  return material;
}

Report report_of(const EvaluationRequest& request, Material& material,
                 const std::function<void(const std::string&, double)>& progress) {
  model::Model& model = *material.model;
  const Batches batches = held_out_batches(request.config, *material.corpus, request.batches);
  Report report;
  report.method = material.method->info.id;
  report.corpus = material.corpus->name + " · " + material.corpus->identity.substr(0, 8);
  report.parameters = model.num_parameters();
  report.active_parameters = model.num_active_parameters();
  const auto steps = static_cast<double>(request.rules.size() + 3);
  double done = 0;
  const auto say = [&](const std::string& what) { progress(what, done++ / steps); };
  say("evaluating as configured");
  report.rules.push_back(evaluate_rule(model, batches, moe::RouteMode::kEvaluate, "as configured"));
  add_quality(request.config, *material.corpus, model, report.rules.back().more, report.bleu_signature);
  for (const EvaluationRule& rule : request.rules) {
    say("evaluating " + rule.name);
    const ChangedFields changed(model, request.config, rule);
    report.rules.push_back(evaluate_rule(model, batches, moe::RouteMode::kEvaluate, rule.name));
    add_quality(request.config, *material.corpus, model, report.rules.back().more, report.bleu_signature);
  }
  if (request.backbone && material.method->info.traits.has_student) {
    for (moe::MoeLayer& layer : model.layers()) layer.router().apply({0, false, false});
    report.rules.push_back(evaluate_rule(model, batches, moe::RouteMode::kProbe, "backbone router"));
  }
  if (request.routings > 1) {
    say("routing " + std::to_string(request.routings) + " times");
    report.spread = spread_over(model, batches, request.routings);
  }
  if (material.method->info.traits.mixes_sequences) report.leak = leak_of(model, batches);
  say("looking at the layers");
  report.layers = report_layers(model, batches);
  return report;
}

}  // namespace

Result<Report> evaluate_run(const EvaluationRequest& request,
                            const std::function<void(const std::string& activity, double fraction)>& progress,
                            const std::shared_ptr<const corpus::Corpus>& corpus, std::stop_token stop) {
  try {
    std::shared_ptr<const corpus::Corpus> used = corpus;
    if (!used) {
      corpus::CorpusRequest wanted;
      wanted.data = request.config.data;
      wanted.seed = static_cast<std::uint64_t>(request.config.top.seed);
      wanted.context = request.config.model.context;
      wanted.cache_folder = request.cache_folder;
      auto prepared = corpus::prepare_corpus(wanted, progress, stop);
      if (!prepared) return prepared.error();
      used = *prepared;
    }
    Material material = load_run(request, used, stop);
    return report_of(request, material, progress);
  } catch (const std::exception&) {
    return error(one_line(std::current_exception()));
  }
}

}  // namespace moescope::train
