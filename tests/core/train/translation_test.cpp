#include "core/train/translation_eval.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/model/beam_search.h"
#include "core/model/pair_stream.h"
#include "core/train/evaluation.h"
#include "tests/core/model/tiny_pairs.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

config::RunConfig translation(const std::string& method, std::vector<std::string> more = {}) {
  for (const char* one : {"model.objective=translation", "data.corpus=synthetic_pairs", "model.num_layers=2",
                          "model.d_model=32", "moe.layers=1", "train.batch_size=32", "train.schedule=constant"}) {
    more.insert(more.begin(), one);
  }
  return test::tiny_config(method, more);
}

train::TrainerHooks hooks_of(std::shared_ptr<const corpus::Corpus> corpus) {
  train::TrainerHooks hooks;
  hooks.corpus = std::move(corpus);
  return hooks;
}

/// What keeps a run from starting.
std::string refusal(const config::RunConfig& config, std::shared_ptr<const corpus::Corpus> corpus) {
  try {
    const Harness run(config, true, hooks_of(std::move(corpus)));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it starts";
}

TEST(Translation, ATinyTaskIsLearntByHeart) {
  const auto corpus = test::tiny_pairs();
  Harness run(
      translation("smoe", {"train.steps=300", "train.lr=6e-3", "train.validate_every=100", "decode.sentences=64"}),
      true, hooks_of(corpus));
  run.steps(300);
  EXPECT_LT(run.frames.back()->validation_loss, 0.2);
  auto& model = dynamic_cast<model::Translator&>(run.trainer->model());
  config::DecodeConfig decode;
  decode.sentences = 64;
  const train::TranslationScores found = train::evaluate_translation(model, *corpus, decode);
  ASSERT_EQ(found.scores.size(), 3U);
  EXPECT_GT(found.scores[0].bleu, 90);
  EXPECT_EQ(found.scores[0].num_pairs, 64);
  EXPECT_EQ(found.scores[1].language, "copy");
  EXPECT_EQ(found.scores[2].num_pairs, 32);
  EXPECT_FALSE(found.signature.empty());

  std::vector<std::string> notices;
  for (const telemetry::Event& event : run.frames.back()->events) notices.push_back(event.text);
  ASSERT_EQ(notices.size(), 1U) << "the last step tells what was reached";
  EXPECT_EQ(notices[0].rfind("bleu ", 0), 0U) << notices[0];
  EXPECT_NE(notices[0].find("bleu.reverse "), std::string::npos) << notices[0];

  const std::string source = corpus->valid_pairs.source_text_P[0];
  const bus::Reply reply = run.send(test::with_text(CommandKind::kProbeSentence, source));
  ASSERT_TRUE(reply.done) << reply.text;
  EXPECT_EQ(reply.sentence->continuation.rfind("copy: " + source + " · reverse: ", 0), 0U)
      << reply.sentence->continuation;
}

TEST(Translation, BeamsOfATrainedModelScoreNoWorseThanGreedy) {
  const auto corpus = test::tiny_pairs();
  Harness run(translation("switch", {"train.lr=6e-3", "moe.capacity_factor=0"}), false, hooks_of(corpus));
  run.steps(50);
  auto& model = dynamic_cast<model::Translator&>(run.trainer->model());
  std::vector<std::vector<std::int64_t>> rows;
  for (std::int64_t pair = 0; pair < 20; ++pair) {
    rows.push_back(model::source_row(*corpus, model::source_of(corpus->probe_pairs, pair), 0));
  }
  const auto greedy = model::beam_search(model, rows, {1, 1}), beam = model::beam_search(model, rows, {6, 1});
  double sum_greedy = 0, sum_beam = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    sum_greedy += greedy[r].score;
    sum_beam += beam[r].score;
  }
  EXPECT_GT(sum_beam, sum_greedy);
}

