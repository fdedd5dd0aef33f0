// What a run is said to need is held against what it took, for every method and objective, and nothing is started that
// cannot fit.
#include "core/train/memory_need.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <utility>

#include "core/train/snapshot_ring.h"
#include "tests/core/model/tiny_pairs.h"
#include "tests/core/train/test_allocator.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using test::Harness;
using train::MemoryNeed;

config::RunConfig config_of(const std::string& method, std::vector<std::string> more = {}) {
  std::vector<std::string> all = {"model.d_model=96",         "model.context=64", "moe.expert_hidden=192",
                                  "moe.num_experts=8",        "train.steps=6",    "train.batch_size=16",
                                  "train.validate_every=1000"};
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return test::tiny_config(method, all);
}

train::TrainerHooks hooks_of(std::shared_ptr<const corpus::Corpus> corpus) {
  train::TrainerHooks hooks;
  hooks.corpus = std::move(corpus);
  return hooks;
}

/// What is said over what a whole short run took in tensors; states to go back to are none and counted apart.
double said_over_taken(const config::RunConfig& config, train::TrainerHooks hooks = test::tiny_hooks()) {
  const test::CountingAllocator allocator;
  Harness run(config, false, std::move(hooks));
  run.steps(static_cast<int>(config.train.steps));
  const train::StepSize step = train::largest_step(config, *run.trainer->material().stream);
  const MemoryNeed need = train::memory_need(run.trainer->model(), config, step, 0);
  const auto said = static_cast<double>(need.weights + need.activations + need.logits);
  const double ratio = said / static_cast<double>(allocator.most());
  std::cout << config.moe.method << ' ' << config.model.objective << ": said " << record::size_in_words(need.weights)
            << " weights, " << record::size_in_words(need.activations) << " activations, "
            << record::size_in_words(need.logits) << " logits; " << ratio << " of what was taken\n";
  return ratio;
}

void expect_near(double ratio) {
  EXPECT_GT(ratio, 0.85);
  EXPECT_LT(ratio,
            train::kMostOverestimate);  // ReMoE is counted with all experts, of which half take part at the start
}

class MemoryNeedOf : public testing::TestWithParam<std::string> {};

TEST_P(MemoryNeedOf, IsWhatARunTakes) {
  expect_near(said_over_taken(config_of(GetParam())));
  expect_near(said_over_taken(config_of(GetParam(), {"model.d_model=32", "moe.num_experts=32"})));
  expect_near(said_over_taken(config_of(GetParam(), {"model.d_model=8", "model.num_heads=1", "moe.expert_hidden=8"})));
}

TEST_P(MemoryNeedOf, IsKnownFromTheConfiguration) {
  const config::RunConfig config = config_of(GetParam(), {"data.tokenizer=bytes"});
  Harness run(config);
  const model::Model& model = run.trainer->model();
  const train::PlannedRun planned = train::planned_run(config, 0);
  // The tiny corpus has a tokenizer of its own: rows of the tables over its pieces are fewer.
  const std::int64_t pieces = model::planned_vocabulary(config).size - model.vocab_size();
  std::int64_t of_pieces = 0;
  for (const moe::Parameter& one : model.parameters().all())
    if (one.tensor.size(0) == model.vocab_size()) of_pieces += one.tensor.numel() / model.vocab_size();
  EXPECT_EQ(planned.size.num_parameters, model.num_parameters() + pieces * of_pieces);
  EXPECT_EQ(planned.size.num_layers, model.num_layers());
  EXPECT_EQ(planned.size.router_space_dim, run.channels->runs.drain().back()->router_space_dim);
}

