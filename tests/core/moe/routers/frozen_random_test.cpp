#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::ToyLayer;
using test::ToyShape;

TEST(FrozenRandomRouter, FixtureF1RoutesAsAnyTopTwo) {
  ToyLayer toy = test::f1::layer("frozen_random");
  test::f1::expect_two_best(toy);
}

TEST(FrozenRandomRouter, NothingEverMovesTheRouter) {
  ToyLayer toy("frozen_random", ToyShape{});
  for (const Parameter& one : toy.router().parameters()) {
    EXPECT_TRUE(one.fixed) << one.name;
    EXPECT_FALSE(one.tensor.requires_grad()) << one.name;
  }
  const std::uint64_t router = checksum(toy.router().parameters()), all = checksum(toy.parameters.all());
  test::train(toy, 20);
  EXPECT_EQ(checksum(toy.router().parameters()), router);
  EXPECT_NE(checksum(toy.parameters.all()), all) << "experts learn";
}

TEST(FrozenRandomRouter, ThawingDoesNotTrainWhatIsFixedByDesign) {
  ToyLayer toy("frozen_random", ToyShape{});
  toy.router().apply({0, true, false});
  toy.router().apply({});
  for (const Parameter& one : toy.router().parameters()) EXPECT_FALSE(one.tensor.requires_grad()) << one.name;
}

TEST(FrozenRandomRouter, TheDrawIsOfTheRunSeed) {
  ToyLayer one("frozen_random", ToyShape{}), two("frozen_random", ToyShape{});
  EXPECT_TRUE(test::same_bits(one.parameter("moe.1.router.rows"), two.parameter("moe.1.router.rows")));
  EXPECT_GT(one.parameter("moe.1.router.rows").abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace moescope::moe
