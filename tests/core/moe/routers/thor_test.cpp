#include <cmath>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

using Integers = std::vector<std::int64_t>;

ToyShape shape_of(SettingMap settings, int num_experts = 3) {
  ToyShape shape;
  shape.num_experts = num_experts;
  shape.settings = std::move(settings);
  return shape;
}

/// Four sequences of three tokens.
RouterInput batch(std::uint64_t seed, RouteMode mode = RouteMode::kTrain) {
  return {test::draws({12, 4}, 1), at::zeros({4, 3}, at::kLong), mode, seed};
}

at::Tensor experts_T(ToyLayer& toy, const RouterInput& input) { return toy.router().route(input).sparse()->expert_N; }

/// Within five deviations of a binomial count.
void expect_count(double count, double trials, double share) {
  EXPECT_NEAR(count, trials * share, 5 * std::sqrt(trials * share * (1 - share)));
}

TEST(ThorRouter, InTrainingOneExpertServesTheWholeBatchAndEveryPassDrawsAnew) {
  ToyLayer toy("thor", shape_of({}));
  Integers count_E(3, 0);
  constexpr int kPasses = 1200;
  for (std::uint64_t pass = 0; pass < kPasses; ++pass) {
    const at::Tensor expert_T = experts_T(toy, batch(pass));
    ASSERT_TRUE(expert_T.eq(expert_T[0]).all().item<bool>());
    ++count_E[static_cast<std::size_t>(expert_T[0].item<std::int64_t>())];
  }
  for (const std::int64_t count : count_E) expect_count(static_cast<double>(count), kPasses, 1. / 3);
}

TEST(ThorRouter, APairIsDrawnWithReplacement) {
  ToyLayer toy("thor", shape_of({}, 2));
  int equal = 0;
  constexpr int kSteps = 600;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    toy.router().begin_step(static_cast<std::int64_t>(step));
    const at::Tensor first_T = experts_T(toy, batch(2 * step)), second_T = experts_T(toy, batch(2 * step + 1));
    equal += at::equal(first_T, second_T) ? 1 : 0;
  }
  expect_count(equal, kSteps, 0.5);
}

TEST(ThorRouter, ADistinctPairNeverAgreesAndTheSecondIsUniformAmongTheOthers) {
  for (const char* draw : {"layer", "sentence", "token"}) {
    ToyLayer toy("thor", shape_of({{"distinct_pair", true}, {"draw", std::string(draw)}}));
    double one_further = 0, pairs = 0;
    for (std::uint64_t step = 0; step < 400; ++step) {
      toy.router().begin_step(static_cast<std::int64_t>(step));
      const at::Tensor first_T = experts_T(toy, batch(2 * step)), second_T = experts_T(toy, batch(2 * step + 1));
      ASSERT_TRUE(first_T.ne(second_T).all().item<bool>()) << draw;
      one_further += (second_T - first_T).remainder(3)[0].eq(1).item<bool>() ? 1 : 0;
      ++pairs;
    }
    expect_count(one_further, pairs, 0.5);
  }
}

TEST(ThorRouter, APassThatWasNotFinishedDoesNotReachTheNextStep) {
  ToyLayer toy("thor", shape_of({{"distinct_pair", true}}, 2));
  int equal = 0;
  for (std::uint64_t step = 0; step < 40; ++step) {
    toy.router().begin_step(static_cast<std::int64_t>(step));
    const at::Tensor cut_short = experts_T(toy, batch(2 * step));
    toy.router().begin_step(static_cast<std::int64_t>(step));
    equal += at::equal(cut_short, experts_T(toy, batch(2 * step + 1))) ? 1 : 0;
  }
  EXPECT_GT(equal, 0) << "the first of a step is free to repeat";
}

TEST(ThorRouter, DrawsMayBeSharedByASentenceOrByNobody) {
  ToyLayer sentence("thor", shape_of({{"draw", std::string("sentence")}}));
  ToyLayer token("thor", shape_of({{"draw", std::string("token")}}));
  Integers count_E(3, 0);
  bool sentences_differ = false, tokens_differ = false;
  for (std::uint64_t pass = 0; pass < 100; ++pass) {
    const at::Tensor by_sentence_BL = experts_T(sentence, batch(pass)).view({4, 3});
    ASSERT_TRUE(by_sentence_BL.eq(by_sentence_BL.narrow(1, 0, 1)).all().item<bool>()) << "one for each row";
    sentences_differ |= by_sentence_BL.select(1, 0).ne(by_sentence_BL[0][0]).any().item<bool>();
    const at::Tensor by_token_BL = experts_T(token, batch(pass)).view({4, 3});
    tokens_differ |= by_token_BL.ne(by_token_BL.narrow(1, 0, 1)).any().item<bool>();
    for (const std::int64_t expert : test::integers(by_token_BL)) ++count_E[static_cast<std::size_t>(expert)];
  }
  EXPECT_TRUE(sentences_differ && tokens_differ);
  for (const std::int64_t count : count_E) expect_count(static_cast<double>(count), 1200, 1. / 3);
}

