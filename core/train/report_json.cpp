#include <cmath>
#include <nlohmann/json.hpp>

#include "core/train/report.h"

namespace moescope::train {

namespace {

using Json = nlohmann::ordered_json;

void add(Json& json, const char* key, double value) {
  if (std::isfinite(value)) json[key] = value;
}

Json json_of(const RuleResult& rule) {
  Json json = {{"rule", rule.name}};
  add(json, "loss", rule.loss);
  add(json, "tokens_per_second", rule.tokens_per_second);
  add(json, "experts_per_token", rule.experts_per_token);
  add(json, "flops_per_token", rule.flops_per_token);
  for (const auto& [name, value] : rule.more) add(json, name.c_str(), value);
  return json;
}

Json json_of(const RoutingSpread& spread) {
  Json json = {{"routings", spread.routings}};
  add(json, "mean_loss", spread.mean_loss);
  add(json, "std_loss", spread.std_loss);
  add(json, "ensemble_loss", spread.ensemble_loss);
  add(json, "symmetric_kl", spread.symmetric_kl);
  add(json, "top1_agreement", spread.top1_agreement);
  return json;
}

Json json_of(const LayerReport& layer) {
  Json json = {{"tokens", layer.tokens}};
  add(json, "entropy", layer.entropy);
  add(json, "marginal_entropy", layer.marginal_entropy);
  add(json, "effective_experts", layer.effective_experts);
  add(json, "max_violation", layer.max_violation);
  add(json, "collapse", layer.collapse);
  add(json, "expert_similarity", layer.expert_similarity);
  json["load"] = layer.load_E;
  return json;
}

}  // namespace

std::string to_json(const Report& report) {
  Json json = {{"method", report.method},
               {"corpus", report.corpus},
               {"parameters", report.parameters},
               {"active_parameters", report.active_parameters}};
  json["rules"] = Json::array();
  for (const RuleResult& rule : report.rules) json["rules"].push_back(json_of(rule));
  if (report.spread) json["spread"] = json_of(*report.spread);
  if (report.leak) json["leak"] = *report.leak;
  json["layers"] = Json::array();
  for (const LayerReport& layer : report.layers) json["layers"].push_back(json_of(layer));
  if (!report.bleu_signature.empty()) json["bleu_signature"] = report.bleu_signature;
  if (!report.notes.empty()) json["notes"] = report.notes;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace moescope::train
