// `export` on runs that the real program trained.
#include <gmock/gmock.h>

#include <algorithm>

#include "core/record/safetensors.h"
#include "tests/app/cli/recorded.h"
#include "tests/test_python.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Export : public Recorded {
 protected:
  Outcome export_run(std::vector<std::string> more, const Surroundings& around = {}) const {
    more.insert(more.begin(), {"export", path("a")});
    return run(more, around);
  }
  std::string exported(const std::string& name) const { return content_of(path("a/export/" + name)); }
  static std::int64_t lines_in(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }
  void train_one(const std::string& method = "switch", int steps = 40) const {
    const Outcome trained = train(config(method, steps), "a");
    ASSERT_EQ(trained.code, 0) << trained.err;
  }
};

TEST_F(Export, AllFormatsAtOnceOfATrainedRun) {
  train_one();
  const auto before = bytes_of("a");
  const Outcome outcome = export_run({"--csv", "--jsonl", "--tensorboard", "--svg", "all", "--weights"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err,
            "tokens.svg is left out: the experts' tokens are not recorded up to this step; a window records them while "
            "its Top tokens are open\n");

  EXPECT_EQ(lines_in(exported("loads.csv")), 1 + 40 * 2 * 4);
  EXPECT_EQ(lines_in(exported("loads.jsonl")), 40 * 2 * 4);
  EXPECT_EQ(lines_in(exported("metrics.jsonl")), 40);
  EXPECT_EQ(lines_in(exported("probe_tokens.csv")), 1 + 32);
  EXPECT_EQ(lines_in(exported("layers.csv")), 1 + 40 * 2);
  const auto recorded = open("a")->frames(0, 40);
  const auto probes = std::count_if(recorded.begin(), recorded.end(), [](const auto& frame) { return frame->probe; });
  EXPECT_GE(probes, 2);
  EXPECT_EQ(lines_in(exported("probes.csv")), 1 + probes * 32 * 2);
  EXPECT_THAT(exported("scalars.csv"), HasSubstr(",40,validation,"));
  for (const char* view : {"flow", "fluctuation", "load", "loss"})
    EXPECT_THAT(exported(std::string(view) + ".svg"), StartsWith("<svg")) << view;
  EXPECT_EQ(exported("weights.safetensors"), weights("a")) << "the last checkpoint holds the final weights";

  // Every path told is there, and nothing of the run itself has changed.
  std::istringstream paths(outcome.out);
  int told = 0;
  for (std::string line; std::getline(paths, line); ++told) EXPECT_TRUE(fs::exists(line)) << line;
  EXPECT_GE(told, 8 + 3 + 1 + 4 + 1);
  auto after = bytes_of("a");
  std::erase_if(after, [](const auto& file) { return file.first.starts_with("export/"); });
  EXPECT_EQ(after, before);
}

TEST_F(Export, TwoBranchesOfARunAreDrawnAsTheirDifference) {
  train_one();
  for (const char* branch : {"b", "c"}) {
    const std::string rate = branch[0] == 'b' ? "train.lr=0.02" : "train.lr=0.0001";
    const Outcome forked = run({"fork", path("a"), "--step", "20", "--set", rate, "--out", path(branch)});
    ASSERT_EQ(forked.code, 0) << forked.err;
  }
  const auto drawn = [&](const std::string& one, const std::string& other) {
    const std::string out = path(one + other);
    const Outcome outcome =
        run({"export", path(one), "--svg", "load,fluctuation", "--against", path(other), "--out", out});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(content_of(out + "/fluctuation.svg"),
                HasSubstr("of the probe tokens go to another expert than in " + other));
    return content_of(out + "/load.svg");
  };
  EXPECT_THAT(drawn("b", "a"), HasSubstr("difference to a, recent steps: E"));
  EXPECT_THAT(drawn("a", "b"), HasSubstr("difference to b, recent steps: E"));
  EXPECT_THAT(drawn("b", "c"), HasSubstr("difference to c, recent steps: E")) << "both left the same run";
  // A fork of a fork, its grandparent and its aunt, after they were moved.
  ASSERT_EQ(run({"fork", path("b"), "--step", "30", "--set", "train.lr=0.3", "--out", path("b2")}).code, 0);
  EXPECT_THAT(open("b2")->facts().ancestors(), ElementsAre(open("b")->facts().id, open("a")->facts().id));
  for (const char* moved : {"a", "b", "c"}) fs::rename(path(moved), path(std::string("was_") + moved));
  EXPECT_THAT(drawn("b2", "was_a"), HasSubstr("difference to was_a, recent steps: E"));
  EXPECT_THAT(drawn("was_c", "b2"), HasSubstr("difference to b2, recent steps: E"));
  EXPECT_THAT(drawn("was_b", "was_a"), HasSubstr("difference to was_a, recent steps: E"));
}

TEST_F(Export, WhatCannotStandBehindARunIsSaid) {
  train_one();
  ASSERT_EQ(run({"fork", path("a"), "--step", "20", "--out", path("b")}).code, 0);

  const Outcome stranger = train(config("switch", 40), "d");
  ASSERT_EQ(stranger.code, 0) << stranger.err;
  const Outcome outcome = run({"export", path("a"), "--svg", "load", "--against", path("d"), "--out", path("ad")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err,
            "load.svg: no difference to d: no run is known that both come from, so their experts are not the same "
            "ones\n");
  const auto problem = [&](const std::vector<std::string>& arguments) {
    const Outcome refused = run(arguments);
    EXPECT_EQ(refused.code, 2);
    return refused.err;
  };
  EXPECT_EQ(problem({"export", path("a"), "--svg", "load", "--against", path("b/../a")}),
            "error: --against names the run itself\nhint: name another one: a fork of it, its parent or a run beside "
            "it\n");
  EXPECT_EQ(problem({"export", path("a"), "--svg", "flow", "--against", path("b")}),
            "error: none of these views shows another run\nhint: fluctuation, load and loss do\n");
  EXPECT_EQ(problem({"export", path("b"), "--svg", "load", "--step", "20"}),
            "error: the run has no step 20\nhint: it begins behind step 20 of " + path("a") +
                "; export that one for an earlier step\n");
  EXPECT_EQ(export_run({"--csv", "--against", path("b")}).code, 2);
  tamper("b", "UPDATE chunk SET data = zeroblob(40) WHERE id = (SELECT max(id) FROM chunk WHERE stream = 'step')");
  const Outcome damaged = export_run({"--svg", "loss", "--against", path("b"), "--out", path("ab")});
  EXPECT_EQ(damaged.code, 0);
  EXPECT_THAT(damaged.err, StartsWith("warning: " + path("b") + ": ")) << "whose record it is";
  EXPECT_EQ(export_run({"--svg", "load", "--against", path("nowhere")}).code, 2);
}

TEST_F(Export, TensorboardReadsATrainedRun) {
  MOESCOPE_NEEDS_TEST_PYTHON();
  train_one();
  const Outcome outcome = export_run({"--tensorboard", "--out", path("tb")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string seen = run_test_python(
      "import sys\n"
      "from tensorboard.backend.event_processing.event_file_loader import EventFileLoader\n"
      "from collections import Counter\n"
      "c = Counter(v.tag for e in EventFileLoader(sys.argv[1]).Load() for v in e.summary.value)\n"
      "print(c['loss/task'], c['loss/validation'], c['L2/load_max_over_mean'], c['L2/load'])\n",
      {outcome.out.substr(0, outcome.out.find('\n'))});
  EXPECT_EQ(seen, "40 2 40 40\n");
}

TEST_F(Export, WeightsOfAnEarlierCheckpointStartAnotherRun) {
  train_one();
  EXPECT_THAT(export_run({"--weights", "--step", "21"}).err, HasSubstr("the run has no checkpoint at step 21"));
  const Outcome outcome = export_run({"--weights", "--step", "20", "--out", path("w")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto file = record::read_safetensors(path("w/weights.safetensors"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->metadata.at("step"), "20");
  EXPECT_NE(content_of(path("w/weights.safetensors")), weights("a"));
  const Outcome second = run(
      {"train", config("switch", 2), "--out", path("b"), "--set", "model.init_from=" + path("w/weights.safetensors")});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(content_of(path("b/log.txt")), HasSubstr(std::to_string(file->blocks.size()) + " tensors loaded"));
}

TEST_F(Export, WithoutCheckpointsTheFinalWeightsAreThere) {
  train_one("switch", 4);
  fs::remove_all(path("a/checkpoints"));
  const Outcome outcome = export_run({"--weights"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "weights.safetensors is the run's final.safetensors, of step 4: no checkpoint is left\n");
  EXPECT_EQ(exported("weights.safetensors"), weights("a"));
  EXPECT_EQ(export_run({"--weights", "--step", "4", "--force"}).code, 0);
  EXPECT_THAT(export_run({"--weights", "--step", "3", "--force"}).err, HasSubstr("the run has no checkpoint"));
  fs::remove(path("a/final.safetensors"));
  const Outcome none = export_run({"--weights", "--force"});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.err,
            "error: the run has no checkpoint\nhint: training writes them into the run's folder, and "
            "final.safetensors, with the weights alone, at its end\n");
}

TEST_F(Export, NothingIsOverwrittenWithoutForce) {
  train_one("switch", 4);
  ASSERT_EQ(export_run({"--csv"}).code, 0);
  const Outcome refused = export_run({"--csv", "--jsonl"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("a/export/scalars.csv' and 7 more of its files exist already"));
  EXPECT_FALSE(fs::exists(path("a/export/metrics.jsonl")));
  EXPECT_EQ(export_run({"--csv", "--jsonl", "--force"}).code, 0);
}

TEST_F(Export, WrongInputIsToldAndLeavesNothing) {
  train_one("hash", 4);  // whose router has no rows
  const auto problem = [&](const std::vector<std::string>& more) {
    const Outcome outcome = export_run(more);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(problem({}), HasSubstr("no format is named"));
  EXPECT_THAT(problem({"--svg", "lood"}), HasSubstr("did you mean 'load'?"));
  EXPECT_THAT(problem({"--svg", "load", "--step", "5"}), HasSubstr("its last recorded step is 4"));
  EXPECT_THAT(problem({"--svg", "load", "--layer", "3"}), HasSubstr("its MoE layers are 1 to 2"));
  EXPECT_THAT(problem({"--svg", "load", "--size", "9x9"}), HasSubstr("'9x9' is no size of a picture"));
  EXPECT_THAT(problem({"--csv", "--svg", "sphere"}),
              HasSubstr("the view 'sphere' has nothing to draw: this method's router has no rows"));
  EXPECT_THAT(problem({"--cvs"}), HasSubstr("--csv"));
  EXPECT_FALSE(fs::exists(path("a/export")));
  const Outcome no_run = run({"export", path("nowhere"), "--csv"});
  EXPECT_EQ(no_run.code, 2);
  EXPECT_THAT(no_run.err, HasSubstr("nowhere"));
}

TEST_F(Export, AFullDiskFailsAndLeavesNothing) {
  train_one();
  Surroundings tight;
  tight.file_limit = 16 << 10;
  const Outcome outcome = export_run({"--csv", "--jsonl"}, tight);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("cannot be written: File too large"));
  EXPECT_FALSE(fs::exists(path("a/export")));
}

TEST_F(Export, ADamagedRunIsExportedAsFarAsItCanBeRead) {
  train_one();
  tamper("a", "UPDATE chunk SET data = zeroblob(40) WHERE id = (SELECT min(id) FROM chunk WHERE stream = 'step')");
  const Outcome outcome = export_run({"--csv"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("warning:"));
  EXPECT_LT(lines_in(exported("loads.csv")), 1 + 40 * 2 * 4);
}

TEST_F(Export, ARunThatIsTrainingIsExportedUpToNow) {
  const pid_t training = start({"train", config("switch", 100000), "--out", path("a"), "--json"});
  ASSERT_TRUE(wait_for_output("\"step\":40,"));
  const Outcome outcome = run_beside({"export", path("a"), "--csv", "--out", path("now")});
  ::kill(training, SIGTERM);
  EXPECT_EQ(wait(training).code, 130);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ((lines_in(content_of(path("now/loads.csv"))) - 1) % (2 * 4), 0);
}

}  // namespace
}  // namespace moescope::cli
