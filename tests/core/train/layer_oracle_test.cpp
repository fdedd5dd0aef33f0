// Every method against the independent NumPy implementation of tests/oracle: outputs, routing, losses and gradients
// over random shapes, in fp64 and in fp32. A fixture is NAME.toml, NAME.in.safetensors (with the arguments of the
// `layer` verb as metadata) and NAME.out.safetensors.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/moe/method.h"
#include "core/record/safetensors.h"
#include "core/train/layer_run.h"
#include "core/train/tensor_blocks.h"

namespace moescope::train {
namespace {

const std::filesystem::path kFixtures = MOESCOPE_ORACLE_FIXTURES;
constexpr double kTolerance64 = 1e-10, kTolerance32 = 1e-5;

const bool one_thread = (at::set_num_threads(1), true);

record::SafetensorsFile read(const std::string& name) {
  auto file = record::read_safetensors((kFixtures / name).string());
  EXPECT_TRUE(file) << format(file.error());
  return *file;
}

/// "--mode train --stage 1 --backward"
LayerRequest request_of(const std::string& arguments) {
  LayerRequest request;
  std::istringstream words(arguments);
  for (std::string word; words >> word;) {
    if (word == "--backward")
      request.backward = true;
    else if (word == "--mode")
      words >> request.mode;
    else if (word == "--stage")
      words >> request.stage;
    else if (word == "--step")
      words >> request.step;
    else if (word == "--seed")
      words >> request.seed;
    else
      ADD_FAILURE() << "unknown argument " << word;
  }
  return request;
}

bool is_number(const record::TensorBlock& block) { return block.dtype == "F64" || block.dtype == "F32"; }

std::vector<record::TensorBlock> in_fp32(std::vector<record::TensorBlock> blocks) {
  for (record::TensorBlock& block : blocks) {
    if (is_number(block)) block = to_block(block.name, to_tensor(block).to(at::kFloat));
  }
  return blocks;
}

const record::TensorBlock* find(const std::vector<record::TensorBlock>& blocks, const std::string& name) {
  const auto found = std::find_if(blocks.begin(), blocks.end(), [&](const auto& one) { return one.name == name; });
  return found == blocks.end() ? nullptr : &*found;
}

/// Largest difference relative to the largest expected value.
double difference(const at::Tensor& actual, const at::Tensor& expected) {
  if (expected.numel() == 0) return 0;
  const at::Tensor far = (actual.to(at::kDouble) - expected.to(at::kDouble)).abs().max();
  return far.item<double>() / std::max(1e-3, expected.to(at::kDouble).abs().max().item<double>());
}

/// Lists sorted by (token, expert) and groups by their first member, whatever order either side has.
std::vector<record::TensorBlock> in_order(std::vector<record::TensorBlock> blocks) {
  const auto reorder = [&](const at::Tensor& place, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      for (record::TensorBlock& one : blocks) {
        if (one.name == name) one = to_block(one.name, to_tensor(one).index_select(0, place));
      }
    }
  };
  if (const record::TensorBlock* token = find(blocks, "routing.token")) {
    const at::Tensor key_N = to_tensor(*token) * 1000 + to_tensor(*find(blocks, "routing.expert"));
    reorder(key_N.argsort(), {"routing.token", "routing.expert", "routing.gate", "routing.kept"});
  }
  if (const record::TensorBlock* member = find(blocks, "routing.member")) {
    reorder(to_tensor(*member).select(1, 0).argsort(), {"routing.member", "routing.dispatch", "routing.combine"});
  }
  return blocks;
}

void expect_equal(const std::vector<record::TensorBlock>& made, const std::vector<record::TensorBlock>& expected,
                  double tolerance) {
  for (const record::TensorBlock& want : expected) {
    const at::Tensor wanted = to_tensor(want);
    const record::TensorBlock* got = find(made, want.name);
    if (got == nullptr) {
      EXPECT_TRUE(want.name.starts_with("grad.") && wanted.abs().max().item<double>() == 0)
          << want.name << " is missing";
      continue;
    }
    const at::Tensor actual = to_tensor(*got);
    ASSERT_EQ(actual.sizes(), wanted.sizes()) << want.name;
    EXPECT_LE(difference(actual, wanted), is_number(want) ? tolerance : 0) << want.name;
  }
  for (const record::TensorBlock& got : made) {  // a gradient nobody expected must be none
    if (!got.name.starts_with("grad.") || find(expected, got.name) != nullptr) continue;
    EXPECT_EQ(to_tensor(got).abs().max().item<double>(), 0) << got.name;
  }
}

class LayerOracle : public testing::TestWithParam<std::string> {};

TEST_P(LayerOracle, AgreesWithTheIndependentImplementation) {
  const auto config = config::load_run_config((kFixtures / (GetParam() + ".toml")).string(), moe::method_catalogue());
  ASSERT_TRUE(config) << format(config.error());
  const record::SafetensorsFile given = read(GetParam() + ".in.safetensors");
  const record::SafetensorsFile expected = read(GetParam() + ".out.safetensors");
  const LayerRequest request = request_of(given.metadata.at("arguments"));

  const auto in64 = run_layer(*config, request, given.blocks);
  ASSERT_TRUE(in64) << format(in64.error());
  expect_equal(in_order(*in64), in_order(expected.blocks), kTolerance64);

  const auto in32 = run_layer(*config, request, in_fp32(given.blocks));
  ASSERT_TRUE(in32) << format(in32.error());
  ASSERT_EQ(find(*in32, "output")->dtype, "F32");
  expect_equal(in_order(*in32), in_order(expected.blocks), kTolerance32);
}

std::vector<std::string> fixtures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
    // Cases named thor_loss_* have no layer; thor_objective_test.cpp reads them.
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, LayerOracle, testing::ValuesIn(fixtures()),
                         [](const testing::TestParamInfo<std::string>& one) { return one.param; });

TEST(LayerOracles, CoverEveryMethodWhoseArithmeticIsItsOwn) {
  const std::vector<std::string> names = fixtures();
  for (const char* method :
       {"base", "dselect_k", "expert_choice", "gshard", "hyperrouter", "loss_free", "mot", "noisy_topk", "remoe",
        "sigmoid_topk", "smoe", "soft_moe", "st_moe", "stablemoe", "switch", "xmoe"}) {
    const auto mine = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
      return name.starts_with(std::string(method) + "_");
    });
    EXPECT_GE(mine, 3) << method;
  }
}

}  // namespace
}  // namespace moescope::train
