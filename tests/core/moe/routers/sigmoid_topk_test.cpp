#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

ToyLayer f1_sigmoid(SettingMap settings = {}) {
  ToyShape shape = test::f1::shape();
  shape.settings = std::move(settings);
  return test::f1::layer("sigmoid_topk", shape);
}

/// σ of the two best scores of F1, first choices, then second ones.
at::Tensor open_N() { return at::sigmoid(test::matrix({1, 1, 1, 2, 2, 2.125, 0, .25, .5, 1.5, 0, .5}, 0)); }

TEST(SigmoidTopkRouter, FixtureF1SharesOneAmongTheChosen) {
  ToyLayer toy = f1_sigmoid();
  const SparseRouting sparse = *toy.router().route(test::f1::input()).sparse();
  EXPECT_EQ(test::integers(sparse.expert_N), test::f1::two_best()) << "the order of sigmoids is that of scores";
  const at::Tensor open_KT = open_N().reshape({2, 6});
  EXPECT_TRUE(close(sparse.gate_N, (open_KT / open_KT.sum(0)).reshape({-1}), 1e-12));
}

TEST(SigmoidTopkRouter, RawGatesDoNotCompete) {
  ToyLayer toy = f1_sigmoid({{"normalised", false}});
  EXPECT_TRUE(close(toy.router().route(test::f1::input()).sparse()->gate_N, open_N(), 1e-12));
  ASSERT_EQ(toy.router().set("normalised", true), "");
  EXPECT_FALSE(close(toy.router().route(test::f1::input()).sparse()->gate_N, open_N(), 1e-3));
}

TEST(SigmoidTopkRouter, OneRawChoiceStillTrainsItsRowAndOneNormalisedDoesNot) {
  for (const bool normalised : {false, true}) {
    ToyLayer toy = f1_sigmoid({{"top_k", std::int64_t{1}}, {"normalised", normalised}});
    toy.layer->forward(test::f1::input()).delta_TD.sum().backward();
    const double reached = toy.gradient("moe.1.router.rows").abs().sum().item<double>();
    if (normalised) {
      EXPECT_LT(reached, 1e-12);
    } else {
      EXPECT_GT(reached, 0.1);
    }
  }
}

TEST(SigmoidTopkRouter, TheBalanceLossIsThereWhenAskedFor) {
  ToyLayer toy = f1_sigmoid({{"top_k", std::int64_t{1}}, {"normalised", false}});
  EXPECT_TRUE(toy.router().route(test::f1::input()).losses.empty());
  ASSERT_EQ(toy.router().set("balance_coefficient", 0.5), "");
  EXPECT_NEAR(test::loss_of(toy.router().route(test::f1::input()), "balance").value.item<double>(), 1.058607, 1e-6);
}

TEST(SigmoidTopkChecks, OneNormalisedChoiceIsPointedAt) {
  const std::string head = "[moe]\nmethod = \"sigmoid_topk\"\n[moe.router]\ntop_k = 1\n";
  EXPECT_EQ(test::said_of(head),
            "warning: 'top_k' is 1 and the gate is normalised: a gate over itself is always 1, so the router gets no "
            "gradient from the task and never learns\nhint: set normalised = false, or top_k to 2 or more\n");
  EXPECT_EQ(test::said_of(head + "normalised = false\n"), "");
}

}  // namespace
}  // namespace moescope::moe
