// What may be seen from where: both ways in masked models and classifiers, the past alone in a decoder, padding never.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <set>

#include "core/model/classifier.h"
#include "core/model/document_stream.h"
#include "core/model/pair_stream.h"
#include "core/model/translator.h"
#include "tests/core/model/tiny_config.h"
#include "tests/core/model/tiny_pairs.h"

namespace moescope {
namespace {

using moe::RouteMode;

config::RunConfig config_of(const std::string& objective, std::vector<std::string> more = {}) {
  more.push_back("model.objective=" + objective);
  if (objective == "translation") more.push_back("data.corpus=synthetic_pairs");
  return test::tiny_config("smoe", more);
}

std::unique_ptr<model::Model> model_of(const config::RunConfig& config, const corpus::Corpus& corpus) {
  return model::make_model(config, *moe::find_method(config.moe.method), model::vocabulary_of(config, corpus));
}

bool alike(const at::Tensor& one, const at::Tensor& other) { return at::allclose(one, other, 1e-4, 1e-5); }

/// The grid with `columns` more of padding; what they hold must not matter.
void add_padding(at::Tensor& tokens_BL, at::Tensor& cell_T, std::int64_t columns, std::int64_t holds) {
  const std::int64_t B = tokens_BL.size(0), L = tokens_BL.size(1);
  if (!cell_T.defined()) cell_T = at::arange(B * L, at::kLong);
  cell_T = cell_T.div(L, "floor") * (L + columns) + cell_T.remainder(L);
  tokens_BL = at::cat({tokens_BL, at::full({B, columns}, holds, at::kLong)}, 1);
}

class Positions : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<std::string> fields() const { return {"model.positions=" + GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(Seeing, Positions, ::testing::Values("learned", "rotary"),
                         [](const auto& chosen) { return chosen.param; });

TEST_P(Positions, AMaskedModelSeesBothWaysAndNotIntoOtherSequences) {
  const auto corpus = test::tiny_corpus();
  const config::RunConfig config = config_of("masked_lm", fields());
  const auto model = model_of(config, *corpus);
  EXPECT_EQ(model->vocab_size(), test::kTinyVocab + 4);
  const c10::AutoGradMode no_gradient(false);
  const at::Tensor before_BL = model::fixed_batches(corpus->valid, 2, 16, 1).front().tokens_BL;
  const at::Tensor after_BL = before_BL.clone();
  after_BL.select(0, 0).select(0, 11).fill_(corpus->special.mask);
  const auto logits = [&](const at::Tensor& tokens_BL) {
    return model->forward({tokens_BL, {}}, RouteMode::kProbe, 0).logits_TV;
  };
  const at::Tensor one = logits(before_BL), other = logits(after_BL);
  for (const std::int64_t position : {0, 5, 10, 12, 15}) {
    EXPECT_FALSE(alike(one.select(0, position), other.select(0, position))) << position;
  }
  EXPECT_TRUE(alike(one.narrow(0, 16, 16), other.narrow(0, 16, 16)));
  EXPECT_FALSE(model->next_token_logits(before_BL.narrow(0, 0, 1), RouteMode::kEvaluate).defined());
}

TEST_P(Positions, PaddingChangesNothingForAClassifier) {
  const auto corpus = test::tiny_classes();
  const auto model = model_of(config_of("classification", fields()), *corpus);
  const c10::AutoGradMode no_gradient(false);
  model::Batch batch = model::document_batch(corpus->valid, {0, 1, 2, 3}, 12, corpus->special.pad);
  const moe::ModelPass before = model->forward(batch, RouteMode::kTrain, 7);
  ASSERT_EQ(before.logits_TV.sizes().vec(), (std::vector<std::int64_t>{4, 2}));
  add_padding(batch.tokens_BL, batch.cell_T, 3, 5);
  const moe::ModelPass after = model->forward(batch, RouteMode::kTrain, 7);
  EXPECT_TRUE(alike(before.logits_TV, after.logits_TV));
  for (std::size_t l = 0; l < before.layers.size(); ++l) {
    EXPECT_TRUE(before.layers[l].load_E.equal(after.layers[l].load_E)) << "padding is not routed";
    EXPECT_TRUE(before.layers[l].token_id_T.equal(after.layers[l].token_id_T));
  }
}

TEST_P(Positions, PaddingChangesNothingForAMaskedModel) {
  const auto corpus = test::tiny_corpus();
  const auto model = model_of(config_of("masked_lm", fields()), *corpus);
  const c10::AutoGradMode no_gradient(false);
  model::Batch batch{model::fixed_batches(corpus->valid, 3, 10, 1).front().tokens_BL, {}};
  const at::Tensor before = model->forward(batch, RouteMode::kTrain, 7).logits_TV;
  add_padding(batch.tokens_BL, batch.cell_T, 4, corpus->special.pad);
  EXPECT_TRUE(alike(before, model->forward(batch, RouteMode::kTrain, 7).logits_TV));
}

TEST_P(Positions, PaddingChangesNothingForATranslator) {
  const auto corpus = test::tiny_pairs();
  for (const char* norm : {"pre", "post"}) {
    std::vector<std::string> more = fields();
    more.push_back(std::string("model.norm=") + norm);
    more.push_back("moe.capacity_factor=1");
    const auto model = model_of(config_of("translation", more), *corpus);
    const c10::AutoGradMode no_gradient(false);
    model::Batch batch = model::pair_batch(*corpus, corpus->valid_pairs, {0, 1, 2, 3, 4});
    const moe::ModelPass before = model->forward(batch, RouteMode::kTrain, 7);
    ASSERT_EQ(before.logits_TV.size(0), batch.target_T.size(0));
    ASSERT_EQ(before.layers.size(), 4U) << "two of the encoder, two of the decoder";
    add_padding(batch.tokens_BL, batch.cell_T, 3, 1);
    add_padding(batch.source_BL, batch.source_cell_T, 5, 1);
    const moe::ModelPass after = model->forward(batch, RouteMode::kTrain, 7);
    EXPECT_TRUE(alike(before.logits_TV, after.logits_TV));
    for (std::size_t l = 0; l < 4; ++l) {
      EXPECT_TRUE(before.layers[l].load_E.equal(after.layers[l].load_E));
      EXPECT_EQ(before.layers[l].capacity.slots, after.layers[l].capacity.slots);
    }
  }
}

TEST_P(Positions, ADecoderSeesItsPastAndTheWholeSource) {
  const auto corpus = test::tiny_pairs();
  const auto model = model_of(config_of("translation", fields()), *corpus);
  const c10::AutoGradMode no_gradient(false);
  model::Batch batch = model::pair_batch(*corpus, corpus->valid_pairs, {0});
  const std::int64_t L = batch.tokens_BL.size(1);
  const auto logits = [&] { return model->forward(batch, RouteMode::kProbe, 0).logits_TV; };
  const auto change = [](at::Tensor& tokens_1L, std::int64_t position) {
    tokens_1L = tokens_1L.clone();
    at::Tensor one = tokens_1L.select(0, 0).select(0, position);
    one.copy_((one + 1).remainder(test::kWords));
  };
  const at::Tensor before = logits();
  model::Batch kept = batch;
  change(batch.tokens_BL, 3);
  const at::Tensor after = logits();
  EXPECT_TRUE(alike(before.narrow(0, 0, 3), after.narrow(0, 0, 3)));
  for (std::int64_t l = 3; l < L; ++l) EXPECT_FALSE(alike(before.select(0, l), after.select(0, l))) << l;
  batch = kept;
  change(batch.source_BL, 4);
  const at::Tensor other_source = logits();
  for (std::int64_t l = 0; l < L; ++l) EXPECT_FALSE(alike(before.select(0, l), other_source.select(0, l))) << l;
}

TEST(Translator, ATraceTellsWhichSideALayerSees) {
  const auto corpus = test::tiny_pairs();
  const auto model = model_of(config_of("translation"), *corpus);
  const c10::AutoGradMode no_gradient(false);
  const model::Batch batch = model::pair_batch(*corpus, corpus->valid_pairs, {0, 1, 2});
  const model::RoutingTrace trace = model->route(batch, RouteMode::kProbe);
  const std::int64_t sources = batch.source_cell_T.defined() ? batch.source_cell_T.numel() : batch.source_BL.numel();
  EXPECT_EQ(trace.first_token_L, (std::vector<std::int64_t>{0, 0, sources, sources}));
  EXPECT_EQ(trace.hidden_LTD[1].size(0), sources);
  EXPECT_EQ(trace.hidden_LTD[2].size(0), batch.num_tokens() - sources);
  const moe::ModelPass pass = model->forward(batch, RouteMode::kProbe, 0);
  for (std::size_t l = 0; l < 4; ++l) {
    EXPECT_TRUE(trace.routing_L[l].sparse()->expert_N.equal(pass.layers[l].routing.sparse()->expert_N));
  }
}

TEST(Translator, NamesItsHalvesAndNumbersItsLayersThrough) {
  const auto corpus = test::tiny_pairs();
  const auto model = model_of(config_of("translation", {"moe.placement=ffn"}), *corpus);
  std::set<std::string> names;
  for (const moe::Parameter& parameter : model->parameters().all()) names.insert(parameter.name);
  for (const char* name : {"embedding.token", "encoder.block.1.attention.qkv.weight", "decoder.block.3.ffn.w1",
                           "decoder.block.1.cross.query.weight", "encoder.final_norm.weight", "moe.4.expert.3.w1"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_FALSE(names.contains("encoder.block.1.cross.query.weight"));
  EXPECT_FALSE(names.contains("encoder.block.1.ffn.w1")) << "an MoE layer is there instead";
  EXPECT_EQ(model->vocab_size(), test::kWords + 6);
}

TEST(MakeModel, CausalModelsHaveNoSpecialSymbols) {
  const auto corpus = test::tiny_corpus();
  EXPECT_EQ(model_of(config_of("causal_lm"), *corpus)->vocab_size(), test::kTinyVocab);
}

TEST(Flops, CountHalfTheContextWhereAttentionIsCausal) {
  const auto corpus = test::tiny_corpus();
  const auto causal = model_of(config_of("causal_lm"), *corpus), masked = model_of(config_of("masked_lm"), *corpus);
  // Three blocks of width 16 look at 8 more of 16 positions, twice (queries with keys, weights with values); the head
  // has four more rows.
  EXPECT_EQ(masked->flops_per_token(1) - causal->flops_per_token(1), 2 * (3 * 2 * 8 * 16 + 4 * 16));
}

}  // namespace
}  // namespace moescope
