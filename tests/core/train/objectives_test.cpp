// Masked language modelling, classification, and starting from an earlier run's weights.
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "core/record/safetensors.h"
#include "core/train/evaluation.h"
#include "core/train/messages.h"
#include "core/train/weights_file.h"
#include "tests/core/model/tiny_pairs.h"
#include "tests/core/record/scratch_folder.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

train::TrainerHooks hooks_of(std::shared_ptr<const corpus::Corpus> corpus) {
  train::TrainerHooks hooks;
  hooks.corpus = std::move(corpus);
  return hooks;
}

config::RunConfig objective(const std::string& name, std::vector<std::string> more = {},
                            const std::string& method = "smoe") {
  more.insert(more.begin(), "model.objective=" + name);
  return test::tiny_config(method, more);
}

std::string refusal(const config::RunConfig& config, std::shared_ptr<const corpus::Corpus> corpus) {
  try {
    const Harness run(config, true, hooks_of(std::move(corpus)));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it starts";
}

TEST(MaskedLm, LearnsWithTheSameBitsWatchedOrNot) {
  const config::RunConfig config = objective("masked_lm", {"train.batch_size=16"});
  Harness plain(config, false, hooks_of(test::tiny_corpus())), watched(config, true, hooks_of(test::tiny_corpus()));
  plain.steps(60);
  bus::Command watch = test::command(CommandKind::kWatch);
  watch.wants = {true, ~std::uint64_t{0}};
  watched.send(watch);
  watched.steps(30);
  const bus::Reply reply = watched.send(test::with_text(CommandKind::kProbeSentence, "what stands here"));
  EXPECT_TRUE(reply.done);
  EXPECT_TRUE(reply.sentence->continuation.empty()) << "a masked model does not go on";
  watched.steps(30);
  EXPECT_EQ(plain.checksum(), watched.checksum());
  EXPECT_LT(plain.frames[59]->validation_loss, plain.frames[19]->validation_loss);
  EXPECT_EQ(plain.frames[59]->validation_loss, watched.frames[59]->validation_loss);
}

TEST(MaskedLm, TheProbeReadsTextWithNothingHidden) {
  Harness run(objective("masked_lm"), true, hooks_of(test::tiny_corpus()));
  const auto info = run.channels->runs.try_pop();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ((*info)->probe.size(), 64U);
  for (const telemetry::ProbeToken& token : (*info)->probe) EXPECT_LT(token.id, test::kTinyVocab);
}

class Weights : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  /// A run of `config` after some steps, and its weights in the file `name`.
  std::unique_ptr<Harness> saved(const config::RunConfig& config, std::shared_ptr<const corpus::Corpus> corpus,
                                 const std::string& name) {
    auto run = std::make_unique<Harness>(config, false, hooks_of(std::move(corpus)));
    run->steps(10);
    EXPECT_TRUE(run->send(test::with_text(CommandKind::kSaveWeights, path(name))).done);
    return run;
  }

  std::string without_folder(std::string text) const {
    const std::string folder = folder_.path();
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.replace(at, folder.size(), "DIR");
    }
    return text;
  }

  record::ScratchFolder folder_;
};

TEST_F(Weights, ARunStartsWhereAnotherEnded) {
  const auto corpus = test::tiny_corpus();
  const auto first = saved(objective("masked_lm"), corpus, "first.safetensors");
  Harness second(objective("masked_lm", {"model.init_from=" + path("first.safetensors"), "seed=9"}), false,
                 hooks_of(corpus));
  EXPECT_EQ(first->checksum(), second.checksum());
  EXPECT_EQ(without_folder(second.trainer->material().notes.back()),
            "started from DIR/first.safetensors: " + std::to_string(second.trainer->model().parameters().all().size()) +
                " tensors loaded");
}

