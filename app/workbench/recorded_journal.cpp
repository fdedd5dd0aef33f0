#include "app/workbench/recorded_journal.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "app/workbench/undo.h"

namespace moescope::app {
namespace {

JournalEntry entry_of(const record::CommandRow& row, const LoadedRun& run) {
  JournalEntry entry;
  entry.folder = run.folder;
  entry.step = row.apply_step;
  entry.number = row.number;
  entry.who = row.command.who;
  entry.what = bus::describe(row.command);
  entry.command = row.command;
  if (!row.result) {
    entry.effect = "the run ended before it acted; it acts when the run goes on";
    return entry;
  }
  entry.refused = !row.result->done;
  entry.effect = row.result->text;
  if (entry.refused || !bus::changes_training(row.command.kind)) return entry;
  if (const auto effect = effect_on_loss(run.history, row.apply_step))
    entry.effect += (entry.effect.empty() ? "" : "; ") + *effect;
  return entry;
}

}  // namespace

std::vector<JournalEntry> journal_of(const LoadedRun& run) {
  std::vector<JournalEntry> journal;
  for (const record::CommandRow& row : run.commands) journal.push_back(entry_of(row, run));
  for (const record::EventRow& event : run.events) {
    // A command's own row says more.
    if (event.kind == "command" || (event.kind == "stage_switch" && event.who != "schedule" && event.who != "lab"))
      continue;
    JournalEntry entry;
    entry.folder = run.folder;
    entry.step = event.step;
    entry.who = event.who;
    entry.failure = event.kind == "failure";
    entry.what = entry.failure ? "failed" : event.text;
    if (entry.failure) entry.effect = event.text;
    journal.push_back(std::move(entry));
  }
  std::stable_sort(journal.begin(), journal.end(),
                   [](const JournalEntry& a, const JournalEntry& b) { return a.step < b.step; });
  return journal;
}

void cut_journal(std::vector<JournalEntry>& journal, const train::Origin& origin) {
  const auto own = [&](const JournalEntry& entry) { return same_folder(entry.folder, origin.folder); };
  // Rows of older ancestors stand before the first of the origin's own; rows of descendants behind its last.
  const auto last = std::find_if(journal.rbegin(), journal.rend(), own);
  if (last != journal.rend()) journal.erase(last.base(), journal.end());
  std::erase_if(journal, [&](const JournalEntry& entry) {
    if (!own(entry)) return origin.step != train::Origin::kNewest && entry.step > origin.step;
    if (entry.number > 0 && origin.commands != train::Origin::kNewest) return entry.number > origin.commands;
    return origin.step != train::Origin::kNewest && entry.step >= origin.step;
  });
}

std::map<std::string, config::Value> values_after(const config::RunConfig& config,
                                                  const std::vector<JournalEntry>& journal) {
  std::map<std::string, config::Value> values = config::values_of(config, config::MethodInfo{});
  for (const auto& [key, value] : config.router) values["moe.router." + key] = value;
  for (const auto& [key, value] : config.stages) values["stages." + key] = value;
  for (const JournalEntry& entry : journal)
    if (entry.command && !entry.refused && !entry.pending) confirm_value(values, *entry.command);
  return values;
}

void confirm_value(std::map<std::string, config::Value>& values, const bus::Command& set) {
  if (set.kind != bus::CommandKind::kSet) return;
  config::Value& held = values[set.key];
  // A whole number is accepted for a number field and stays a number.
  const auto* integer = std::get_if<std::int64_t>(&set.value);
  held = integer != nullptr && std::holds_alternative<double>(held) ? config::Value(static_cast<double>(*integer))
                                                                    : set.value;
}

std::string short_run_name(const std::string& folder) {
  const std::string name = std::filesystem::path(folder).filename().string();
  const auto first = name.find('-'), last = name.rfind('-');
  constexpr std::size_t kStamp = sizeof "20261125T101502Z" - 1, kId = 8;
  const bool made_here = first == kStamp && name[kStamp - 1] == 'Z' && last > first && name.size() - last - 1 == kId;
  return made_here ? name.substr(last + 1) + " · " + name.substr(first + 1, last - first - 1) : name;
}

bool same_folder(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  if (a.empty() || b.empty()) return false;
  std::error_code failure;
  const auto place = [&](const std::string& path) {
    fs::path full = fs::weakly_canonical(fs::absolute(path, failure), failure);
    return failure ? fs::path(path) : full;
  };
  return place(a) == place(b);
}

}  // namespace moescope::app
