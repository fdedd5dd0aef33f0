#include "core/corpus/process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace moescope::corpus {
namespace {

TEST(Process, GivesOutputErrorsAndCode) {
  const auto result = run_process({{"sh", "-c", "echo out; echo err >&2; exit 3"}, {}, 1000, {}}, {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
  EXPECT_EQ(result->exit_code, 3);
}

TEST(Process, TakesNoWordForAShellCommand) {
  const auto result = run_process({{"echo", "$HOME; echo `id`"}, {}, 1000, {}}, {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->output, "$HOME; echo `id`\n");
}

TEST(Process, RunsInItsFolder) {
  const auto result = run_process({{"pwd"}, "/usr", 1000, {}}, {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->output, "/usr\n");
}

TEST(Process, ThatDoesNotExistIsAMessage) {
  const auto result = run_process({{"no-such-program-here"}, {}, 1000, {}}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(format(result.error()),
            "error: the program 'no-such-program-here' cannot be started: No such file or directory\n");
  EXPECT_FALSE(program_exists("no-such-program-here"));
  EXPECT_TRUE(program_exists("sh"));
}

TEST(Process, ThatWritesWithoutEndIsKilled) {
  const auto result = run_process({{"yes"}, {}, 1'000'000, {}}, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(format(result.error()), "error: the program 'yes' writes more than is taken from it\n");
}

TEST(Process, IsKilledWithItsChildrenWhenStopped) {
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto result = run_process({{"sh", "-c", "sleep 60; true"}, {}, 1000, {}}, source.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(format(result.error()),
            "error: the preparation of the corpus was stopped\nhint: start again to continue\n");
}

}  // namespace
}  // namespace moescope::corpus