TEST_F(Weights, ARunFolderStandsForItsFinalWeights) {
  const auto corpus = test::tiny_corpus();
  std::filesystem::create_directory(path("run"));
  const auto first = saved(objective("masked_lm"), corpus, "run/final.safetensors");
  Harness second(objective("masked_lm", {"model.init_from=" + path("run"), "seed=9"}), false, hooks_of(corpus));
  EXPECT_EQ(first->checksum(), second.checksum());
  std::filesystem::create_directory(path("empty"));
  EXPECT_EQ(without_folder(refusal(objective("masked_lm", {"model.init_from=" + path("empty")}), corpus)),
            "--set model.init_from=DIR/empty: 'init_from': the folder 'DIR/empty' holds no final.safetensors; a run "
            "writes it when it ends; name a safetensors file instead");
}

TEST_F(Weights, AnotherShapeIsNamedAndNothingChanges) {
  const auto corpus = test::tiny_corpus();
  saved(objective("masked_lm"), corpus, "first.safetensors");
  const std::string from = "model.init_from=" + path("first.safetensors");
  const std::string told = without_folder(refusal(objective("masked_lm", {from, "moe.expert_hidden=8"}), corpus));
  EXPECT_NE(told.find("'moe.1.expert.0.w1' is 16 × 16 in DIR/first.safetensors, but 8 × 16 in this run"),
            std::string::npos)
      << told;
  Harness other(objective("masked_lm", {"moe.expert_hidden=8"}), false, hooks_of(corpus));
  const std::uint64_t before = other.checksum();
  EXPECT_FALSE(train::load_weights(path("first.safetensors"), other.trainer->model()));
  EXPECT_EQ(other.checksum(), before);
}

TEST_F(Weights, AFileWithoutAnyFittingNameIsRefused) {
  const record::TensorBlock stray{"stray", "F32", {1}, {0, 0, 0, 0}};
  ASSERT_TRUE(record::write_safetensors(path("stray.safetensors"), {stray}, {}));
  EXPECT_EQ(
      without_folder(
          refusal(objective("masked_lm", {"model.init_from=" + path("stray.safetensors")}), test::tiny_corpus())),
      "--set model.init_from=DIR/stray.safetensors: 'init_from': nothing in DIR/stray.safetensors has the name of "
      "a tensor of this run; it holds stray");
}

TEST_F(Weights, OtherMethodsTakeWhatHasTheSameName) {
  const auto corpus = test::tiny_corpus();
  const auto first = saved(objective("masked_lm", {"moe.placement=inserted"}, "switch"), corpus, "first.safetensors");
  Harness second(
      objective("masked_lm", {"model.init_from=" + path("first.safetensors"), "moe.placement=inserted"}, "stablemoe"),
      false, hooks_of(corpus));
  const std::string note = second.trainer->material().notes.back();
  EXPECT_NE(note.find(" left fresh (moe.1.router."), std::string::npos) << note;
  EXPECT_EQ(first->checksum("block."), second.checksum("block."));
  EXPECT_EQ(first->checksum("moe.1.expert."), second.checksum("moe.1.expert."));
}

/// Antoniak et al. 2023: a mixture of tokens goes on as token choice, its controller as the router.
TEST_F(Weights, AMixtureOfTokensGoesOnAsTokenChoice) {
  const auto corpus = test::tiny_corpus();
  const auto first = saved(objective("causal_lm", {}, "mot"), corpus, "first.safetensors");
  const std::string from = "model.init_from=" + path("first.safetensors");
  Harness second(objective("causal_lm", {from, "moe.placement=ffn"}, "switch"), false, hooks_of(corpus));
  const auto rows = [](Harness& run) {
    return run.trainer->model().parameters().with_prefix("moe.2.router.rows").front().tensor;
  };
  EXPECT_TRUE(rows(*first).equal(rows(second)));
}

