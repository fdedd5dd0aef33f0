// DSelect-k (Hazimeh et al., NeurIPS 2021): k selectors, each a product of smooth-step bits over the binary number of
// an expert. Everything is differentiable; dense at the start, and one-hot once every bit has left the slope. Codes are
// learned for all tokens alike, or computed from each token.

#include <ATen/ATen.h>

#include <cmath>

#include "core/moe/lint.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

constexpr double kLeastInside = 1e-3;  ///< keeps the penalty finite where a selector has left all experts

struct DselectConfig {
  int top_k = 2;
  double entropy_coefficient = 1e-3;
  double outside_coefficient = 1;
  double gamma = 1;
  bool per_token = false;
};

config::FieldList<DselectConfig> dselect_fields() {
  return {
      config::field(&DselectConfig::top_k, "top_k", "selectors, each of which ends at one expert").range(1, 64),
      config::field(&DselectConfig::entropy_coefficient, "entropy_coefficient", "weight of the selectors' entropy")
          .range(0, 100)
          .live(),
      config::field(
          &DselectConfig::outside_coefficient, "outside_coefficient",
          "weight of the penalty on codes that name no expert; there are some unless num_experts is a power of two")
          .range(0, 100)
          .live(),
      config::field(&DselectConfig::gamma, "gamma", "width of the slope of the smooth step").above(0).range(0, 100),
      config::field(&DselectConfig::per_token, "per_token",
                    "compute the selectors from each token instead of learning one set"),
  };
}

std::int64_t bits_for(std::int64_t num_experts) {
  std::int64_t bits = 0;
  while ((std::int64_t{1} << bits) < num_experts) ++bits;
  return std::max<std::int64_t>(1, bits);
}

