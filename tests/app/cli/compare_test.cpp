// Several configurations with several seeds: the table, the plots, and what a second call finds.
#include "core/record/run_reader.h"
#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Compare : public Program {
 protected:
  /// A configuration of the method in <method>.toml; seconds at most.
  std::string config(const std::string& method, const std::string& more = {}) const {
    return write(method + ".toml", "name = \"" + method +
                                       "\"\n[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n"
                                       "[model]\nnum_layers = 1\nd_model = 16\nnum_heads = 2\ncontext = 16\n"
                                       "[moe]\nmethod = \"" +
                                       method + "\"\nnum_experts = 4\nexpert_hidden = 16\n" + more +
                                       "[train]\nbatch_size = 2\nsteps = 20\nthreads = 1\nvalidate_every = 5\n"
                                       "[probe]\ntokens = 32\nevery = 2\n");
  }
  Outcome compare(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"compare", config("switch"), config("smoe"), "--seeds",
                                       "2",       "--out",          path("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  std::string told(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  }
  static std::vector<std::string> run_folders() {
    return {"switch/seed-7", "switch/seed-8", "smoe/seed-7", "smoe/seed-8"};
  }
  std::vector<telemetry::FramePtr> frames_of(const std::string& run) const {
    auto reader = record::RunReader::open(path("out/" + run));
    if (!reader) {
      ADD_FAILURE() << format(reader.error());
      return {};
    }
    return (*reader)->frames(1, (*reader)->last_step());
  }
  fs::file_time_type written(const std::string& run) const {
    return fs::last_write_time(path("out/" + run + "/final.safetensors"));
  }
};

/// Of one configuration.
json figure(const json& configuration, const std::string& key) {
  for (const json& one : configuration["figures"])
    if (one["key"] == key) return one;
  return {};
}

TEST_F(Compare, GivesATableFilesAndPlots) {
  const Outcome outcome = compare();
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("Mean ± standard error over seeds 7, 8.\n")) << outcome.out;
  for (const char* part :
       {"| final validation loss ", "nats per token", "bits per token", "| effective experts ", "| MaxVio ",
        "| routing entropy ", "| training speed ", "| active parameters ", "| forward operations per token ",
        "| difference to switch ", " ± ", "Late fluctuation: share of the 32 probe tokens"})
    EXPECT_THAT(outcome.out, HasSubstr(part));
  EXPECT_THAT(outcome.err, HasSubstr("run 4 of 4: smoe, seed 8\n"));
  EXPECT_EQ(content_of(path("out/table.md")), outcome.out);
  for (const std::string& run : run_folders())
    for (const char* name : {"config.toml", "run.db", "final.safetensors", "report.json"})
      EXPECT_TRUE(fs::is_regular_file(path("out/" + run + '/' + name))) << run << ' ' << name;
  for (const char* name : {"loss_steps", "loss_seconds", "fluctuation", "load", "entropy", "collapse"}) {
    const std::string svg = content_of(path(std::string("out/") + name + ".svg"));
    EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n")) << name;
    EXPECT_THAT(svg, HasSubstr(">switch</text>"));
    EXPECT_THAT(svg, HasSubstr(">smoe</text>"));
  }
  EXPECT_THAT(content_of(path("out/fluctuation.svg")), HasSubstr("32 probe tokens"));
  EXPECT_FALSE(fs::exists(path("out/bleu.svg"))) << "there is no translation here";
}

