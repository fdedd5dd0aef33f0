#include "app/workbench/child_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/config/catalogue.h"

namespace moescope::app {
namespace {

using config::test_catalogue;
using testing::HasSubstr;

train::RunRequest full_request() {
  train::RunRequest request;
  request.config = *config::read_run_config(
      "name = \"fork é\"\nseed = 11\n[moe]\nmethod = \"smoe\"\n[moe.router]\ntop_k = 3\nbalance_coefficient = 4.0\n"
      "[train]\nlr = 0.1\nsteps = 33\n",
      "run.toml", test_catalogue());
  request.source_text = "# as typed\n";
  request.folder = "runs/\xff no UTF-8";
  request.origin = train::Origin{train::Origin::Use::kFork, "runs/parent", 120, 7};
  bus::Command command;
  command.kind = bus::CommandKind::kSet;
  command.key = "train.lr";
  command.value = 2.0;
  request.script = {{5, command}};
  request.cache_folder = "/cache";
  request.start_paused = true;
  request.watched = false;
  request.measured = true;
  request.pause_when_disk_full = false;
  return request;
}

const config::MethodInfo& method_of(const train::RunRequest& request) {
  static const config::MethodCatalogue catalogue = test_catalogue();
  return *config::find_method(catalogue, request.config.moe.method);
}

TEST(ChildRequest, EveryPartArrives) {
  const train::RunRequest sent = full_request();
  const auto got = read_request(request_bytes(sent, method_of(sent)), test_catalogue());
  ASSERT_TRUE(got) << format(got.error());
  EXPECT_EQ(config::to_toml(got->config, method_of(sent)), config::to_toml(sent.config, method_of(sent)));
  EXPECT_EQ(got->config.router, sent.config.router);
  EXPECT_EQ(got->source_text, sent.source_text);
  EXPECT_EQ(got->folder, sent.folder);
  ASSERT_TRUE(got->origin);
  EXPECT_EQ(got->origin->use, sent.origin->use);
  EXPECT_EQ(got->origin->folder, sent.origin->folder);
  EXPECT_EQ(got->origin->step, 120);
  EXPECT_EQ(got->origin->commands, 7);
  ASSERT_EQ(got->script.size(), 1U);
  EXPECT_EQ(got->script[0].step, 5);
  EXPECT_EQ(bus::describe(got->script[0].command), bus::describe(sent.script[0].command));
  EXPECT_EQ(got->script[0].command.value, config::Value(2.0));
  EXPECT_EQ(got->cache_folder, "/cache");
  EXPECT_TRUE(got->start_paused);
  EXPECT_FALSE(got->watched);
  EXPECT_TRUE(got->measured);
  EXPECT_FALSE(got->pause_when_disk_full);
}

TEST(ChildRequest, ARequestWithoutOriginHasNone) {
  train::RunRequest sent = full_request();
  sent.origin.reset();
  const auto got = read_request(request_bytes(sent, method_of(sent)), test_catalogue());
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->origin);
}

TEST(ChildRequest, MessagesPointWhereTheUserWrote) {
  const train::RunRequest sent = full_request();
  const auto got = read_request(request_bytes(sent, method_of(sent)), test_catalogue());
  ASSERT_TRUE(got);
  for (const char* key : {"train.lr", "moe.router.balance_coefficient", "name"})
    EXPECT_EQ(format(config::error_at(got->config, key, "no")), format(config::error_at(sent.config, key, "no")));
  ASSERT_EQ(got->config.written.size(), sent.config.written.size());
  for (const auto& [key, placed] : sent.config.written)
    EXPECT_EQ(got->config.written.at(key).value, placed.value) << key;  // a number stays a number
}

TEST(ChildRequest, AMethodThatThisBuildLacksIsRefused) {
  const train::RunRequest sent = full_request();
  config::MethodCatalogue fewer = test_catalogue();
  std::erase_if(fewer, [](const config::MethodInfo& method) { return method.id == "smoe"; });
  const auto got = read_request(request_bytes(sent, method_of(sent)), fewer);
  ASSERT_FALSE(got);
  EXPECT_THAT(format(got.error()), HasSubstr("smoe"));
}

TEST(ChildRequest, DamagedBytesAreRefusedAndNeverCrash) {
  const train::RunRequest sent = full_request();
  const std::string good = request_bytes(sent, method_of(sent));
  for (std::size_t size = 0; size < good.size(); size += size < 100 ? 1 : 29)
    EXPECT_FALSE(read_request(std::string_view(good).substr(0, size), test_catalogue())) << size;
  EXPECT_FALSE(read_request(good + 'x', test_catalogue()));
  for (std::size_t at = 0; at < good.size(); at += at < 50 ? 1 : 31) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    static_cast<void>(read_request(bad, test_catalogue()));  // some changes are good configurations too
  }
}

}  // namespace
}  // namespace moescope::app