TEST(ThorRouter, ASentenceKeepsItsExpertBesidePadding) {
  ToyLayer toy("thor", shape_of({{"inference", std::string("sentence")}}));
  RouterInput padded = batch(3, RouteMode::kEvaluate);
  padded.token_id_BL = at::zeros({4, 5}, at::kLong);
  padded.cell_T = (at::arange(4, at::kLong).unsqueeze(1) * 5 + at::arange(3, at::kLong)).reshape({-1});
  EXPECT_TRUE(at::equal(experts_T(toy, padded), experts_T(toy, batch(3, RouteMode::kEvaluate))));
}

TEST(ThorRouter, EvaluationIsARepeatableDrawOrTheMeanOfAllExperts) {
  ToyLayer toy("thor", shape_of({}));
  test::randomise(toy.parameters);
  const at::Tensor first_T = experts_T(toy, batch(3, RouteMode::kEvaluate));
  EXPECT_TRUE(at::equal(first_T, experts_T(toy, batch(3, RouteMode::kEvaluate))));
  EXPECT_FALSE(at::equal(first_T, experts_T(toy, batch(4, RouteMode::kEvaluate))));

  ASSERT_EQ(toy.router().set("inference", std::string("ensemble")), "");
  const RouterInput input = batch(3, RouteMode::kEvaluate);
  const at::Tensor each_ETD =
      toy.layer->experts().forward(input.hidden_TD.repeat({3, 1}), {0, 12, 24, 36}).view({3, 12, 4});
  const MoeOutput output = toy.layer->forward(input);
  EXPECT_TRUE(close(output.delta_TD, each_ETD.mean(0), 1e-6));
  EXPECT_EQ(test::integers(output.record.load_E), Integers(3, 12));
  EXPECT_TRUE(experts_T(toy, batch(3)).numel() == 12) << "training draws all the same";
}

TEST(ThorRouter, AGivenDrawIsTaken) {
  ToyLayer toy("thor", shape_of({{"draw", std::string("sentence")}}));
  GivenDraws draws;
  draws.by_name["expert"] = at::tensor({2, 0, 1, 1}, at::kLong);
  RouterInput input = batch(1);
  input.draws = &draws;
  EXPECT_EQ(test::integers(experts_T(toy, input)), (Integers{2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
}

TEST(ThorRouter, ADrawnExpertCountsFullyAndTheOthersGetNoGradient) {
  ToyLayer toy("thor", shape_of({}));
  test::randomise(toy.parameters);
  GivenDraws draws;
  draws.by_name["expert"] = at::tensor({1}, at::kLong);
  RouterInput input = batch(1);
  input.draws = &draws;
  const MoeOutput output = toy.layer->forward(input);
  EXPECT_TRUE(close(output.delta_TD, toy.layer->experts().forward(input.hidden_TD, {0, 0, 12, 12}), 1e-6));
  output.delta_TD.sum().backward();
  EXPECT_FALSE(toy.gradient("moe.1.expert.0.w2").defined());
  EXPECT_GT(toy.gradient("moe.1.expert.1.w2").abs().sum().item<double>(), 0);
  EXPECT_FALSE(toy.gradient("moe.1.expert.2.w2").defined());
  EXPECT_TRUE(toy.router().parameters().empty()) << "there is no router";
}

TEST(ThorRouter, WarnsOfAPairThatCannotBeDistinct) {
  const std::string text =
      "[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[moe]\nmethod = \"thor\"\nnum_experts = 1\n";
  EXPECT_EQ(test::said_of(text), "");
  EXPECT_EQ(test::said_of(text + "[moe.router]\ndistinct_pair = true\n"),
            "warning: 'distinct_pair' is true, but a layer has 1 expert: both passes take it\n"
            "hint: take 2 experts or more\n");
}

}  // namespace
}  // namespace moescope::moe
