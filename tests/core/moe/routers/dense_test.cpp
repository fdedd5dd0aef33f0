#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::input_of;
using test::ToyLayer;
using test::ToyShape;

ToyShape sized(const std::string& size) {
  ToyShape shape;
  shape.settings = {{"size", size}};
  return shape;
}

TEST(DenseRouter, IsOneExpertOfOneExpertsWidthOrOfAllTogether) {
  EXPECT_EQ(ToyLayer("dense", sized("flops")).parameter("moe.1.expert.0.w1").sizes(), (at::IntArrayRef{5, 4}));
  ToyLayer wide("dense", sized("wide"));
  EXPECT_EQ(wide.parameter("moe.1.expert.0.w1").sizes(), (at::IntArrayRef{15, 4}));
  EXPECT_EQ(wide.layer->experts().num_experts(), 1);
}

TEST(DenseRouter, SendsEveryTokenThroughWithGateOne) {
  ToyLayer toy("dense", sized("flops"));
  const MoeOutput output = toy.layer->forward(input_of(test::draws({6, 4}, 1)));
  EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>{6}));
  EXPECT_TRUE(output.record.routing.sparse()->gate_N.eq(1).all().item<bool>());
  EXPECT_TRUE(toy.router().parameters().empty());
}

}  // namespace
}  // namespace moescope::moe
