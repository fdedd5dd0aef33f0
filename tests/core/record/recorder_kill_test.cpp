// A recorder killed at random times, again and again on the same run: nothing that was acknowledged is missing, nothing
// is damaged. 50 kills; 200 with MOESCOPE_LONG set.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "core/base/log.h"
#include "tests/core/record/read_back.h"

extern char** environ;

namespace moescope::record {
namespace {

constexpr int kKillsPerRun = 5;

std::string victim_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "recorder_victim").string();
}

struct Victim {
  pid_t process = -1;
  int acknowledged = -1;  ///< the pipe's end to read from
};

Victim start_victim(const std::string& folder, int seed) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string program = victim_path(), place = folder, number = std::to_string(seed);
  std::array<char*, 4> arguments = {program.data(), place.data(), number.data(), nullptr};
  Victim victim;
  pid_t process = -1;
  const int problem = ::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ);
  EXPECT_EQ(problem, 0) << program << " cannot be started";
  if (problem == 0) victim.process = process;
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  victim.acknowledged = pipe[0];
  return victim;
}

/// Waits for the first acknowledgement, lets the victim live `more`, kills it; the newest step it acknowledged.
std::int64_t kill_after(const Victim& victim, std::chrono::microseconds more) {
  std::int64_t step = 0, newest = 0;
  if (::read(victim.acknowledged, &step, sizeof step) == sizeof step) newest = step;
  std::this_thread::sleep_for(more);
  int status = 0;
  // A victim that could not be started has no number, and -1 would mean everybody.
  if (victim.process > 0) ::kill(victim.process, SIGKILL);
  if (victim.process > 0) ::waitpid(victim.process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the victim ended by itself with " << WEXITSTATUS(status);
  while (::read(victim.acknowledged, &step, sizeof step) == sizeof step) newest = step;
  ::close(victim.acknowledged);
  return newest;
}

TEST(RecorderKill, NothingAcknowledgedIsLostAndNothingIsDamaged) {
  log::set_console(false);
  const int kills = std::getenv("MOESCOPE_LONG") != nullptr ? 200 : 50;
  std::mt19937 random(20'260'101);
  int lost = 0, damaged = 0;
  std::int64_t steps = 0, most_unacknowledged = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::unique_ptr<ScratchFolder> scratch;
  for (int kill = 0; kill < kills; ++kill) {
    if (kill % kKillsPerRun == 0) {
      scratch = std::make_unique<ScratchFolder>();
      std::filesystem::create_directory(*scratch / "run");
    }
    const std::string folder = *scratch / "run";
    const Victim victim = start_victim(folder, kill);
    ASSERT_GT(victim.process, 0);
    const std::int64_t acknowledged = kill_after(victim, std::chrono::microseconds(random() % 200'000));
    std::int64_t last = 0;
    const std::string fault = fault_of_run(folder, acknowledged, &last);
    if (!fault.empty()) ++(last < acknowledged ? lost : damaged);
    EXPECT_EQ(fault, "") << "after kill " << kill;
    const std::string check = quick_check(folder + "/run.db");
    if (check != "ok") ++damaged;
    EXPECT_EQ(check, "ok") << "after kill " << kill;
    most_unacknowledged = std::max(most_unacknowledged, last - acknowledged);
    if (kill % kKillsPerRun == kKillsPerRun - 1) steps += last;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%d kills in %.1f s over %lld steps: %d lost, %d damaged; at most %lld steps beyond the acknowledged\n",
              kills, seconds, static_cast<long long>(steps), lost, damaged,
              static_cast<long long>(most_unacknowledged));
}

TEST(RecorderKill, ASecondProgramIsRefusedWhileOneRecords) {
  const ScratchFolder scratch;
  const Victim victim = start_victim(scratch.path(), 1);
  ASSERT_GT(victim.process, 0);
  std::int64_t step = 0;
  ASSERT_EQ(::read(victim.acknowledged, &step, sizeof step), static_cast<ssize_t>(sizeof step));
  const auto begin = std::chrono::steady_clock::now();
  const auto second = RunWriter::reopen(scratch.path());
  ASSERT_FALSE(second);
  EXPECT_NE(format(second.error()).find("(process " + std::to_string(victim.process) + ")"), std::string::npos)
      << format(second.error());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));  // ten times its figure
  const std::int64_t acknowledged = kill_after(victim, std::chrono::milliseconds(20));
  EXPECT_EQ(fault_of_run(scratch.path(), acknowledged), "");
  EXPECT_TRUE(RunWriter::reopen(scratch.path()));
}

}  // namespace
}  // namespace moescope::record
