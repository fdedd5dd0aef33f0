#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/cli/recorded_run.h"
#include "app/cli/replay_text.h"
#include "app/cli/verb.h"
#include "app/workbench/recorded_journal.h"
#include "core/base/text.h"
#include "core/record/output_file.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;

struct RunsOptions {
  std::string folder = "runs";
  bool json = false;
};

struct Found {
  std::string folder;
  record::RunFacts facts;
  std::string state;
  std::int64_t step = 0;
};

constexpr int kDepth = 4;  // a comparison keeps its runs two folders down

/// Every run at or below `folder`; what cannot be read is named on stderr.
void find(const fs::path& folder, int depth, std::vector<Found>& all) {
  std::error_code failure;
  // One that ended before it was recorded, or that was copied in part, is named too.
  if (fs::exists(folder / "run.db", failure) || fs::exists(folder / "config.source.toml", failure)) {
    const auto run = open_recorded(folder.string());
    if (run) {
      all.push_back(
          {folder.lexically_normal().string(), run->reader->facts(), state_in_words(*run), run->reader->last_step()});
    } else {
      std::fputs(format(run.error()).c_str(), stderr);
    }
    return;
  }
  if (depth == 0) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure))
    if (entry.is_directory(failure) && !entry.is_symlink(failure)) find(entry.path(), depth - 1, all);
}

/// Of the run that a fork left, when it is in the list too: where it was left rather than a copy of it.
std::string parent_of(const Found& run, const std::vector<Found>& all) {
  if (run.facts.parent_id.empty()) return "";
  auto parent = all.end();
  for (auto one = all.begin(); one != all.end(); ++one) {
    if (one->facts.id != run.facts.parent_id) continue;
    if (parent == all.end() || app::same_folder(one->folder, run.facts.parent_folder)) parent = one;
  }
  return (parent == all.end() ? printable(run.facts.parent_folder) : printable(parent->folder)) + " at step " +
         with_thousands(run.facts.parent_step);
}

void print_table(const std::vector<Found>& all) {
  std::size_t folder = 6, name = 4, method = 6, state = 5;
  for (const Found& run : all) {
    folder = std::max(folder, run.folder.size());
    name = std::max(name, run.facts.name.size());
    method = std::max(method, run.facts.method.size());
    state = std::max(state, run.state.size());
  }
  const auto line = [&](const std::string& a, const std::string& b, const std::string& c, const std::string& d,
                        const std::string& e, const std::string& f) {
    std::string text = padded(a, 20) + "  " + padded(b, name) + "  " + padded(c, method) + "  " + padded(d, state) +
                       "  " + padded(e, folder) + "  " + f;
    text.erase(text.find_last_not_of(' ') + 1);
    std::puts(text.c_str());
  };
  line("recorded", "name", "method", "state", "folder", "forked from");
  for (const Found& run : all)
    line(utc_text(run.facts.created_ns), printable(run.facts.name), printable(run.facts.method), run.state,
         printable(run.folder), parent_of(run, all));
}

void print_json(const std::vector<Found>& all) {
  auto list = nlohmann::ordered_json::array();
  for (const Found& run : all) {
    nlohmann::ordered_json one = {{"run", run.folder},
                                  {"id", run.facts.id},
                                  {"name", run.facts.name},
                                  {"method", run.facts.method},
                                  {"state", run.state},
                                  {"step", run.step},
                                  {"created", utc_text(run.facts.created_ns)}};
    if (!run.facts.parent_id.empty())
      one.update({{"parent_id", run.facts.parent_id}, {"parent_step", run.facts.parent_step}});
    list.push_back(std::move(one));
  }
  std::puts(list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

int runs(const RunsOptions& options) {
  std::error_code failure;
  if (!fs::is_directory(options.folder, failure)) {
    std::fputs(
        format(record::about_file(options.folder, "there is no such folder", "name the folder that holds the runs"))
            .c_str(),
        stderr);
    return kWrongInput;
  }
  std::vector<Found> all;
  find(options.folder, kDepth, all);
  std::stable_sort(all.begin(), all.end(),
                   [](const Found& a, const Found& b) { return a.facts.created_ns < b.facts.created_ns; });
  if (options.json) {
    print_json(all);
  } else if (all.empty()) {
    std::fprintf(stderr, "No recorded run in %s\n", printable(options.folder).c_str());
  } else {
    print_table(all);
  }
  return kDone;
}

}  // namespace

Verb add_runs(CLI::App& program) {
  auto options = std::make_shared<RunsOptions>();
  CLI::App* verb = program.add_subcommand("runs", "List recorded runs, the oldest first");
  verb->add_option("FOLDER", options->folder, "Where to look, also in folders below")->capture_default_str();
  verb->add_flag("--json", options->json, "A JSON list on stdout");
  verb->footer(
      "A run is finished, stopped (when asked to), failed, interrupted (its process ended before it could record an\n"
      "end; resume goes on with it), running, or damaged.\n"
      "Exit codes: 0 done, 2 the input is wrong.");
  return {verb, [options] { return runs(*options); }};
}

}  // namespace moescope::cli
