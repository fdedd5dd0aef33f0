// What a run leaves, on stdout and in its folder.
#include <sys/stat.h>

#include "core/record/run_reader.h"
#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Train : public Program {};

std::vector<double> losses(const std::vector<json>& lines) {
  std::vector<double> values;
  for (const json& line : lines)
    if (line.contains("losses")) values.push_back(line["losses"]["task"]);
  return values;
}

TEST_F(Train, LeavesAWholeFolderAndJsonLines) {
  const std::string config = tiny_config();
  const Outcome outcome = run({"train", config, "--json", "--out", path("first"), "--set", "train.lr=0.002"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto lines = json_lines(outcome.out);
  ASSERT_EQ(lines.size(), 32U);
  EXPECT_EQ(lines.front()["run"], path("first"));
  EXPECT_EQ(lines.front()["steps"], 30);
  EXPECT_EQ(lines.back()["state"], "finished");
  EXPECT_EQ(lines.back()["step"], 30);
  EXPECT_TRUE(lines.back()["validation"].is_number());
  for (std::size_t i = 1; i <= 30; ++i) {
    EXPECT_EQ(lines[i]["step"], i);
    EXPECT_EQ(lines[i]["layers"][0]["load"].size(), 4U);
  }

  const std::vector<std::string> files{
      "checkpoints", "config.source.toml", "config.toml", "final.safetensors", "lock", "log.txt", "run.db"};
  std::vector<std::string> there;
  for (const auto& file : fs::directory_iterator(path("first"))) there.push_back(file.path().filename());
  std::sort(there.begin(), there.end());
  EXPECT_EQ(there, files) << "nothing temporary stays";
  const auto recorded = record::RunReader::open(path("first"));
  ASSERT_TRUE(recorded) << format(recorded.error());
  EXPECT_EQ((*recorded)->frames(1, 30).size(), 30U);
  EXPECT_GT(fs::file_size(path("first/final.safetensors")), 1000U);
  EXPECT_TRUE(content_of(path("first/config.source.toml")).starts_with(content_of(config)));
  EXPECT_THAT(content_of(path("first/config.source.toml")), HasSubstr("--set train.lr=0.002"));
  EXPECT_THAT(content_of(path("first/config.toml")), HasSubstr("lr = 0.002 "));
  EXPECT_THAT(content_of(path("first/log.txt")), HasSubstr("finished at step 30"));
}

TEST_F(Train, TheResolvedConfigurationRepeatsTheRunToTheBit) {
  const std::string config = tiny_config();
  const Outcome first = run({"train", config, "--seed", "3", "--steps", "10", "--out", path("first")});
  const Outcome again = run({"train", path("first/config.toml"), "--out", path("again")});
  const Outcome other = run({"train", config, "--seed", "4", "--steps", "10", "--out", path("other")});
  ASSERT_EQ(first.code + again.code + other.code, 0) << first.err << again.err << other.err;
  EXPECT_EQ(losses(json_lines(first.out)), losses(json_lines(again.out)));
  EXPECT_EQ(content_of(path("first/final.safetensors")), content_of(path("again/final.safetensors")));
  EXPECT_NE(losses(json_lines(first.out)), losses(json_lines(other.out)));
}

TEST_F(Train, WithoutOutTheFolderIsANewOneUnderRuns) {
  const Outcome outcome = run({"train", tiny_config(), "--steps", "2"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string folder = json_lines(outcome.out).front()["run"];
  EXPECT_THAT(folder, testing::MatchesRegex("runs/[0-9]{8}T[0-9]{6}Z-tiny-[0-9a-f]{8}"));
  EXPECT_TRUE(fs::exists(path(folder + "/final.safetensors")));
}

TEST_F(Train, OnATerminalThereIsAProgressLine) {
  const Outcome outcome = run_on_terminal({"train", tiny_config(), "--out", path("run")});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_TRUE(outcome.out.starts_with("Run folder: " + path("run"))) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("30/30 [████████████████████] 100 %"));
  EXPECT_THAT(outcome.out, HasSubstr(" bits/token"));
  EXPECT_THAT(outcome.out, HasSubstr(" of 4 experts"));
  EXPECT_THAT(outcome.out, HasSubstr("Finished at step 30 after "));
}

TEST_F(Train, ADiskThatFillsIsAFailedRunWithWholeStepsThatGoesOnLater) {
  const std::string config = tiny_config();
  const Outcome outcome = run({"train", config, "--steps", "1000", "--no-probe", "--out", path("run")},
                              {.file_limit = 400000, .stdout_to = "/dev/null"});
  ASSERT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("error: the run failed at step "));
  EXPECT_THAT(outcome.err, HasSubstr("(record): " + path("run/run.db") + ": cannot be written: File too large"));
  const auto whole_steps = [&] {
    const auto recorded = record::RunReader::open(path("run"));
    if (!recorded) throw std::runtime_error(format(recorded.error()));
    const std::int64_t last = (*recorded)->last_step();
    const auto frames = (*recorded)->frames(1, last);
    EXPECT_EQ(frames.size(), static_cast<std::size_t>(last));
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i]->step, i + 1);
    EXPECT_THAT((*recorded)->damages(), testing::IsEmpty()) << "a run without a probe stays one";
    return last;
  };
  EXPECT_GT(whole_steps(), 10);
  const Outcome rest = run({"resume", path("run")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(whole_steps(), 1000);
  ASSERT_EQ(run({"train", config, "--steps", "1000", "--no-probe", "--out", path("unhindered")}).code, 0);
  EXPECT_EQ(content_of(path("run/final.safetensors")), content_of(path("unhindered/final.safetensors")));
}

TEST_F(Train, ADiskWithoutSpaceIsToldBeforeTheFirstStep) {
  const Outcome outcome = run({"train", tiny_config(), "--out", path("run")}, {.file_limit = 40000, .stdout_to = ""});
  EXPECT_EQ(outcome.code, 2) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("error: the run failed at step 0 (prepare): "));
  EXPECT_THAT(outcome.err, HasSubstr("run.db"));
}

TEST_F(Train, AFullStdoutStopsTheRun) {
  const Outcome outcome =
      run({"train", tiny_config(), "--steps", "1000000", "--out", path("run")}, {.stdout_to = "/dev/full"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("error: stdout cannot be written: No space left on device"));
}

TEST_F(Train, AReaderThatGoesStopsTheRunAndLeavesWholeFiles) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const pid_t child =
      start({"train", tiny_config(), "--steps", "1000000", "--out", path("run")}, {.stdout_to = path("pipe")});
  {
    std::ifstream reader(path("pipe"));
    std::string line;
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(std::getline(reader, line));
  }
  const Outcome outcome = wait(child);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("error: stdout cannot be written: Broken pipe"));
  EXPECT_TRUE(fs::exists(path("run/final.safetensors")));
}