TEST_F(Compare, ItsNumbersAreThoseOfTheRuns) {
  const Outcome outcome = compare({"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json all = json::parse(outcome.out);
  ASSERT_EQ(all["configurations"].size(), 2U);
  const json& first = all["configurations"][0];
  const json& second = all["configurations"][1];
  EXPECT_EQ(first["name"], "switch");
  EXPECT_EQ(first["seeds"], (json{7, 8}));
  std::vector<double> losses;
  for (const std::string& run : run_folders()) losses.push_back(frames_of(run).back()->validation_loss);
  const json loss = figure(first, "validation_loss"), other = figure(second, "validation_loss");
  EXPECT_DOUBLE_EQ(loss["by_seed"]["7"], losses[0]);
  EXPECT_DOUBLE_EQ(loss["by_seed"]["8"], losses[1]);
  EXPECT_NEAR(loss["mean"], (losses[0] + losses[1]) / 2, 1e-12);
  EXPECT_NEAR(loss["standard_error"], std::abs(losses[0] - losses[1]) / 2, 1e-12);
  EXPECT_NEAR(other["difference"]["mean"], (losses[2] + losses[3] - losses[0] - losses[1]) / 2, 1e-12);
  EXPECT_LE(figure(first, "steps_to_first")["mean"], 20) << "the first reaches its own loss";
  const json late = figure(first, "late_fluctuation");
  double sum = 0;
  int count = 0;
  for (const telemetry::FramePtr& frame : frames_of("switch/seed-7"))
    for (const float share : frame->probe && frame->step > 16 ? frame->probe->fluctuation_L : std::vector<float>()) {
      sum += share;
      ++count;
    }
  ASSERT_GT(count, 0);
  EXPECT_NEAR(late["by_seed"]["7"], 100 * sum / count, 1e-9);
  EXPECT_EQ(json::parse(content_of(path("out/compare.json"))), all);
}

TEST_F(Compare, TheRunsAreThoseOfTrain) {
  ASSERT_EQ(compare().code, 0);
  const Outcome alone = run({"train", config("smoe"), "--seed", "8", "--out", path("alone")});
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(content_of(path("alone/final.safetensors")), content_of(path("out/smoe/seed-8/final.safetensors")))
      << "a watched run is the same run";
}

TEST_F(Compare, StartedAgainItTrainsNothingAnew) {
  ASSERT_EQ(compare().code, 0);
  const std::string table = content_of(path("out/table.md"));
  std::vector<fs::file_time_type> times;
  for (const std::string& run : run_folders()) times.push_back(written(run));
  fs::remove(path("out/table.md"));
  const Outcome again = compare();
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, table);
  EXPECT_THAT(again.err, Not(HasSubstr("run 1 of 4")));
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(written(run_folders()[i]), times[i]);
  // More seeds are added to what is there.
  const Outcome more = run({"compare", config("switch"), config("smoe"), "--seeds", "3", "--out", path("out")});
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_THAT(more.err, HasSubstr("run 5 of 6: switch, seed 9\n"));
  EXPECT_EQ(written("switch/seed-7"), times[0]);
}

TEST_F(Compare, AnInterruptedOneContinues) {
  const std::vector<std::string> arguments{"compare", config("switch"), config("smoe"), "--seeds", "2", "--steps",
                                           "400",     "--out",          path("out")};
  const pid_t child = start(arguments);
  const auto is_there = [&](const std::string& name) { return fs::exists(path("out/" + name)); };
  const auto recorded = [&] {
    const auto reader = record::RunReader::open(path("out/smoe/seed-7"));
    return reader ? (*reader)->last_step() : 0;
  };
  for (int i = 0; i < 6000 && recorded() < 10; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(child, SIGINT);
  const Outcome stopped = wait(child);
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_EQ(stopped.out, "");
  EXPECT_THAT(stopped.err, HasSubstr("Stopped with 1 of 4 runs finished"));
  EXPECT_TRUE(is_there("switch/seed-7/report.json"));
  EXPECT_FALSE(is_there("switch/seed-8"));
  const auto first = written("switch/seed-7");
  const Outcome outcome = run(arguments);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("run 2 of 4: smoe, seed 7 did not end last time and goes on from step "));
  EXPECT_EQ(written("switch/seed-7"), first);
  EXPECT_EQ(frames_of("smoe/seed-7").size(), 400U);
  // What was cut short and went on is what it would have been.
  const Outcome alone = run({"train", config("smoe"), "--seed", "7", "--steps", "400", "--out", path("alone")});
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_EQ(content_of(path("alone/final.safetensors")), content_of(path("out/smoe/seed-7/final.safetensors")));
}

TEST_F(Compare, RulesOfEvaluationAreTakenWhereTheyFit) {
  const Outcome outcome = compare({"--k", "1,2,4"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("By rule of evaluation"));
  EXPECT_THAT(outcome.out, HasSubstr("eval_top_k = 4"));
  EXPECT_THAT(content_of(path("out/rule_eval_top_k.svg")), HasSubstr("Loss against eval_top_k at evaluation"));
  EXPECT_EQ(json::parse(content_of(path("out/switch/seed-7/report.json")))["rules"].size(), 1U);
  EXPECT_EQ(json::parse(content_of(path("out/smoe/seed-7/report.json")))["rules"].size(), 4U);
  // Other rules are evaluated anew, on the runs that are there.
  const auto weights = written("smoe/seed-7");
  ASSERT_EQ(compare({"--k", "2"}).code, 0);
  EXPECT_EQ(json::parse(content_of(path("out/smoe/seed-7/report.json")))["rules"].size(), 2U);
  EXPECT_EQ(written("smoe/seed-7"), weights);
}

TEST_F(Compare, NothingForeignIsTouched) {
  const std::string one = config("switch");
  write("out/switch/seed-7/thesis.txt", "mine");
  EXPECT_EQ(told({"compare", one, "--out", path("out")}), path("out/switch/seed-7") +
                                                              ": error: this folder holds something that is not a run\n"
                                                              "hint: name another folder with --out\n");
  EXPECT_EQ(content_of(path("out/switch/seed-7/thesis.txt")), "mine");
  write("docs/table.md", "mine");
  EXPECT_EQ(told({"compare", one, "--out", path("docs")}),
            path("docs/table.md") +
                ": error: is not of a comparison and would be overwritten\n"
                "hint: name another folder with --out\n");
  EXPECT_EQ(told({"compare", one, "--out", path("docs/table.md")}), path("docs/table.md") +
                                                                        ": error: a file of this name is in the way\n"
                                                                        "hint: name another folder with --out\n");
  EXPECT_EQ(content_of(path("docs/table.md")), "mine");
}

TEST_F(Compare, ARunWithoutItsRecordIsTrainedAnewOnlyWhereNothingElseLies) {
  const std::string one = config("switch");
  const std::vector<std::string> arguments{"compare", one, "--seeds", "1", "--out", path("out")};
  ASSERT_EQ(run(arguments).code, 0);
  const std::string weights = content_of(path("out/switch/seed-7/final.safetensors"));
  fs::remove(path("out/switch/seed-7/run.db"));
  EXPECT_THAT(told(arguments), HasSubstr("seed-7: error: holds a run without its run.db\n"));
  EXPECT_EQ(content_of(path("out/switch/seed-7/final.safetensors")), weights);
  // Killed before it began to record, there is nothing to lose.
  for (const char* name : {"checkpoints", "final.safetensors", "report.json"})
    fs::remove_all(path("out/switch/seed-7/") + name);
  ASSERT_EQ(run(arguments).code, 0);
  EXPECT_EQ(content_of(path("out/switch/seed-7/final.safetensors")), weights);
}

TEST_F(Compare, AnotherConfigurationInTheFolderIsAnError) {
  const std::string one = config("switch");
  ASSERT_EQ(run({"compare", one, "--seeds", "1", "--out", path("out")}).code, 0);
  EXPECT_EQ(told({"compare", one, "--seeds", "1", "--steps", "30", "--out", path("out")}),
            path("out/switch/seed-7") +
                ": error: holds a run of another configuration: train.steps is 20 there and 30 "
                "here\nhint: name another folder with --out\n");
}

TEST_F(Compare, WrongInputIsToldBeforeAnythingIsTrained) {
  const std::string one = config("switch");
  EXPECT_EQ(told({"compare"}), "error: CONFIG is required\nhint: moescope-cli compare --help tells what there is\n");
  EXPECT_EQ(told({"compare", one, path("none.toml"), "--out", path("out")}),
            path("none.toml") + ": error: there is no such file\n");
  EXPECT_THAT(told({"compare", one, "--steps", "0", "--out", path("out")}), HasSubstr("'steps' is 0, allowed is 1"));
  EXPECT_EQ(told({"compare", one, one, "--out", path("out")}), "error: '" + one + "' and '" + one +
                                                                   "' would both be called 'switch' in the table\n"
                                                                   "hint: give one of the files another name\n");
  EXPECT_THAT(told({"compare", one, "--seeds", "0", "--out", path("out")}), HasSubstr("--seeds"));
  EXPECT_THAT(told({"compare", one, "--k", "2", "--out", path("out")}), HasSubstr("error: --k needs a method"));
  EXPECT_THAT(told({"compare", one, config("smoe"), "--rule", "nonsense=1", "--out", path("out")}),
              HasSubstr("has no field 'nonsense'"));
  EXPECT_THAT(told({"compare", one, config("smoe"), "--k", "9", "--out", path("out")}), HasSubstr("4 experts"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(Compare, WarnsOfLossesThatDoNotCompare) {
  const std::string one = config("switch");
  std::string text = content_of(one);
  text.replace(text.find("context = 16"), 12, "context = 24");
  write("longer.toml", text);
  const Outcome outcome =
      run({"compare", one, path("longer.toml"), "--seeds", "1", "--steps", "5", "--out", path("out")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("warning: 'longer' and 'switch' differ in model.context, so their losses do not "
                                     "compare\n"));
  EXPECT_THAT(outcome.out, HasSubstr("Seed 7.\n")) << "one seed has no error";
}

TEST_F(Compare, TheClaimsCanBeRun) {
  std::vector<std::string> arguments{"check"};
  for (const auto& file : fs::recursive_directory_iterator(sample("claims")))
    if (file.path().extension() == ".toml") arguments.push_back(file.path());
  EXPECT_GE(arguments.size(), 15U);
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "") << "not even a warning";
}

TEST_F(Compare, OnATerminalThereIsOneProgressLine) {
  const Outcome outcome = run_on_terminal({"compare", config("switch"), "--seeds", "2", "--out", path("out")});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("run 2 of 2: switch, seed 8"));
  EXPECT_THAT(outcome.out, HasSubstr("20/20 [████████████]"));
}

}  // namespace
}  // namespace moescope::cli
