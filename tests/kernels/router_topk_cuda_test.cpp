// The device version against the scalar one: choices, bad rows and masks exactly, floats to a stated tolerance (the
// sums run in another order and the device has its own exp and log).

#include <gtest/gtest.h>

#include "kernels/router_topk.h"
#include "tests/kernels/device_buffer.h"
#include "tests/kernels/kernel_arrays.h"

namespace moescope::kernels {
namespace {

constexpr float kTolerance = 4e-6f;

struct DeviceRouter {
  DeviceBuffer<float> probs_TE, entropy_T, margin_T, selection_margin_T;
  DeviceBuffer<std::int32_t> expert_TK;
  DeviceBuffer<BadRows> bad_rows{1};

  explicit DeviceRouter(const RouterArrays& start)
      : probs_TE(start.probs_TE),
        entropy_T(start.entropy_T),
        margin_T(start.margin_T),
        selection_margin_T(start.selection_margin_T),
        expert_TK(start.expert_TK) {}

  RouterTopkOutput pointers() {
    return {probs_TE.data(), expert_TK.data(), entropy_T.data(), margin_T.data(), selection_margin_T.data()};
  }
};

void expect_near(const std::vector<float>& expected, const std::vector<float>& got, const char* what) {
  ASSERT_EQ(expected.size(), got.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == got[i]) continue;  // infinities
    ASSERT_NEAR(expected[i], got[i], kTolerance) << what << " at " << i;
  }
}

void expect_agreement(const std::vector<float>& scores, const RouterTopkShape& shape) {
  SCOPED_TRACE("T " + std::to_string(shape.num_tokens) + ", E " + std::to_string(shape.num_experts) + ", K " +
               std::to_string(shape.top_k));
  RouterArrays expected(shape);
  DeviceRouter device(expected);
  const BadRows expected_bad = router_topk(scores.data(), shape, expected.pointers(), 0, shape.num_tokens);
  DeviceBuffer<float> scores_on_device(scores);
  const LaunchStatus status =
      router_topk_cuda(scores_on_device.data(), shape, device.pointers(), device.bad_rows.data(), nullptr);
  ASSERT_TRUE(status.ok()) << status.where << ": " << status.what;
  const BadRows bad = device.bad_rows.read().front();
  EXPECT_EQ(bad.count, expected_bad.count);
  EXPECT_EQ(bad.first, expected_bad.first);
  EXPECT_EQ(device.expert_TK.read(), expected.expert_TK);
  expect_near(expected.probs_TE, device.probs_TE.read(), "probability");
  expect_near(expected.entropy_T, device.entropy_T.read(), "entropy");
  expect_near(expected.margin_T, device.margin_T.read(), "margin");
  expect_near(expected.selection_margin_T, device.selection_margin_T.read(), "selection margin");
}

TEST(RouterTopkCuda, AgreesWithTheScalarVersionOverShapesAndTails) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  std::mt19937_64 random(5);
  for (const std::int64_t num_tokens : {0, 1, 7, 8, 9, 300, 2048}) {
    for (const std::int32_t num_experts : {1, 2, 3, 31, 32, 33, 64, 100, 1024}) {
      for (const std::int32_t top_k : {1, 2, 8, num_experts}) {
        if (top_k > num_experts || num_tokens * top_k > 100000) continue;
        const RouterTopkShape shape{num_tokens, num_experts, top_k};
        expect_agreement(random_scores(shape, random), shape);
      }
    }
  }
}

TEST(RouterTopkCuda, ARepeatedCallGivesTheSameBits) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  std::mt19937_64 random(6);
  const RouterTopkShape shape{1000, 96, 4};
  DeviceBuffer<float> scores(random_scores(shape, random));
  const RouterArrays blank(shape);
  DeviceRouter first(blank);
  DeviceRouter second(blank);
  ASSERT_TRUE(router_topk_cuda(scores.data(), shape, first.pointers(), first.bad_rows.data(), nullptr).ok());
  ASSERT_TRUE(router_topk_cuda(scores.data(), shape, second.pointers(), second.bad_rows.data(), nullptr).ok());
  EXPECT_EQ(first.probs_TE.read(), second.probs_TE.read());
  EXPECT_EQ(first.entropy_T.read(), second.entropy_T.read());
  EXPECT_EQ(first.expert_TK.read(), second.expert_TK.read());
}

}  // namespace
}  // namespace moescope::kernels