class EverySample : public Program, public testing::WithParamInterface<std::string> {};

TEST_P(EverySample, TrainsAFewSteps) {
  std::vector<std::string> arguments{"train", sample(GetParam()), "--steps", "3", "--out", path("run")};
  // The manuals and the catalogs take minutes to prepare and are tested elsewhere.
  const std::string text = content_of(sample(GetParam()));
  if (text.find("\"classification\"") != std::string::npos) GTEST_SKIP() << "only the manuals have classes";
  if (text.find("synthetic") == std::string::npos) {
    const bool pairs = text.find("\"translation\"") != std::string::npos;
    const std::string corpus = pairs ? "data.corpus=synthetic_pairs" : "data.corpus=synthetic";
    arguments.insert(arguments.end(), {"--set", corpus, "--set", "data.tokenizer=bytes"});
  }
  const Outcome outcome = run(arguments);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(losses(json_lines(outcome.out)).size(), 3U);
  EXPECT_TRUE(fs::exists(path("run/final.safetensors")));
}

TEST_P(EverySample, PassesCheckWithoutAWarning) {
  const Outcome outcome = run({"check", sample(GetParam())});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  // What its lint warns of is what the collapse sample shows.
  if (GetParam() == "collapse.toml") {
    EXPECT_THAT(outcome.err, HasSubstr("warning: "));
  } else {
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, HasSubstr(": ok ("));
  }
}

std::vector<std::string> samples() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(MOESCOPE_SOURCE_DIR "/sample_configs"))
    if (file.path().extension() == ".toml") names.push_back(file.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Samples, EverySample, testing::ValuesIn(samples()),
                         [](const auto& sample) { return std::string(sample.param, 0, sample.param.find('.')); });

}  // namespace
}  // namespace moescope::cli
