#pragma once
// What routers share, so that a router's file holds its own idea and little else: the config struct with its field
// list, live changes, its parameters, freezing. Routers override what differs.
// Threads: trainer thread only.

#include <ATen/ops/index_select.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/field.h"
#include "core/moe/method.h"
#include "core/moe/router.h"
#include "core/moe/softmax_topk.h"

namespace moescope::moe {

template <class Config>
class RouterBase : public Router {
 public:
  Capacity capacity(std::int64_t /*num_tokens*/, RouteMode /*mode*/) const override { return {}; }
  const std::vector<Parameter>& parameters() const override { return parameters_; }

  void apply(const RouterControls& controls) override {
    controls_ = controls;
    for (Parameter& one : parameters_) one.tensor.requires_grad_(!one.fixed && !controls.frozen);
  }

  std::string set(const std::string& key, const config::Value& value) override {
    for (const config::Field<Config>& one : fields_) {
      if (one.spec.key != key) continue;
      if (!one.spec.live) return "'" + key + "' cannot change while running";
      Config wanted = config_;
      one.set(wanted, config::coerce(one.spec, value));
      std::string refusal = refuse(wanted);
      if (refusal.empty()) config_ = wanted;
      return refusal;
    }
    return "this method's router has no field '" + key + "'";
  }

  void set_capacity_factor(double factor) override { capacity_factor_ = factor; }

  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> all = state_;
    if (table_VE_.defined()) all.push_back({"pinned_table", table_VE_});
    return all;
  }
  std::string restore(const std::string& name, const at::Tensor& value) override {
    if (name == "pinned_table") return adopt_table(value) ? "" : "this method takes no pinned table";
    return Router::restore(name, value);
  }
  /// A router that takes its choice from choose() can be pinned; the others override this to refuse.
  bool adopt_table(const at::Tensor& order_VE) override {
    if (!takes_table_) return false;
    table_VE_ = order_VE;
    return true;
  }
  bool has_table() const override { return table_VE_.defined(); }

  int top_k() const override {
    if constexpr (requires(const Config& c) { c.top_k; }) return static_cast<int>(config_.top_k);
    return 1;
  }

 protected:
  RouterBase(const RouterContext& context, config::FieldList<Config> fields)
      : num_experts_(context.num_experts), capacity_factor_(context.capacity_factor), fields_(std::move(fields)) {
    config::assign(fields_, context.settings, config_);
  }

  /// The k best by score, lowest index first among equals; the pinned ones while the assignment is pinned. Every router
  /// of the token-choice trait chooses here (or asks pinned_choice() itself), so that any of them can be pinned.
  SoftmaxTopk choose(const RouterInput& input, const at::Tensor& scores_TE, int top_k) const {
    SoftmaxTopk choice = softmax_topk(scores_TE, top_k);
    const at::Tensor pinned_TK = pinned_choice(input, top_k);
    if (pinned_TK.defined()) choice.expert_TK = pinned_TK;
    return choice;
  }
  /// Undefined unless the assignment is pinned to a table.
  at::Tensor pinned_choice(const RouterInput& input, int top_k) const {
    if (!controls_.pinned || !table_VE_.defined()) return {};
    return table_VE_.index_select(0, token_id_T(input)).narrow(1, 0, top_k);
  }
  /// First choices by the table, for Routing::student_T; undefined without one.
  at::Tensor table_choice(const RouterInput& input) const {
    if (!table_VE_.defined()) return {};
    return table_VE_.index_select(0, token_id_T(input)).select(1, 0);
  }
  /// Fills what every score-based routing tells: scores, probabilities, entropy, margin, the table's choice.
  Routing routing_of(const RouterInput& input, const at::Tensor& scores_TE, const SoftmaxTopk& choice) const {
    Routing routing;
    routing.scores_TE = scores_TE;
    routing.probs_TE = choice.probs_TE;
    routing.entropy_T = choice.entropy_T;
    routing.margin_T = choice.margin_T;
    routing.student_T = table_choice(input);
    return routing;
  }
  /// Adds to state(): a tensor the router owns and changes in place.
  void keep_state(const std::string& name, const at::Tensor& tensor) { state_.push_back({name, tensor}); }
  /// Only a router whose every token chooses top_k experts through choose() may call this, in its constructor.
  void allow_table() { takes_table_ = true; }

  /// Call at the end of the constructor: keeps the list of what the router made under its prefix.
  void keep_parameters(const RouterContext& context, const ParameterSet& parameters) {
    parameters_ = parameters.with_prefix(context.prefix + ".");
  }

  /// Why these settings cannot hold together; empty when they can. The fields' own ranges are already checked.
  virtual std::string refuse(const Config& wanted) const {
    if constexpr (requires { wanted.top_k; }) return too_many("top_k", wanted.top_k);
    return {};
  }

  /// What refuse() says of a number of experts that the layer does not have; empty when it has them.
  std::string too_many(const std::string& key, std::int64_t value) const {
    if (value <= num_experts_) return {};
    return "'" + key + "' is " + std::to_string(value) + ", but this layer has " + std::to_string(num_experts_) +
           (num_experts_ == 1 ? " expert" : " experts");
  }

  Config config_;
  RouterControls controls_;
  std::int64_t num_experts_ = 0;
  double capacity_factor_ = 0;  ///< 0: no limit
  std::vector<Parameter> parameters_;

 private:
  std::vector<NamedTensor> state_;
  at::Tensor table_VE_;  ///< undefined until the choice was distilled
  bool takes_table_ = false;
  config::FieldList<Config> fields_;
};

/// A method whose router is made by RouterType(context, parameters).
template <class RouterType>
Method method_with_router(config::MethodInfo info) {
  Method method;
  method.info = std::move(info);
  method.make_router = [](const RouterContext& context, ParameterSet& parameters) -> std::unique_ptr<Router> {
    return std::make_unique<RouterType>(context, parameters);
  };
  return method;
}

}  // namespace moescope::moe