INSTANTIATE_TEST_SUITE_P(Registry, MemoryNeedOf, testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST(MemoryNeed, IsWhatOtherObjectivesTake) {
  expect_near(said_over_taken(config_of("smoe", {"model.objective=masked_lm"})));
  expect_near(said_over_taken(config_of("smoe", {"train.label_smoothing=0.1"})));
  expect_near(said_over_taken(config_of("switch", {"moe.placement=ffn", "model.positions=rotary"})));
  expect_near(said_over_taken(config_of("stablemoe", {"moe.expert_sublayers=3"})));
  expect_near(said_over_taken(
      config_of("smoe", {"model.objective=classification", "data.corpus=manuals", "train.batch_size=64"}),
      hooks_of(test::tiny_classes())));
  expect_near(said_over_taken(
      config_of("thor", {"model.objective=translation", "data.corpus=synthetic_pairs", "train.batch_size=64"}),
      hooks_of(test::tiny_pairs())));
}

TEST(MemoryNeed, CountsTheStatesToGoBackTo) {
  const config::RunConfig config = config_of("stablemoe", {"train.steps=1000"});
  Harness run(config);
  const model::Model& model = run.trainer->model();
  std::int64_t state = 0;
  for (const record::TensorBlock& block : *train::capture(run.trainer->state()))
    state += static_cast<std::int64_t>(block.bytes.size());
  const train::StepSize step = train::largest_step(config);
  const std::int64_t alone = train::memory_need(model, config, step, 0).copies;
  EXPECT_NEAR(static_cast<double>(alone) / static_cast<double>(state), 1, 0.05);
  EXPECT_EQ(train::memory_need(model, config, step, 3 * alone).copies, 3 * alone);
  EXPECT_EQ(train::memory_need(model, config, step, 1 << 30).copies, 21 * alone) << "no more than the run makes";
}

TEST(MemoryNeed, ShapesTakeNothing) {
  const config::RunConfig config =
      config_of("switch", {"model.d_model=1024", "moe.expert_hidden=4096", "moe.num_experts=64"});
  const test::CountingAllocator allocator;
  const train::PlannedRun planned = train::planned_run(config, 0);
  EXPECT_GT(planned.size.num_parameters, 1'000'000'000);
  EXPECT_LT(allocator.most(), 1'000'000);
}

FreeMemory free_of(std::int64_t bytes, FreeMemory::Limit limit = FreeMemory::Limit::kMachine) { return {bytes, limit}; }

TEST(MemoryNeed, WhatCannotFitIsRefusedAtTheKeyThatTakesMost) {
  const config::RunConfig config = config_of("smoe");
  MemoryNeed need;
  need.weights = 3'000'000'000;
  need.state = 2'250'000'000;
  need.copies = 2'250'000'000;
  need.activations = 1'000'000'000;
  need.logits = 4'000'000'000;
  EXPECT_EQ(need.total(), 10'250'000'000);
  EXPECT_TRUE(train::check_memory(config, need, free_of(10'250'000'000)).empty());
  EXPECT_TRUE(
      train::check_memory(config, need, free_of(std::numeric_limits<std::int64_t>::max(), FreeMemory::Limit::kUnknown))
          .empty());
  const Diagnostics problems = train::check_memory(config, need, free_of(2'000'000'000));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].message,
            "the run needs about 10 GB of memory: logits 4.0 GB, weights 3.0 GB, states to go back to 2.2 GB, "
            "activations 1.0 GB, but this machine has 2.0 GB free");
  EXPECT_EQ(problems[0].hint, "a smaller train.batch_size, model.context or data.vocab_size needs less");
  need.logits = 0;
  EXPECT_EQ(need.total(), 7'500'000'000) << "a state is copied when the batch is through";
  EXPECT_NE(train::check_memory(config, need, free_of(1))[0].hint.find("moe.num_experts"), std::string::npos);
}

TEST(MemoryNeed, WhatMayNotFitIsAWarning) {
  const config::RunConfig config = config_of("smoe");
  MemoryNeed need;
  need.activations = 1'000'000'000;
  need.at_most = true;
  const Diagnostics found = train::check_memory(config, need, free_of(700'000'000));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::kWarning);
  EXPECT_EQ(
      found[0].message,
      "the run needs at most about 1.0 GB of memory: activations 1.0 GB, but this machine has 700 MB free: it may "
      "run out of memory");
  EXPECT_TRUE(has_errors(train::check_memory(config, need, free_of(680'000'000))));
}

TEST(MemoryNeed, WhatIsNeverTrainedHasNoGradientAndNoMoments) {
  const config::RunConfig config = config_of("smoe_dropout");
  const Harness run(config);
  std::int64_t fixed = 0;
  for (const moe::Parameter& one : run.trainer->model().parameters().all())
    if (one.fixed) fixed += one.tensor.numel();
  ASSERT_GT(fixed, 0);
  const std::int64_t all = run.trainer->model().num_parameters();
  EXPECT_EQ(run.trainer->material().memory.weights, 16 * (all - fixed) + 4 * fixed);
}

TEST(MemoryNeed, ARingThatHoldsStatesTakesLessMore) {
  train::SnapshotRing ring(100);
  EXPECT_EQ(ring.free_bytes(), 100U);
  const auto of = [](std::size_t size) {
    auto blocks = std::make_shared<std::vector<record::TensorBlock>>(1);
    blocks->front().bytes.resize(size);
    return train::Snapshot{"run", 1, 0, blocks};
  };
  ring.add(of(30));
  EXPECT_EQ(ring.free_bytes(), 70U);
  ring.add(of(130));
  EXPECT_EQ(ring.free_bytes(), 0U) << "the newest stays";
}

TEST(MemoryNeed, ARunTooLargeForAnyMachineIsRefusedBeforeItTakesAnything) {
  const test::CountingAllocator allocator;
  try {
    const Harness run(config_of("switch", {"model.d_model=4096", "moe.expert_hidden=16384", "moe.num_experts=256"}));
    FAIL() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("the run needs about "), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("TB of memory: weights"), std::string::npos) << error.what();
  }
  EXPECT_LT(allocator.most(), 10'000'000);
}

}  // namespace
}  // namespace moescope