TEST_F(Weights, ExactWeightsFitOnBothSidesOrThrow) {
  const auto corpus = test::tiny_corpus();
  const auto first = saved(objective("masked_lm"), corpus, "first.safetensors");
  Harness same(objective("masked_lm", {"seed=9"}), false, hooks_of(corpus));
  train::load_exact_weights(path("first.safetensors"), same.trainer->model());
  EXPECT_EQ(first->checksum(), same.checksum());
  Harness deeper(objective("masked_lm", {"model.num_layers=4"}), false, hooks_of(corpus));
  EXPECT_THROW(train::load_exact_weights(path("first.safetensors"), deeper.trainer->model()), std::runtime_error);
  Harness flatter(objective("masked_lm", {"model.num_layers=2"}), false, hooks_of(corpus));
  EXPECT_THROW(train::load_exact_weights(path("first.safetensors"), flatter.trainer->model()), std::runtime_error);
}

TEST_F(Weights, APinnedTableIsSavedAndRestored) {
  const auto corpus = test::tiny_corpus();
  auto first = std::make_unique<Harness>(objective("masked_lm"), false, hooks_of(corpus));
  first->steps(5);
  ASSERT_TRUE(first->send(test::on_layer(CommandKind::kPinAssignment, 0)).done);
  ASSERT_TRUE(first->send(test::with_text(CommandKind::kSaveWeights, path("pinned.safetensors"))).done);
  Harness again(objective("masked_lm", {"seed=9"}), false, hooks_of(corpus));
  EXPECT_FALSE(again.trainer->model().layers()[0].router().has_table());
  train::load_exact_weights(path("pinned.safetensors"), again.trainer->model());
  EXPECT_TRUE(again.trainer->model().layers()[0].router().has_table());
  EXPECT_FALSE(again.trainer->model().layers()[1].router().has_table());
}

TEST_F(Weights, AClassifierStartsFromAMaskedModelAndLearnsItsHead) {
  const auto corpus = test::tiny_classes();
  saved(objective("masked_lm"), corpus, "pretrained.safetensors");
  Harness run(objective("classification",
                        {"model.init_from=" + path("pretrained.safetensors"), "train.steps=80", "train.batch_size=8"}),
              true, hooks_of(corpus));
  const std::string note = run.trainer->material().notes.back();
  EXPECT_NE(note.find(", 2 left fresh (head.class.weight, head.class.bias)"), std::string::npos) << note;
  run.steps(80);
  EXPECT_LT(run.frames.back()->validation_loss, 0.3) << "nats per text; two classes by chance are 0.69";
  const auto found = train::accuracy_by_label(run.trainer->model(), *corpus, 8);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label, "English");
  EXPECT_EQ(found[0].documents, 6);
  EXPECT_GT(found[0].share(), 0.8);
  EXPECT_GT(found[1].share(), 0.8) << "the classes look alike in both labels";
  ASSERT_FALSE(run.frames.back()->events.empty());
  EXPECT_EQ(run.frames.back()->events.back().text.rfind("accuracy ", 0), 0U) << run.frames.back()->events.back().text;
  const bus::Reply reply = run.send(test::with_text(CommandKind::kProbeSentence, "pp"));
  EXPECT_NE(reply.sentence->continuation.find("%)"), std::string::npos);
}

TEST(Classification, TheProbeReadsTheBeginningsOfDocuments) {
  const auto corpus = test::tiny_classes();
  Harness run(objective("classification"), true, hooks_of(corpus));
  run.steps(1);
  const auto info = run.channels->runs.try_pop();
  ASSERT_TRUE(info.has_value());
  const std::size_t T = (*info)->probe.size();
  EXPECT_GT(T, 32U);
  EXPECT_LE(T, 64U);
  EXPECT_EQ((*info)->probe[0].position, 0);
  const telemetry::LayerProbe& layer = run.frames[0]->probe->layers[0];
  EXPECT_EQ(layer.expert_TK.size(), T * static_cast<std::size_t>(layer.top_k));
}

TEST(Classification, NeedsClasses) {
  EXPECT_EQ(
      refusal(objective("classification"), test::tiny_corpus()),
      "tiny.toml: the corpus 'tiny' has no classes, but 'objective' is \"classification\"; manuals has the section of "
      "each page");
}

}  // namespace
}  // namespace moescope
