#include "core/moe/moe_layer.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::ToyLayer;
using test::ToyShape;

/// What one expert of a layer makes of every token.
at::Tensor expert_TD(const ToyLayer& toy, int expert, const at::Tensor& hidden_TD) {
  const std::string name = "moe.1.expert." + std::to_string(expert);
  const at::Tensor inner = at::relu(at::linear(hidden_TD, toy.parameter(name + ".w1"), toy.parameter(name + ".b1")));
  return at::linear(inner, toy.parameter(name + ".w2"), toy.parameter(name + ".b2"));
}

TEST(MoeLayer, AllExpertsWithSoftmaxGatesAreTheDenseMixture) {
  ToyShape shape;
  shape.settings = {{"top_k", std::int64_t{3}}};
  ToyLayer toy("smoe", shape);
  const at::Tensor hidden_TD = test::draws({9, 4}, 1);
  const MoeOutput output = toy.layer->forward(input_of(hidden_TD));
  const at::Tensor probs_TE = at::softmax(output.record.routing.scores_TE, 1);
  at::Tensor mixture_TD = at::zeros({9, 4});
  for (int e = 0; e < 3; ++e) mixture_TD = mixture_TD + probs_TE.narrow(1, e, 1) * expert_TD(toy, e, hidden_TD);
  EXPECT_TRUE(close(output.delta_TD, mixture_TD, 1e-6));
}

TEST(MoeLayer, OneExpertIsTheDenseBlockTimesItsGate) {
  ToyShape shape;
  shape.num_experts = 1;
  const at::Tensor hidden_TD = test::draws({9, 4}, 1);
  for (const std::string id : {"dense", "random", "switch"}) {
    ToyLayer toy(id, shape);
    const MoeOutput output = toy.layer->forward(input_of(hidden_TD));
    EXPECT_TRUE(test::same_bits(output.delta_TD, expert_TD(toy, 0, hidden_TD))) << id << ": gate 1, bit for bit";
  }
  shape.settings = {{"top_k", std::int64_t{1}}};
  ToyLayer smoe("smoe", shape);
  EXPECT_TRUE(test::same_bits(smoe.layer->forward(input_of(hidden_TD)).delta_TD, expert_TD(smoe, 0, hidden_TD)));

  shape.settings = {};
  ToyLayer stable("stablemoe", shape);
  const MoeOutput output = stable.layer->forward(input_of(hidden_TD));
  const at::Tensor gate_T1 = at::sigmoid(output.record.routing.scores_TE);
  EXPECT_TRUE(close(output.delta_TD, gate_T1 * expert_TD(stable, 0, hidden_TD), 1e-7));
}

TEST(MoeLayer, ATokenThatIsDroppedEverywhereAddsNothing) {
  ToyShape shape;
  shape.capacity_factor = 0.01;
  shape.settings = {{"min_capacity", std::int64_t{1}}};
  ToyLayer toy("switch", shape);
  const at::Tensor hidden_TD = test::draws({1, 4}, 1).repeat({5, 1});  // five equal tokens on one expert
  const MoeOutput output = toy.layer->forward(input_of(hidden_TD, RouteMode::kTrain));
  EXPECT_EQ(output.record.dropped_E.sum().item<std::int64_t>(), 4);
  EXPECT_GT(output.delta_TD[0].abs().sum().item<double>(), 0);
  EXPECT_EQ(output.delta_TD.narrow(0, 1, 4).abs().sum().item<double>(), 0);
}

/// One slot per expert holds all tokens' mean, and every token takes it back equally.
class MeanRouter : public Router {
 public:
  explicit MeanRouter(int num_experts) : num_experts_(num_experts) {}
  Routing route(const RouterInput& input) override {
    const std::int64_t num_tokens = input.hidden_TD.size(0);
    Routing routing;
    const double share = 1.0 / static_cast<double>(num_tokens);
    routing.assignment =
        DenseRouting{at::arange(num_tokens, at::kLong).unsqueeze(0), at::full({1, num_tokens, num_experts_, 1}, share),
                     at::full({1, num_tokens, num_experts_, 1}, 1.0 / num_experts_)};
    return routing;
  }
  Capacity capacity(std::int64_t, RouteMode) const override { return {}; }
  const std::vector<Parameter>& parameters() const override { return none_; }
  void apply(const RouterControls&) override {}
  std::string set(const std::string&, const config::Value&) override { return "nothing to set"; }
  void set_capacity_factor(double) override {}
  int top_k() const override { return num_experts_; }

 private:
  int num_experts_;
  std::vector<Parameter> none_;
};

TEST(MoeLayer, SoftMixturesMixTokensIntoSlotsAndBack) {
  ParameterSet parameters(1);
  MoeLayer layer(std::make_unique<MeanRouter>(2), Experts({ExpertKind::kPlain, 2, 4, 6, 1}, "moe.1", parameters));
  const at::Tensor hidden_TD = test::draws({5, 4}, 1);
  const MoeOutput output = layer.forward(input_of(hidden_TD));
  const at::Tensor mean_1D = hidden_TD.mean(0, true);
  const at::Tensor expected_1D =
      (layer.experts().forward(mean_1D, {0, 1, 1}) + layer.experts().forward(mean_1D, {0, 0, 1})) / 2;
  EXPECT_TRUE(close(output.delta_TD, expected_1D.expand({5, 4}), 1e-6));
  EXPECT_TRUE(close(output.record.load_E, at::full({2}, 2.5), 1e-6));
  EXPECT_EQ(layer.forward(input_of(at::empty({0, 4}))).delta_TD.size(0), 0);
}

TEST(MoeLayer, AnUnselectedExpertGetsNoGradient) {
  ToyLayer toy = test::f1::layer("stablemoe");
  // Tokens 0, 2 and 4 go to expert 0, tokens 1 and 3 to expert 1: without token 5 expert 2 is idle.
  toy.layer->forward(input_of(test::f1::hidden_TD().narrow(0, 0, 5))).delta_TD.sum().backward();
  for (const Parameter& one : toy.parameters.all()) {
    if (one.role == ParameterRole::kExpert) {
      EXPECT_EQ(one.tensor.grad().defined(), one.expert != 2) << one.name;
    }
  }
}

}  // namespace
}  // namespace moescope::moe
