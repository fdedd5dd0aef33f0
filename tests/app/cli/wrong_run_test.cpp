// Folders that are no run, or not a whole one: every verb that takes a run says what is wrong, and changes nothing.
#include "tests/app/cli/recorded.h"
#include "tests/test_python.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;

class WrongRun : public Recorded {
 protected:
  inline static std::string trained_;  ///< a folder with the run "good", made by the first test

  void SetUp() override {
    Recorded::SetUp();
    if (trained_.empty()) {
      ASSERT_EQ(train(config("stablemoe", 30), "good", {"--commands", write("script", "22 stop\n")}).code, 0);
      std::string pattern = (fs::temp_directory_path() / "moescope_good_XXXXXX").string();
      trained_ = ::mkdtemp(pattern.data());
      fs::copy(folder_, trained_, fs::copy_options::recursive);
    } else {
      fs::copy(trained_, folder_, fs::copy_options::recursive);
    }
  }
  static void TearDownTestSuite() { fs::remove_all(trained_); }

  /// What the verbs say, which all is the same.
  std::string told(const std::string& name) const {
    const bool is_folder = fs::is_directory(path(name));
    const auto before = is_folder ? bytes_of(name) : std::map<std::string, std::string>();
    const Outcome resume = run({"resume", path(name)});
    EXPECT_EQ(resume.code, 2) << name << ": " << resume.err;
    EXPECT_EQ(resume.out, "");
    for (const std::vector<std::string>& more : {std::vector<std::string>{"replay", path(name)},
                                                 {"replay", path(name), "--verify"},
                                                 {"fork", path(name), "--step", "10", "--out", path("child")}}) {
      const Outcome other = run(more);
      EXPECT_EQ(other.code, 2) << name << ": " << other.err;
      EXPECT_EQ(other.err, resume.err) << more.front();
    }
    EXPECT_FALSE(fs::exists(path("child")));
    if (is_folder) {
      EXPECT_EQ(bytes_of(name), before) << name;
    }
    EXPECT_THAT(resume.err, HasSubstr("error: "));
    return resume.err;
  }

  void change(const std::string& name, const std::function<void(std::string&)>& how) {
    copy_run("good", name);
    std::string bytes = content_of(path(name + "/run.db"));
    how(bytes);
    std::ofstream(path(name + "/run.db"), std::ios::binary) << bytes;
  }
};

TEST_F(WrongRun, NoFolderAFileAndAForeignFolder) {
  EXPECT_THAT(told("none"), HasSubstr("there is no"));
  write("file.txt", "text");
  told("file.txt");
  write("docs/thesis.txt", "mine");
  told("docs");
}

TEST_F(WrongRun, HalfCopied) {
  copy_run("good", "half");
  fs::remove(path("half/run.db"));
  EXPECT_THAT(told("half"), HasSubstr("run.db"));
}

TEST_F(WrongRun, TruncatedGarbledAndEmpty) {
  change("truncated", [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  told("truncated");
  change("stub", [](std::string& bytes) { bytes.resize(100); });
  told("stub");
  change("empty", [](std::string& bytes) { bytes.clear(); });
  told("empty");
  change("garbled", [](std::string& bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i * 31);
  });
  told("garbled");
}

TEST_F(WrongRun, OfANewerVersion) {
  copy_run("good", "newer");
  tamper("newer", "PRAGMA user_version = 99");
  const std::string text = told("newer");
  EXPECT_THAT(text, HasSubstr("99"));
  EXPECT_THAT(text, AnyOf(HasSubstr("newer"), HasSubstr("later")));
}

TEST_F(WrongRun, WithATableOrATriggerThatIsNotOurs) {
  copy_run("good", "trigger");
  tamper("trigger",
         "CREATE TRIGGER t AFTER INSERT ON chunk BEGIN DELETE FROM command; END; INSERT INTO gap VALUES "
         "(NULL, 'probe', 1, 1, 1, 'x')");
  told("trigger");
}

TEST_F(WrongRun, WithAConfigurationThatThisBuildDoesNotKnow) {
  copy_run("good", "method");
  tamper("method",
         "UPDATE meta SET value = CAST(replace(CAST(value AS TEXT), 'method = \\\"stablemoe\\\"', "
         "'method = \\\"stablemop\\\"') AS BLOB) WHERE key = 'facts'");
  const std::string text = told("method");
  EXPECT_THAT(text, HasSubstr("stablemoe"));
}

TEST_F(WrongRun, OneDamagedChunkIsNamedAndTheRestIsUsed) {
  copy_run("good", "chunk");
  tamper("chunk", "UPDATE chunk SET data = zeroblob(length(data)) WHERE stream = 'probe'");
  const Outcome read = run({"replay", path("chunk")});
  EXPECT_EQ(read.code, 0) << read.err;
  const Outcome outcome = run({"resume", path("chunk")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(run({"resume", path("good")}).code, 0);
  EXPECT_EQ(weights("chunk"), weights("good")) << "what steers training is not in that chunk";
}

TEST_F(WrongRun, AReadOnlyFolderCanBeRead) {
  copy_run("good", "locked");
  fs::permissions(path("locked"), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(run({"replay", path("locked")}).code, 0);
  const auto told_so = verdict("locked");
  EXPECT_EQ(told_so["code"], 0) << told_so;
  fs::permissions(path("locked"), fs::perms::owner_all);
}

TEST_F(WrongRun, ACheckpointOpensInPython) {
  MOESCOPE_NEEDS_TEST_PYTHON();
  std::vector<std::string> files{path("good/final.safetensors")};
  for (const auto& file : fs::directory_iterator(path("good/checkpoints"))) files.push_back(file.path());
  EXPECT_GE(files.size(), 3U);
  const std::string told = run_test_python(
      "import sys\n"
      "from safetensors import safe_open\n"
      "for path in sys.argv[1:]:\n"
      "  with safe_open(path, framework='np') as f:\n"
      "    names = list(f.keys())\n"
      "    for name in names: f.get_tensor(name)\n"
      "    print(len(names), f.metadata())\n",
      files);
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), static_cast<std::ptrdiff_t>(files.size())) << told;
  EXPECT_THAT(told, HasSubstr("'format': 'moescope checkpoint 1'"));
  EXPECT_THAT(told, HasSubstr("'state_hash': '" + open("good")->checkpoints().back().state_hash + "'"));
}

}  // namespace
}  // namespace moescope::cli
