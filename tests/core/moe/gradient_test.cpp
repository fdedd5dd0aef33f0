// Gradients of every registered method's training losses by central differences in fp64: two stacked layers, d 4,
// three experts, six tokens. A step that changed a choice would be no derivative, so that is asserted.

#include <c10/core/GradMode.h>

#include <cmath>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

constexpr double kStep = 1e-6;
constexpr double kTolerance = 1e-6;

using test::SettingMap;

struct Case {
  std::string name;
  std::string method;
  SettingMap settings;
  RouterControls controls;
  ExpertKind kind = ExpertKind::kPlain;
  double capacity_factor = 0;
};

/// Two layers in a row, whose last hidden states are the logits of a four-token language.
class TwoLayers {
 public:
  explicit TwoLayers(const Case& chosen) {
    test::ToyShape toy;
    toy.settings = chosen.settings;
    toy.settings["student_dim"] = std::int64_t{3};  // where there is one: every entry costs two forward passes
    toy.kind = chosen.kind;
    toy.sublayers = chosen.kind == ExpertKind::kResidual ? 2 : 1;
    toy.capacity_factor = chosen.capacity_factor;
    for (const char* prefix : {"moe.1", "moe.2"}) {
      toy.prefix = prefix;
      layers_.push_back(test::make_layer(*find_method(chosen.method), toy, parameters));
    }
    test::to_double(parameters);
    test::randomise(parameters);
    for (const auto& layer : layers_) layer->router().apply(chosen.controls);
    hidden_TD = test::draws({6, 4}, 21, at::kDouble).requires_grad_();
    const Method& method = *find_method(chosen.method);
    objective_ = method.make_objective ? method.make_objective({}) : single_pass_objective();
  }

  StepLosses losses() {
    const at::Tensor target_T = test::token_ids(6, 4).reshape({-1});
    return objective_->compute([&](int pass) { return forward(pass); }, target_T);
  }

  ParameterSet parameters{3};
  at::Tensor hidden_TD;

 private:
  ModelPass forward(int pass) {
    ModelPass made;
    at::Tensor state_TD = hidden_TD;
    std::uint64_t noise = 77 + static_cast<std::uint64_t>(pass);
    for (const auto& layer : layers_) {
      MoeOutput output = layer->forward(test::input_of(state_TD, RouteMode::kTrain, ++noise));
      state_TD = state_TD + output.delta_TD;
      made.layers.push_back(std::move(output.record));
    }
    made.logits_TV = state_TD;
    return made;
  }

  std::vector<std::unique_ptr<MoeLayer>> layers_;
  std::unique_ptr<Objective> objective_;
};

std::vector<std::int64_t> choices(const StepLosses& losses) {
  std::vector<std::int64_t> all;
  for (const LayerRecord& layer : losses.layers) {
    if (const SparseRouting* sparse = layer.routing.sparse()) {
      for (const std::int64_t expert : test::integers(sparse->expert_N)) all.push_back(expert);
    }
  }
  return all;
}

void expect_central_differences(TwoLayers& model, const at::Tensor& tensor, const std::string& name,
                                const std::vector<std::int64_t>& chosen) {
  const std::vector<double> analytic =
      test::numbers(tensor.grad().defined() ? tensor.grad() : at::zeros(tensor.sizes(), at::kDouble));
  double* value = tensor.detach().mutable_data_ptr<double>();
  const auto loss_at = [&](std::size_t i, double wanted) {
    const double before = value[i];
    value[i] = wanted;
    const c10::NoGradGuard only_the_value;
    const StepLosses losses = model.losses();
    EXPECT_EQ(choices(losses), chosen) << name << ": a choice changed, take a smaller step";
    value[i] = before;
    return losses.total.item<double>();
  };
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    const double numeric = (loss_at(i, value[i] + kStep) - loss_at(i, value[i] - kStep)) / (2 * kStep);
    EXPECT_NEAR(analytic[i], numeric, kTolerance * std::max(1.0, std::fabs(numeric))) << name << " entry " << i;
  }
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Method& method : methods()) {
    all.push_back({method.info.id, method.info.id, {}, {}});
    all.push_back({method.info.id + "_residual", method.info.id, {}, {}, ExpertKind::kResidual});
    all.push_back({method.info.id + "_tight", method.info.id, {}, {}, ExpertKind::kPlain, 0.9});
    if (test::has_field(method, "router_dim")) {
      all.push_back({method.info.id + "_reduced", method.info.id, {{"router_dim", std::int64_t{3}}}, {}});
    }
    if (test::has_field(method, "balance_coefficient")) {
      all.push_back({method.info.id + "_balanced", method.info.id, {{"balance_coefficient", 0.7}}, {}});
    }
    if (test::has_field(method, "top_k")) {
      all.push_back({method.info.id + "_all_experts", method.info.id, {{"top_k", std::int64_t{3}}}, {}});
    }
    for (std::size_t stage = 1; stage < method.info.stages.size(); ++stage) {
      RouterControls controls;
      controls.stage = static_cast<int>(stage);
      all.push_back({method.info.id + "_" + method.info.stages[stage].id, method.info.id, {}, controls});
    }
    for (const config::FieldSpec& spec : method.info.router.fields) {
      if (spec.type == config::ValueType::kBool) {
        SettingMap changes = {{spec.key, !std::get<bool>(spec.default_value)}};
        // An entropy bends without end where a probability nears 0, which central differences cannot follow.
        if (test::has_field(method, "entropy_coefficient")) changes["entropy_coefficient"] = 0.0;
        all.push_back({method.info.id + "_" + spec.key, method.info.id, changes, {}});
      }
      for (const std::string& choice : spec.choices) {
        all.push_back({method.info.id + "_" + spec.key + "_" + choice, method.info.id, {{spec.key, choice}}, {}});
      }
    }
  }
  return all;
}

class Gradients : public testing::TestWithParam<Case> {};

TEST_P(Gradients, AgreeWithCentralDifferences) {
  TwoLayers model(GetParam());
  const StepLosses losses = model.losses();
  losses.total.backward();
  const std::vector<std::int64_t> chosen = choices(losses);
  expect_central_differences(model, model.hidden_TD, "hidden", chosen);
  for (const Parameter& one : model.parameters.all()) {
    // A student's choice has no derivative of its own; frozen parameters are not asked for one.
    if (one.tensor.requires_grad()) expect_central_differences(model, one.tensor, one.name, chosen);
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Gradients, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& instance) { return instance.param.name; });

}  // namespace
}  // namespace moescope::moe
