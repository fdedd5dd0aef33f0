// The device version against the scalar one, integer for integer, over sizes around the warp and chunk borders.

#include <gtest/gtest.h>

#include "kernels/permute.h"
#include "tests/kernels/device_buffer.h"
#include "tests/kernels/kernel_arrays.h"

namespace moescope::kernels {
namespace {

struct DevicePermute {
  DeviceBuffer<std::int32_t> count_E, offset_E1, slot_N, row_of_assignment_N, source_of_row_N;
  DeviceBuffer<std::uint8_t> kept_N;
  DeviceBuffer<std::uint8_t> workspace;

  DevicePermute(const PermuteArrays& start, const PermuteShape& shape)
      : count_E(start.count_E),
        offset_E1(start.offset_E1),
        slot_N(start.slot_N),
        row_of_assignment_N(start.row_of_assignment_N),
        source_of_row_N(start.source_of_row_N),
        kept_N(start.kept_N),
        workspace(std::vector<std::uint8_t>(permute_cuda_workspace_bytes(shape), 0xcd)) {}

  PermuteOutput pointers() {
    return {count_E.data(), offset_E1.data(),           kept_N.data(),
            slot_N.data(),  row_of_assignment_N.data(), source_of_row_N.data()};
  }
};

void expect_agreement(const std::vector<std::int32_t>& expert_N, const PermuteShape& shape) {
  SCOPED_TRACE("N " + std::to_string(shape.num_assignments) + ", E " + std::to_string(shape.num_experts) +
               ", capacity " + std::to_string(shape.capacity) + ", group " + std::to_string(shape.group_tokens));
  PermuteArrays expected(shape);
  DevicePermute device(expected, shape);
  permute(expert_N.data(), shape, expected.pointers());
  DeviceBuffer<std::int32_t> experts_on_device(expert_N);
  const LaunchStatus status =
      permute_cuda(experts_on_device.data(), shape, device.pointers(), device.workspace.data(), nullptr);
  ASSERT_TRUE(status.ok()) << status.where << ": " << status.what;
  EXPECT_EQ(device.count_E.read(), expected.count_E);
  EXPECT_EQ(device.offset_E1.read(), expected.offset_E1);
  EXPECT_EQ(device.kept_N.read(), expected.kept_N);
  EXPECT_EQ(device.slot_N.read(), expected.slot_N);
  EXPECT_EQ(device.row_of_assignment_N.read(), expected.row_of_assignment_N);
  EXPECT_EQ(device.source_of_row_N.read(), expected.source_of_row_N);
}

TEST(PermuteCuda, AgreesWithTheScalarVersionOverShapesAndTails) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  std::mt19937_64 random(8);
  for (const std::int64_t num_tokens : {0, 1, 31, 32, 33, 511, 512, 513, 3000}) {
    for (const std::int64_t choices : {1, 2, 3}) {
      for (const std::int32_t num_experts : {1, 3, 32, 33, 1024}) {
        for (const std::int32_t capacity : {0, 1, 50}) {
          for (const std::int64_t group_tokens : {0, 1, 100, 1024}) {
            const PermuteShape shape{num_tokens * choices, num_experts, capacity, num_tokens, group_tokens};
            expect_agreement(random_assignments(shape, random), shape);
          }
        }
      }
    }
  }
}

TEST(PermuteCuda, AgreesOnMillionsOfAssignments) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  std::mt19937_64 random(9);
  for (const std::int32_t num_experts : {7, 1024}) {
    const PermuteShape shape{3'000'001, num_experts, 3000, 3'000'001, 0};
    expect_agreement(random_assignments(shape, random), shape);
    const PermuteShape grouped{4'000'000, num_experts, 40, 2'000'000, 1000};
    expect_agreement(random_assignments(grouped, random), grouped);
  }
}

TEST(PermuteCuda, ManyTinyGroupsExceedOneGrid) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  std::mt19937_64 random(10);
  const PermuteShape shape{6'000'000, 2, 1, 6'000'000, 1};
  expect_agreement(random_assignments(shape, random), shape);
}

TEST(PermuteCuda, ACollapsedRouterIsOnlyTheSlowestCase) {
  if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  const PermuteShape shape{100'000, 64, 0, 50'000, 0};
  expect_agreement(std::vector<std::int32_t>(100'000, 63), shape);
}

}  // namespace
}  // namespace moescope::kernels
