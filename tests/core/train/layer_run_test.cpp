// The layer on its own: what it accepts, and what it says of what it does not.
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/train/layer_run.h"
#include "core/train/tensor_blocks.h"
#include "tests/core/model/tiny_config.h"

namespace moescope::train {
namespace {

using Blocks = std::vector<record::TensorBlock>;

std::string refusal(const Blocks& given, const LayerRequest& request = {}) {
  const auto made = run_layer(test::tiny_config("switch", {"data.tokenizer=bytes"}), request, given);
  return made ? "none" : made.error().front().message;
}

TEST(LayerRun, HiddenStatesAloneAreEnough) {
  const auto made =
      run_layer(test::tiny_config("switch", {"data.tokenizer=bytes"}), {}, {to_block("hidden", at::ones({2, 3, 16}))});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->front().name, "output");
  EXPECT_EQ(made->front().shape, (std::vector<std::int64_t>{2, 3, 16}));
}

TEST(LayerRun, EmptyHiddenStatesGiveEmptyResults) {
  LayerRequest request;
  request.backward = true;
  const auto made = run_layer(test::tiny_config("smoe", {"data.tokenizer=bytes"}), request,
                              {to_block("hidden", at::zeros({0, 3, 16}))});
  ASSERT_TRUE(made) << format(made.error());
  EXPECT_EQ(made->front().shape, (std::vector<std::int64_t>{0, 3, 16}));
}

TEST(LayerRun, EveryMistakeIsASentence) {
  const record::TensorBlock hidden = to_block("hidden", at::ones({2, 3, 16}));
  EXPECT_EQ(refusal({}), "'hidden' [B,L,D] is missing");
  EXPECT_EQ(refusal({to_block("hidden", at::ones({2, 16}))}),
            "'hidden' is [2,16], needed are numbers of the shape [B,L,16]");
  EXPECT_EQ(refusal({hidden, to_block("router.row", at::ones({4, 16}))}),
            "this layer has no 'router.row'; did you mean 'router.rows'?");
  EXPECT_EQ(refusal({hidden, to_block("router.rows", at::ones({5, 16}))}),
            "'router.rows' has the shape [5,16], this layer's has [4,16]");
  EXPECT_EQ(refusal({hidden, to_block("token_id", at::ones({2, 3}, at::kLong) * 256)}),
            "'token_id' names a token outside the vocabulary of 256");
  EXPECT_EQ(refusal({hidden, to_block("draw.jitter", at::ones({2, 2}))}),
            "the draw 'jitter' has the shape [2, 2], needed is [6, 16]");
  EXPECT_EQ(refusal({hidden, record::TensorBlock{"router.rows", "F8_E4M3", {4, 16}, std::vector<std::uint8_t>(64)}}),
            "'router.rows' is of type F8_E4M3, which is not read here; F32, F64, I64, I32, U8 and BOOL are");
  LayerRequest later;
  later.stage = 3;
  EXPECT_EQ(refusal({hidden}, later), "there is no stage 3: Switch has stages 0 to 0");
  at::Tensor bad = at::ones({2, 3, 16});
  bad[1][0][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refusal({to_block("hidden", bad)}).find("the first is token 3"), std::string::npos);
}

TEST(LayerRun, NamesListParametersStateAndDraws) {
  const auto names = layer_input_names(test::tiny_config("switch", {"data.tokenizer=bytes"}));
  const auto shape = [&](const std::string& name) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.name == name; });
    return found == names.end() ? "absent" : found->shape + " " + found->what;
  };
  EXPECT_EQ(shape("hidden"), "[B,L,16] input");
  EXPECT_EQ(shape("router.rows"), "[4,16] parameter");
  EXPECT_EQ(shape("expert.3.w2"), "[16,16] parameter");
  EXPECT_EQ(shape("draw.jitter"), "[8,16] draw");
}

}  // namespace
}  // namespace moescope::train
