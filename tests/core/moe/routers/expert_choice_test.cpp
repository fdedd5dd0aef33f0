#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

using Integers = std::vector<std::int64_t>;

ToyLayer f1_expert_choice(double capacity, const std::string& scope = "batch") {
  ToyShape shape = test::f1::shape();
  shape.settings = {{"capacity", capacity}, {"scope", scope}};
  return test::f1::layer("expert_choice", shape);
}

SparseRouting list_of(ToyLayer& toy, const RouterInput& input) { return *toy.router().route(input).sparse(); }

TEST(ExpertChoiceRouter, FixtureF1WithTwoTokensPerExpert) {
  ToyLayer toy = f1_expert_choice(1);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const SparseRouting& list = *output.record.routing.sparse();
  EXPECT_EQ(test::integers(list.expert_N), (Integers{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(test::integers(list.token_N), (Integers{4, 0, 3, 1, 5, 3}));
  EXPECT_TRUE(close(list.gate_N, test::matrix({.866813, .665241, .603749, .543406, .824351, .366192}, 0), 1e-6));
  EXPECT_EQ(test::integers(output.record.load_E), (Integers{2, 2, 2}));
  EXPECT_EQ(test::numbers(output.delta_TD[2]), (std::vector<double>{0, 0})) << "token 2 is served by nobody";
  const double third = .603749 * 2 + .366192 * 3;  // by two experts
  EXPECT_TRUE(close(output.delta_TD[3], test::matrix({-third, 2 * third}, 0), 5e-6));
}

TEST(ExpertChoiceRouter, EvaluationAndProbeChooseAlike) {
  ToyLayer toy = f1_expert_choice(1);
  const Integers train = test::integers(list_of(toy, test::f1::input()).token_N);
  EXPECT_EQ(test::integers(list_of(toy, test::f1::input(RouteMode::kEvaluate)).token_N), train);
  EXPECT_EQ(test::integers(list_of(toy, test::f1::input(RouteMode::kProbe)).token_N), train);
}

TEST(ExpertChoiceRouter, EveryExpertTakesAtLeastOneTokenAndAtMostAll) {
  ToyLayer toy = f1_expert_choice(1);
  const auto per_expert = [&](double capacity) {
    EXPECT_EQ(toy.router().set("capacity", capacity), "");
    return list_of(toy, test::f1::input()).token_N.numel() / 3;
  };
  EXPECT_EQ(per_expert(0.1), 1);
  EXPECT_EQ(per_expert(1.4), 2) << "rounded down";
  EXPECT_EQ(per_expert(1.5), 3);
  EXPECT_EQ(per_expert(3), 6);
  EXPECT_EQ(per_expert(7), 6);
}

TEST(ExpertChoiceRouter, AmongEqualProbabilitiesTheEarlierTokenIsTaken) {
  ToyLayer toy = f1_expert_choice(1);
  toy.parameter("moe.1.router.rows").detach().zero_();
  EXPECT_EQ(test::integers(list_of(toy, test::f1::input()).token_N), (Integers{0, 1, 0, 1, 0, 1}));
}

TEST(ExpertChoiceRouter, TheScopeBoundsWhatAnExpertChoosesFrom) {
  RouterInput two = test::f1::input();
  two.token_id_BL = at::zeros({2, 3}, at::kLong);  // tokens 0 to 2, and 3 to 5
  ToyLayer sequence = f1_expert_choice(1, "sequence");
  EXPECT_EQ(test::integers(list_of(sequence, two).token_N), (Integers{0, 4, 1, 3, 1, 5}))
      << "each expert one of each sequence";
  ToyLayer position = f1_expert_choice(1.5, "position");
  EXPECT_EQ(test::integers(list_of(position, two).token_N), (Integers{0, 4, 2, 3, 1, 2, 3, 1, 5}))
      << "each expert one of the two tokens at each position";
}

TEST(ExpertChoiceRouter, ChoosingAtAPositionDoesNotLookAhead) {
  ToyShape shape;
  shape.settings = {{"scope", std::string("position")}, {"capacity", 1.0}};
  ToyLayer toy("expert_choice", shape);
  test::randomise(toy.parameters);
  const at::Tensor hidden_BLD = test::draws({6, 4, 4}, 1);
  at::Tensor changed_BLD = hidden_BLD.clone();
  changed_BLD.narrow(1, 2, 2).copy_(test::draws({6, 2, 4}, 2) * 3);
  const at::Tensor ids = at::zeros({6, 4}, at::kLong);
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate}) {
    const auto forward = [&](const at::Tensor& states_BLD) {
      return toy.layer->forward({states_BLD.reshape({24, 4}), ids, mode}).delta_TD.view({6, 4, 4});
    };
    const at::Tensor before = forward(hidden_BLD), after = forward(changed_BLD);
    EXPECT_TRUE(close(before.narrow(1, 0, 2), after.narrow(1, 0, 2), 1e-6));
    EXPECT_FALSE(close(before, after, 1e-3));
  }
}

TEST(ExpertChoiceRouter, PaddingIsNeverChosenAndCountsAsNoToken) {
  ToyLayer toy = f1_expert_choice(1, "sequence");
  RouterInput input = test::f1::input();
  input.token_id_BL = at::zeros({2, 8}, at::kLong);
  input.cell_T = at::tensor({0, 1, 2, 8, 9, 10}, at::kLong);
  const SparseRouting padded = list_of(toy, input);
  input.token_id_BL = at::zeros({2, 3}, at::kLong);
  input.cell_T = at::Tensor();
  const SparseRouting plain = list_of(toy, input);
  EXPECT_TRUE(at::equal(padded.token_N, plain.token_N));
  EXPECT_TRUE(at::equal(padded.expert_N, plain.expert_N));
}

TEST(ExpertChoiceRouter, AnUnservedTokenGetsNoGradientAndTheRowsLearn) {
  ToyLayer toy = f1_expert_choice(1);
  const at::Tensor hidden_TD = test::f1::hidden_TD().requires_grad_();
  toy.layer->forward(test::input_of(hidden_TD)).delta_TD.sum().backward();
  EXPECT_EQ(hidden_TD.grad()[2].abs().sum().item<double>(), 0);
  for (const std::int64_t t : {0, 1, 3, 4, 5}) EXPECT_GT(hidden_TD.grad()[t].abs().sum().item<double>(), 0) << t;
  EXPECT_GT(toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
}

std::string said(const std::string& router, const std::string& more = "") {
  return test::said_of("[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n" + more +
                       "[moe]\nmethod = \"expert_choice\"\nnum_experts = 16\n[moe.router]\n" + router);
}

TEST(ExpertChoiceRouter, WarnsACausalLanguageModelUnlessItChoosesAtPositions) {
  const std::string causal = "[model]\nobjective = \"causal_lm\"\n";
  EXPECT_EQ(said("scope = \"batch\"\n"), "") << "it learns hidden tokens unless told otherwise";
  EXPECT_EQ(said("scope = \"position\"\n", causal), "");
  EXPECT_EQ(said("scope = \"sequence\"\n", causal),
            "warning: experts choose among all tokens of a sequence, later ones too: a causal language model trains "
            "with knowledge it will not have when it writes\n"
            "hint: use scope = \"position\", which chooses over the batch at each position\n");
}

TEST(ExpertChoiceRouter, WarnsOfACapacityThatCannotBeMet) {
  EXPECT_EQ(said("scope = \"position\"\ncapacity = 1.5\n"),
            "warning: 16 experts choose from 8 tokens, one each at least, which is more than 1.5 for a token on "
            "average\nhint: use a larger train.batch_size, or fewer experts\n");
  EXPECT_EQ(said("capacity = 20\n"),
            "warning: 'capacity' is 20, but a layer has 16 experts: every expert takes every token\n"
            "hint: 'num_experts' is in [moe]\n");
}

}  // namespace
}  // namespace moescope::moe