class DselectRouter : public RouterBase<DselectConfig> {
 public:
  DselectRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, dselect_fields()), bits_(bits_for(num_experts_)) {
    const std::int64_t K = config_.top_k, D = context.d_model;
    const Init start = Init::uniform(config_.gamma / 100);
    const auto add = [&](const char* part, const std::vector<std::int64_t>& shape, Init init) {
      return parameters.add(context.prefix + part, shape, init, ParameterRole::kRouter, -1, false, /*decayed=*/false);
    };
    code_KB_ = add(".code", {K, bits_}, start);
    selector_K_ = add(".selector", {K}, Init::zeros());
    if (config_.per_token) {
      code_ZD_ = add(".code_weight", {K * bits_, D}, start);
      selector_KD_ = add(".selector_weight", {K, D}, start);
    }
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const std::int64_t T = input.hidden_TD.size(0), K = config_.top_k;
    // One row for all tokens unless codes come from the token.
    at::Tensor code_TKB = code_KB_.unsqueeze(0), selector_TK = selector_K_.unsqueeze(0);
    if (config_.per_token) {
      code_TKB = code_TKB + at::linear(input.hidden_TD, code_ZD_).view({T, K, bits_});
      selector_TK = selector_TK + at::linear(input.hidden_TD, selector_KD_);
      require_finite(selector_TK);
    }
    const at::Tensor select_TKE = selections(code_TKB);
    at::Tensor gate_TE = (at::softmax(selector_TK, 1).unsqueeze(2) * select_TKE).sum(1);
    gate_TE = gate_TE.expand({T, num_experts_});

    const at::Tensor pair_N2 = gate_TE.detach().gt(0).nonzero();
    SparseRouting list;
    list.token_N = pair_N2.select(1, 0).contiguous();
    list.expert_N = pair_N2.select(1, 1).contiguous();
    list.gate_N = gate_TE.reshape({-1}).index_select(0, list.token_N * num_experts_ + list.expert_N);
    list.choices_per_token = 0;
    Routing routing;
    routing.assignment = std::move(list);
    if (input.mode == RouteMode::kTrain) add_losses(select_TKE, T, routing);
    return routing;
  }

  /// Before training has made the codes sharp, all experts may have a part.
  double most_experts_per_token(std::int64_t /*context*/) const override { return static_cast<double>(num_experts_); }

 private:
  /// r_j(i): product over bits, the most significant first, of S where the bit of i is set and 1 − S where it is not.
  at::Tensor selections(const at::Tensor& code_TKB) const {
    const at::Tensor step_TKB = smooth_step(code_TKB);
    at::Tensor select_TKE = at::ones({code_TKB.size(0), code_TKB.size(1), num_experts_}, code_TKB.options());
    const at::Tensor number_E = at::arange(num_experts_, code_TKB.options().dtype(at::kLong));
    for (std::int64_t b = 0; b < bits_; ++b) {
      const at::Tensor set_E = at::floor_divide(number_E, std::int64_t{1} << (bits_ - 1 - b)).remainder(2).eq(1);
      const at::Tensor step_TK1 = step_TKB.select(2, b).unsqueeze(2);
      select_TKE = select_TKE * at::where(set_E, step_TK1, 1 - step_TK1);
    }
    return select_TKE;
  }

  /// 0 below −γ/2, 1 above γ/2, a cubic between.
  at::Tensor smooth_step(const at::Tensor& x) const {
    const double gamma = config_.gamma;
    const at::Tensor slope = -2 / (gamma * gamma * gamma) * x.pow(3) + 3 / (2 * gamma) * x + 0.5;
    return at::where(x.le(-gamma / 2), at::zeros_like(x), at::where(x.ge(gamma / 2), at::ones_like(x), slope));
  }

  void add_losses(const at::Tensor& select_TKE, std::int64_t num_tokens, Routing& routing) const {
    const bool none = num_tokens == 0;
    const auto rows = static_cast<double>(std::max<std::int64_t>(1, select_TKE.size(0)));
    // Where a selection is 0 its logarithm must not be looked at: 0 · ∞.
    const at::Tensor safe = at::where(select_TKE.gt(0), select_TKE, at::ones_like(select_TKE));
    const at::Tensor entropy = -(safe * safe.log()).sum() / rows;
    routing.losses.push_back({"entropy", none ? entropy * 0 : entropy, config_.entropy_coefficient});
    if ((num_experts_ & (num_experts_ - 1)) == 0) return;
    // Codes beyond the last expert name nobody; what they take away is punished, by nothing once they take nothing.
    const at::Tensor outside = (1 / select_TKE.sum(2).clamp_min(kLeastInside)).sum() / rows;
    routing.losses.push_back({"outside", none ? outside * 0 : outside, config_.outside_coefficient});
  }

  std::int64_t bits_;
  at::Tensor code_KB_, selector_K_, code_ZD_, selector_KD_;
};

Diagnostics check_dselect(const config::RunConfig& config) {
  const std::int64_t experts = config.moe.num_experts;
  if ((experts & (experts - 1)) == 0) return {};
  std::int64_t above = 1;
  while (above < experts) above *= 2;
  return {lint_at(config, "moe.num_experts",
                  "'num_experts' is " + std::to_string(experts) +
                      ", not a power of two: some codes name no expert, and a token's gates sum to less than 1 until a "
                      "loss has pushed the codes away from them",
                  "take " + std::to_string(above / 2) + " or " + std::to_string(above))};
}

Method make_dselect_k_method() {
  config::MethodInfo info;
  info.id = "dselect_k";
  info.title = "DSelect-k";
  info.summary = "k differentiable selectors move from all experts to one each";
  info.paper = "Hazimeh et al., NeurIPS 2021";
  info.traits.order_independent = true;
  info.stages = {{"train", "Train", "selectors sharpen from all experts to one each"}};
  info.router = config::schema_of("moe.router", dselect_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<DselectRouter>(std::move(info));
  method.check = check_dselect;
  return method;
}

const RegisterMethod registered{make_dselect_k_method()};

}  // namespace
}  // namespace moescope::moe
