// A run gone on with has the bits of the uninterrupted one, for every method that is registered (D1, D2, D6).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/telemetry/frame_difference.h"
#include "tests/core/record/scratch_folder.h"
#include "tests/core/train/recorded_run.h"

namespace moescope {
namespace {

namespace fs = std::filesystem;
using test::RecordedRun;

constexpr const char* kContinueHere = "MOESCOPE_TEST_CONTINUE";

struct Case {
  std::string method;
  int threads;
  std::string name() const { return method + "_" + std::to_string(threads); }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string& method : test::method_ids())
    for (const int threads : {1, 2}) all.push_back({method, threads});
  return all;
}

config::RunConfig config_of(const Case& one) {
  return test::recorded_config(one.method, one.threads,
                               {"record.checkpoint_every=" + std::to_string(one.threads == 1 ? 20 : 6)});
}
/// Two threads take turns on a busy machine, so they take fewer steps.
std::int64_t last_step(const Case& one) { return one.threads == 1 ? 60 : 14; }

/// Not a test of its own: what the new process of the next one does.
TEST(Resume, ContinuesWhatTheEnvironmentNames) {
  const char* place = std::getenv(kContinueHere);
  if (place == nullptr) GTEST_SKIP() << "only inside EveryMethodHasTheSameBitsInANewProcess";
  for (const Case& one : cases()) {
    const std::string folder = (fs::path(place) / one.name()).string();
    RecordedRun run(test::continued(config_of(one), folder));
    run.steps_to(last_step(one));
    std::ofstream(folder + ".hash") << run.hash().hash << ' ' << run.inexact();
  }
}

TEST(Resume, EveryMethodHasTheSameBitsInANewProcess) {
  const record::ScratchFolder scratch;
  std::map<std::string, std::string> uninterrupted;
  for (const Case& one : cases()) {
    {
      RecordedRun whole(test::request_of(config_of(one), ""));
      whole.steps_to(last_step(one));
      uninterrupted[one.name()] = whole.hash().hash;
    }
    // Beyond the newest checkpoint, so that recorded steps are trained again.
    RecordedRun half(test::request_of(config_of(one), scratch / one.name()));
    half.steps_to(last_step(one) / 2 + 3);
  }
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const std::string command = std::string(kContinueHere) + "='" + scratch.path() + "' '" + self +
                              "' --gtest_filter=Resume.ContinuesWhatTheEnvironmentNames > '" + (scratch / "output") +
                              "' 2>&1";
  std::ifstream output(scratch / "output");
  ASSERT_EQ(std::system(command.c_str()), 0) << output.rdbuf();
  int equal = 0;
  for (const Case& one : cases()) {
    std::ifstream file(scratch / (one.name() + ".hash"));
    std::string hash, inexact;
    file >> hash;
    std::getline(file, inexact);
    EXPECT_EQ(hash, uninterrupted[one.name()]) << one.name();
    EXPECT_EQ(inexact, " ") << one.name();
    equal += hash == uninterrupted[one.name()] ? 1 : 0;
  }
  std::cout << equal << " of " << cases().size() << " runs continued to the same bits\n";
}

class Methods : public ::testing::TestWithParam<std::string> {
 protected:
  std::string folder(const std::string& name) const { return scratch / name; }
  record::ScratchFolder scratch;
};
INSTANTIATE_TEST_SUITE_P(Resume, Methods, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST_P(Methods, RecordTheSameWithAndWithoutAnInterruption) {
  const config::RunConfig config = test::recorded_config(GetParam());
  const auto train = [](train::RunRequest request, std::int64_t steps) {
    request.measured = true;  // the probe keeps its spacing on a busy machine too
    RecordedRun(std::move(request)).steps_to(steps);
  };
  train(test::request_of(config, folder("whole")), 45);
  train(test::request_of(config, folder("parts")), 33);
  train(test::continued(config, folder("parts")), 45);
  auto whole = record::RunReader::open(folder("whole")), parts = record::RunReader::open(folder("parts"));
  ASSERT_TRUE(whole && parts);
  const auto was = (*whole)->frames(1, 45), is = (*parts)->frames(1, 45);
  ASSERT_EQ(was.size(), 45U);
  ASSERT_EQ(is.size(), 45U);
  for (std::size_t i = 0; i < 45; ++i) {
    EXPECT_EQ(telemetry::difference(*was[i], *is[i]), "") << "step " << i + 1;
    ASSERT_EQ(was[i]->probe != nullptr, is[i]->probe != nullptr) << "step " << i + 1;
    if (!was[i]->probe) continue;
    for (std::size_t l = 0; l < was[i]->probe->layers.size(); ++l)
      EXPECT_EQ(was[i]->probe->layers[l].expert_TK, is[i]->probe->layers[l].expert_TK) << "step " << i + 1;
    EXPECT_EQ(was[i]->probe->spacing, is[i]->probe->spacing);
    ASSERT_EQ(was[i]->probe->fluctuation_L.size(), is[i]->probe->fluctuation_L.size()) << "step " << i + 1;
  }
  const auto hashes = (*parts)->state_hashes();
  ASSERT_EQ(hashes.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(hashes[i].hash, (*whole)->state_hashes()[i].hash);
}

TEST_P(Methods, ForkedWithoutAChangeStayWithTheirParentAndLeaveItAlone) {
  const config::RunConfig config = test::recorded_config(GetParam());
  train::StateHash parent;
  {
    RecordedRun run(test::request_of(config, folder("parent")));
    run.steps_to(40);
    parent = run.hash();
  }
  RecordedRun child(test::forked(config, folder("parent"), folder("child"), 27));
  EXPECT_EQ(child.trainer->steps_done(), 27);
  child.steps_to(40);
  EXPECT_EQ(test::difference(parent, child.hash()), "");
}

/// Everything but the blocks whose name begins with `prefix`, which are zero.
record::Blocks without(const record::Blocks& blocks, const std::string& prefix, int& found) {
  auto less = std::make_shared<std::vector<record::TensorBlock>>(*blocks);
  for (record::TensorBlock& block : *less) {
    if (!block.name.starts_with(prefix)) continue;
    const bool empty = std::all_of(block.bytes.begin(), block.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    found += empty ? 0 : 1;
    std::fill(block.bytes.begin(), block.bytes.end(), std::uint8_t{0});
  }
  return less;
}

/// The state 5 steps after one in which what `prefix` names was forgotten.
std::string hash_after_forgetting(const config::RunConfig& config, const std::string& prefix, int& found) {
  RecordedRun run(test::request_of(config, ""));
  run.steps_to(20);
  const record::Blocks blocks = train::capture(run.trainer->state());
  train::restore(run.trainer->state(), *without(blocks, prefix, found));
  for (int i = 0; i < 5; ++i) run.trainer->step();
  return run.hash().hash;
}

TEST_P(Methods, AreSeenToDifferWhenAPartOfTheStateIsForgotten) {
  const config::RunConfig config = test::recorded_config(GetParam());
  int ignored = 0, moments = 0, buffers = 0, cursor = 0, schedule = 0;
  const std::string truth = hash_after_forgetting(config, "nothing", ignored);
  EXPECT_NE(hash_after_forgetting(config, "optim/", moments), truth);
  EXPECT_GT(moments, 0);
  EXPECT_NE(hash_after_forgetting(config, "data/step", cursor), truth);
  EXPECT_EQ(cursor, 1);
  EXPECT_NE(hash_after_forgetting(config, "schedule/", schedule), truth);
  const std::string forgetful = hash_after_forgetting(config, "router/", buffers);
  // What MoT keeps matters only once sharpening has begun.
  if (buffers > 0 && GetParam() != "mot") {
    EXPECT_NE(forgetful, truth) << "the router keeps state that steers nothing";
  }
}

class Interrupted : public ::testing::Test {
 protected:
  std::string folder(const std::string& name) const { return scratch / name; }
  void flip_a_byte(const fs::path& file) const {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-40, std::ios::end);
    const int old = bytes.peek();
    bytes.put(static_cast<char>(old ^ 1));
  }
  record::ScratchFolder scratch;
};

TEST_F(Interrupted, ADamagedCheckpointIsPassedOverForAnOlderOne) {
  const config::RunConfig config = test::recorded_config("loss_free");
  train::StateHash whole;
  {
    RecordedRun run(test::request_of(config, folder("run")));
    run.steps_to(47);
    whole = run.hash();
  }
  flip_a_byte(fs::path(scratch / "run/checkpoints") / record::checkpoint_file(40, record::CheckpointKind::kRegular));
  RecordedRun again(test::continued(config, folder("run")));
  EXPECT_EQ(test::difference(whole, again.hash()), "");
  EXPECT_EQ(again.inexact(), "");
}

TEST_F(Interrupted, WeightsThatWereHalfWrittenGoWhenTheRunGoesOn) {
  const config::RunConfig config = test::recorded_config("smoe");
  RecordedRun(test::request_of(config, folder("run"))).steps_to(25);
  const std::string torn = folder("run/final.safetensors.tmp4711");
  std::ofstream(torn) << "half";
  const RecordedRun again(test::continued(config, folder("run")));
  EXPECT_FALSE(fs::exists(torn));
}

TEST_F(Interrupted, AnotherCorpusIsRefused) {
  const config::RunConfig config = test::recorded_config("switch");
  { RecordedRun(test::request_of(config, folder("run"))).steps_to(21); }
  train::TrainerHooks hooks = test::tiny_hooks();
  auto other = std::make_shared<corpus::Corpus>(*hooks.corpus);
  other->identity = "another";
  hooks.corpus = other;
  try {
    RecordedRun again(test::continued(config, folder("run")), hooks);
    FAIL() << "went on with another corpus";
  } catch (const std::exception& problem) {
    EXPECT_NE(std::string(problem.what()).find("the corpus is not the one the run was recorded with"),
              std::string::npos)
        << problem.what();
  }
}

TEST_F(Interrupted, AnotherNumberOfThreadsWorksAndSaysThatItIsNotExact) {
  { RecordedRun(test::request_of(test::recorded_config("switch", 1), folder("run"))).steps_to(21); }
  RecordedRun again(test::continued(test::recorded_config("switch", 2), folder("run")));
  EXPECT_EQ(again.inexact(), "threads was 1 and is 2");
  again.steps_to(25);
}

TEST_F(Interrupted, ARunBegunWithoutAProbeGoesOnWithoutOne) {
  const config::RunConfig config = test::recorded_config("switch");
  train::RunRequest request = test::request_of(config, folder("run"));
  request.watched = false;
  { RecordedRun(request).steps_to(7); }
  { RecordedRun(test::continued(config, folder("run"))).steps_to(12); }
  auto reader = record::RunReader::open(folder("run"));
  ASSERT_TRUE(reader);
  for (const auto& frame : (*reader)->frames(1, 12)) EXPECT_EQ(frame->probe, nullptr) << frame->step;
  EXPECT_TRUE((*reader)->damages().empty());
}

TEST_F(Interrupted, AStepThatWasNeverRecordedIsRefusedWithTheLastOne) {
  const config::RunConfig config = test::recorded_config("switch");
  { RecordedRun(test::request_of(config, folder("run"))).steps_to(5); }
  try {
    RecordedRun fork(test::forked(config, folder("run"), folder("child"), 9));
    FAIL() << "forked from the future";
  } catch (const std::exception& problem) {
    EXPECT_NE(std::string(problem.what()).find("is recorded up to step 5, not to 9"), std::string::npos)
        << problem.what();
  }
}

TEST_F(Interrupted, TheRingMakesGoingBackCostNoTraining) {
  const config::RunConfig config = test::recorded_config("stablemoe");
  train::RunRequest request = test::request_of(config, folder("run"));
  request.ring = train::make_snapshot_ring();
  {
    RecordedRun run(request);
    run.steps_to(13);
    run.send(test::set("train.lr", 0.5));
    run.steps_to(18);
  }
  train::RunRequest back = test::forked(config, folder("run"), folder("back"), 13, 0);
  back.ring = request.ring;
  train::TrainerHooks hooks = test::tiny_hooks();
  int trained = 0;
  hooks.on_phase = [&](std::string_view phase, std::int64_t) { trained += phase == "forward" ? 1 : 0; };
  RecordedRun undone(back, hooks);
  EXPECT_EQ(undone.trainer->steps_done(), 13);
  EXPECT_EQ(trained, 0);
  undone.steps_to(20);
  RecordedRun plain(test::request_of(config, ""));
  plain.steps_to(20);
  EXPECT_EQ(test::difference(plain.hash(), undone.hash()), "");
}

}  // namespace
}  // namespace moescope