class EveryMethodTranslates : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethodTranslates, HasTheSameBitsWatchedOrNotAndFillsTheProbe) {
  const auto corpus = test::tiny_pairs();
  const config::RunConfig config = translation(GetParam(), {"train.batch_size=8"});
  Harness plain(config, false, hooks_of(corpus)), watched(config, true, hooks_of(corpus));
  plain.steps(12);
  bus::Command watch = test::command(CommandKind::kWatch);
  watch.wants = {true, ~std::uint64_t{0}};
  watched.send(watch);
  watched.steps(6);
  EXPECT_TRUE(watched.send(test::with_text(CommandKind::kProbeSentence, "w1 w2 w3 w4")).done);
  watched.steps(6);
  EXPECT_EQ(plain.checksum(), watched.checksum());
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(plain.loss(i), watched.loss(i));

  const auto info = watched.channels->runs.try_pop();
  ASSERT_TRUE(info.has_value());
  const std::vector<telemetry::ProbeToken>& tokens = (*info)->probe;
  ASSERT_FALSE(tokens.empty());
  EXPECT_EQ(tokens.front().text, "<" + corpus->labels[static_cast<std::size_t>(tokens.front().label)] + ">");
  std::size_t sources = 0;
  while (sources < tokens.size() && tokens[sources].text != "<begin>") ++sources;
  EXPECT_EQ(tokens[sources - 1].text, "<end>");
  const telemetry::ProbeSnapshot& probe = *watched.frames[4]->probe;
  ASSERT_EQ(probe.layers.size(), 2U);
  for (std::size_t l = 0; l < 2; ++l) {
    const telemetry::LayerProbe& layer = probe.layers[l];
    const auto K = static_cast<std::size_t>(layer.top_k);
    ASSERT_EQ(layer.expert_TK.size(), tokens.size() * K);
    ASSERT_EQ(layer.margin_T.size(), tokens.size());
    std::size_t own = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const bool on_its_side = (t < sources) == (l == 0);
      if (!on_its_side) EXPECT_EQ(layer.expert_TK[t * K], -1) << "layer " << l << ", token " << t;
      own += on_its_side && layer.expert_TK[t * K] >= 0;
    }
    EXPECT_GT(own, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Translation, EveryMethodTranslates, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST(Translation, LabelSmoothingReachesTheLoss) {
  const auto corpus = test::tiny_pairs();
  Harness plain(translation("dense"), false, hooks_of(corpus));
  Harness smooth(translation("dense", {"train.label_smoothing=0.1"}), false, hooks_of(corpus));
  plain.steps(1);
  smooth.steps(1);
  EXPECT_NE(plain.loss(0), smooth.loss(0));
}

TEST(Translation, RefusesWhatItCannotLearnFrom) {
  EXPECT_EQ(refusal(translation("smoe"), test::tiny_corpus()),
            "--set data.corpus=synthetic_pairs: the corpus 'tiny' holds no sentence pairs, but 'objective' is "
            "\"translation\"; corpora with pairs are catalogs, synthetic_pairs and a source with its target");
  auto long_pairs = std::make_shared<corpus::Corpus>(*test::tiny_pairs());
  long_pairs->train_pairs.source_tokens.assign(40, 1);
  long_pairs->train_pairs.target_tokens.assign(40, 1);
  long_pairs->train_pairs.source_begin_P = long_pairs->train_pairs.target_begin_P = {0, 40};
  long_pairs->train_pairs.label_P = {0};
  EXPECT_EQ(refusal(translation("smoe"), long_pairs),
            "tiny.toml: 'context' is 16, but the shortest sentence pair takes 42 positions; set context to 42 or more; "
            "longer pairs are left out");
}

TEST(Translation, TellsHowManyPairsAreTooLong) {
  Harness run(translation("smoe", {"model.context=8"}), true, hooks_of(test::tiny_pairs()));
  EXPECT_EQ(run.trainer->material().notes.back().substr(2),
            " of 64 training pairs are longer than the context of 8 and left out");
}

TEST(Translation, TheStepsTokensAreThoseOfBothSides) {
  Harness run(translation("smoe"), true, hooks_of(test::tiny_pairs()));
  const auto info = run.channels->runs.try_pop();
  ASSERT_TRUE(info.has_value());
  EXPECT_NEAR((*info)->tokens_per_step, 32 * (5.5 + 2 + 5.5 + 1), 20);
}

}  // namespace
}  // namespace moescope
