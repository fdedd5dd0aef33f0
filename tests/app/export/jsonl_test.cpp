#include "app/export/jsonl_exporter.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/app/export/small_run.h"

namespace moescope::exports {
namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::string& path) {
  std::istringstream text(record::content_of(path));
  std::vector<json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(Jsonl, HasALinePerStepCommandAndLoad) {
  record::ScratchFolder folder;
  const ExportedRun run = small_run();
  ExportFiles files(folder.path());
  const auto exporter = jsonl_exporter(run, files);
  carry_through(*exporter, files, small_frames());

  const auto metrics = lines_of(folder / "metrics.jsonl");
  ASSERT_EQ(metrics.size(), 3U);
  EXPECT_EQ(metrics[1]["validation"], 1.5);
  EXPECT_EQ(metrics[2]["stage"], 2);

  const auto journal = lines_of(folder / "journal.jsonl");
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal[0]["value"], 0.002);
  EXPECT_EQ(journal[1]["layer"], 2);
  EXPECT_EQ(journal[1]["done"], false);
  EXPECT_EQ(journal[2]["effect"], "logged; the record ends before it acted");

  const auto loads = lines_of(folder / "loads.jsonl");
  ASSERT_EQ(loads.size(), 12U);
  EXPECT_EQ(loads[0], json::parse(R"({"step":1,"layer":1,"expert":0,"load":3,"dropped":1,"capacity":2})"));
  EXPECT_EQ(loads[3], json::parse(R"({"step":1,"layer":2,"expert":1,"load":0,"dropped":0})"));
}

}  // namespace
}  // namespace moescope::exports
