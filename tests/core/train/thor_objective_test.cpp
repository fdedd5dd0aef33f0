// THOR's losses and their gradients against the independent NumPy implementation of tests/oracle. A case is
// thor_loss_NAME.in.safetensors (two passes' logits, targets, weights) and thor_loss_NAME.out.safetensors.
#include "core/moe/thor_objective.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/record/safetensors.h"
#include "core/train/tensor_blocks.h"

namespace moescope::train {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

Tensors read(const std::string& name) {
  const auto path = std::filesystem::path(MOESCOPE_ORACLE_FIXTURES) / ("thor_loss_" + name + ".safetensors");
  const auto file = record::read_safetensors(path.string());
  Tensors tensors;
  if (!file) {
    ADD_FAILURE() << format(file.error());
    return tensors;
  }
  for (const record::TensorBlock& block : file->blocks) tensors[block.name] = to_tensor(block);
  return tensors;
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const std::string& name) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
  EXPECT_LE((actual.to(at::kDouble) - expected).abs().max().item<double>(), tolerance) << name;
}

class ThorLosses : public testing::TestWithParam<std::string> {};

TEST_P(ThorLosses, AgreeWithTheIndependentImplementation) {
  const Tensors in = read(GetParam() + ".in"), out = read(GetParam() + ".out");
  for (const auto& [type, tolerance] : {std::pair{at::kDouble, 1e-12}, std::pair{at::kFloat, 2e-5}}) {
    const at::Tensor first_TV = in.at("logits_1").clone().to(type).requires_grad_();
    const at::Tensor second_TV = in.at("logits_2").clone().to(type).requires_grad_();
    const auto objective = moe::thor_objective(in.at("alpha").item<double>(), in.at("label_smoothing").item<double>());
    const moe::StepLosses losses = objective->compute(
        [&](int pass) {
          return moe::ModelPass{pass == 0 ? first_TV : second_TV, {}};
        },
        in.at("target"));
    for (const moe::LossTerm& term : losses.terms) {
      expect_near(term.value.detach(), out.at("loss." + term.name), tolerance, term.name);
    }
    expect_near(losses.total.detach(), out.at("total"), tolerance * 10, "total");
    losses.total.backward();
    expect_near(first_TV.grad(), out.at("grad.logits_1"), tolerance, "grad.logits_1");
    expect_near(second_TV.grad(), out.at("grad.logits_2"), tolerance, "grad.logits_2");
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ThorLosses, testing::Values("small", "full", "confident"),
                         [](const testing::TestParamInfo<std::string>& one) { return one.param; });

}  // namespace
}  // namespace moescope::train
