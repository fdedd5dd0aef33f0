#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::ToyLayer;
using test::ToyShape;

TEST(UniformRouter, IsTheMeanOfAllExpertsInEveryMode) {
  ToyLayer toy("uniform", ToyShape{});
  const at::Tensor hidden_TD = test::draws({9, 4}, 1);
  at::Tensor mean_TD = at::zeros({9, 4});
  for (int e = 0; e < 3; ++e) {
    const std::string name = "moe.1.expert." + std::to_string(e);
    const auto part = [&](const char* of) { return toy.parameter(name + of); };
    mean_TD =
        mean_TD + at::linear(at::relu(at::linear(hidden_TD, part(".w1"), part(".b1"))), part(".w2"), part(".b2")) / 3;
  }
  for (const RouteMode mode : {RouteMode::kTrain, RouteMode::kEvaluate, RouteMode::kProbe}) {
    const MoeOutput output = toy.layer->forward(input_of(hidden_TD, mode));
    EXPECT_TRUE(close(output.delta_TD, mean_TD, 1e-6));
    EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>{9, 9, 9}));
    EXPECT_FALSE(output.record.routing.scores_TE.defined());
  }
  EXPECT_EQ(toy.router().top_k(), 3);
  EXPECT_EQ(toy.router().experts_per_token(), 3);
  EXPECT_TRUE(toy.router().parameters().empty());
}

TEST(UniformRouter, CannotBePinnedBecauseNothingIsChosen) {
  ToyLayer toy("uniform", ToyShape{});
  EXPECT_FALSE(toy.router().adopt_table(at::zeros({7, 3}, at::kLong)));
}

}  // namespace
}  // namespace moescope::moe
