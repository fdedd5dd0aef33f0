#pragma once
// What routers share, so that a router's file holds its own idea and little else: the config struct with its field
// list, live changes, its parameters, freezing. Routers override what differs.
// Threads: trainer thread only.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/field.h"
#include "core/moe/method.h"
#include "core/moe/router.h"

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

  int top_k() const override {
    if constexpr (requires(const Config& c) { c.top_k; }) return static_cast<int>(config_.top_k);
    return 1;
  }

 protected:
  RouterBase(const RouterContext& context, config::FieldList<Config> fields)
      : num_experts_(context.num_experts), capacity_factor_(context.capacity_factor), fields_(std::move(fields)) {
    config::assign(fields_, context.settings, config_);
  }

  /// Call at the end of the constructor: keeps the list of what the router made under its prefix.
  void keep_parameters(const RouterContext& context, const ParameterSet& parameters) {
    parameters_ = parameters.with_prefix(context.prefix + ".");
  }

  /// Why these settings cannot hold together; empty when they can. The fields' own ranges are already checked.
  virtual std::string refuse(const Config& wanted) const {
    if constexpr (requires { wanted.top_k; }) {
      if (wanted.top_k > num_experts_) {
        return "'top_k' is " + std::to_string(wanted.top_k) + ", but this layer has " + std::to_string(num_experts_) +
               (num_experts_ == 1 ? " expert" : " experts");
      }
    }
    return {};
  }

  Config config_;
  RouterControls controls_;
  std::int64_t num_experts_ = 0;
  double capacity_factor_ = 0;  ///< 0: no limit
  std::vector<Parameter> parameters_;

 private:
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
