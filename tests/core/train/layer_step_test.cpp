#include "core/train/layer_step.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace moescope::train {
namespace {

TEST(LayerStep, AgreementWithTheStudentIsPerTokenWhateverTheOrderOfService) {
  moe::LayerRecord record;
  moe::SparseRouting routing;
  routing.token_N = at::tensor({2, 0, 1}, at::kLong);  // the surest token first
  routing.expert_N = at::tensor({5, 3, 4}, at::kLong);
  routing.gate_N = at::ones({3});
  record.routing.assignment = routing;
  record.routing.student_T = at::tensor({3, 4, 0}, at::kLong);
  record.load_E = record.dropped_E = at::zeros({6}, at::kLong);
  record.token_id_T = at::zeros({3}, at::kLong);
  EXPECT_FLOAT_EQ(layer_step(record).student_agreement, 2.F / 3);
}

}  // namespace
}  // namespace moescope::train
