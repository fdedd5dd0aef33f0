#include "app/cli/replay_text.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace moescope::cli {
namespace {

using json = nlohmann::ordered_json;

std::string dumped(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + '\n'; }

/// "1 frame", "42 frames"
std::string counted(std::int64_t number, const std::string& noun) {
  return with_thousands(number) + ' ' + noun + (number == 1 ? "" : noun.ends_with("sh") ? "es" : "s");
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string result_text(const record::CommandRow& row) {
  if (!row.result) return "not carried out: the run ended first";
  return (row.result->done ? "" : "refused: ") + printable(row.result->text);
}

/// Columns as wide as their widest cell, two blanks between them; the last one is ragged.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], characters(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      text += "  " + (c + 1 < row.size() ? padded(row[c], widths[c]) : row[c]);
    text += '\n';
  }
  return text;
}

std::string machine(const record::RunFacts& facts) {
  std::string text;
  for (const auto& [key, value] : facts.determinism) text += (text.empty() ? "" : ", ") + key + ' ' + printable(value);
  return text;
}

std::string about(const RecordedRun& run) {
  const record::RunFacts& facts = run.reader->facts();
  std::string text = printable(facts.name) + " (" + printable(facts.method) + "), " + state_in_words(run) + "\n";
  text +=
      "run " + facts.id + ", recorded " + utc_text(facts.created_ns) + " in " + printable(run.reader->folder()) + '\n';
  if (!facts.parent_id.empty())
    text += "forked from run " + facts.parent_id + " (" + printable(facts.parent_folder) + ") at step " +
            with_thousands(facts.parent_step) + ", with " + counted(facts.parent_commands, "command") +
            " of its journal\n";
  if (const std::string on = machine(facts); !on.empty()) text += "on " + on + '\n';
  std::int64_t bytes = 0;
  for (const record::CheckpointRow& row : run.checkpoints) bytes += row.bytes;
  text += counted(run.reader->last_step(), "step") + ", " +
          counted(static_cast<std::int64_t>(run.reader->state_hashes().size()), "state hash") + ", " +
          counted(static_cast<std::int64_t>(run.checkpoints.size()), "checkpoint");
  if (!run.checkpoints.empty()) text += " (" + shortest(static_cast<double>(bytes / 100'000) / 10) + " MB)";
  return text + '\n';
}

std::string journal(const RecordedRun& run) {
  std::vector<std::vector<std::string>> rows{{"#", "step", "who", "command", "effect"}};
  for (const record::CommandRow& row : run.reader->commands())
    rows.push_back({std::to_string(row.number), with_thousands(row.apply_step), printable(row.command.who),
                    bus::describe(row.command), result_text(row)});
  std::string text = rows.size() == 1 ? "\nNo command was given.\n" : "\nJournal\n" + table(rows);
  if (const std::string broken = run.reader->journal_problem(); !broken.empty())
    text += "error: the journal is not as it was written: " + broken + '\n';
  return text;
}

/// Events that are not the echo of a journal row.
std::string events(const RecordedRun& run) {
  std::vector<std::vector<std::string>> rows;
  for (const record::EventRow& event : run.reader->events())
    if (event.kind != "command")
      rows.push_back({with_thousands(event.step), printable(event.who), printable(event.text)});
  return rows.empty() ? "" : "\nEvents\n" + table(rows);
}

std::string missing(const RecordedRun& run) {
  std::string text;
  for (const record::GapRow& gap : run.reader->gaps())
    text += "  " + counted(gap.dropped, gap.stream + " value") + " of steps " + with_thousands(gap.first_step) +
            " to " + with_thousands(gap.last_step) + ": " + printable(gap.reason) + '\n';
  for (const std::string& damage : run.reader->damages()) text += "  " + printable(damage) + '\n';
  return text.empty() ? "" : "\nNot in the file\n" + text;
}

}  // namespace

std::string padded(std::string text, std::size_t columns) {
  const std::size_t width = characters(text);
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string utc_text(std::int64_t nanoseconds) {
  const auto seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  char text[32];
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts) == 0)
    return "at an unknown time";
  return text;
}

std::string in_words(const RecordedRun& run) { return about(run) + journal(run) + events(run) + missing(run); }

std::string to_json(const RecordedRun& run) {
  const record::RunFacts& facts = run.reader->facts();
  json all = {{"run", run.reader->folder()},
              {"id", facts.id},
              {"name", facts.name},
              {"method", facts.method},
              {"created", utc_text(facts.created_ns)},
              {"step", run.reader->last_step()},
              {"steps", run.config.train.steps},
              {"being_trained", run.reader->being_written()},
              {"determinism", facts.determinism}};
  if (!facts.parent_id.empty())
    all["parent"] = {{"id", facts.parent_id},
                     {"run", facts.parent_folder},
                     {"step", facts.parent_step},
                     {"commands", facts.parent_commands}};
  all["checkpoints"] = json::array();
  for (const record::CheckpointRow& row : run.checkpoints)
    all["checkpoints"].push_back({{"step", row.step},
                                  {"file", row.file},
                                  {"bytes", row.bytes},
                                  {"kind", record::checkpoint_kind_name(row.kind)},
                                  {"state_hash", row.state_hash}});
  all["journal"] = json::array();
  for (const record::CommandRow& row : run.reader->commands()) {
    json one = {{"number", row.number},
                {"step", row.apply_step},
                {"who", row.command.who},
                {"command", bus::describe(row.command)}};
    if (row.result) one.update({{"done", row.result->done}, {"effect", row.result->text}});
    one["hash"] = row.hash;
    all["journal"].push_back(std::move(one));
  }
  if (const std::string broken = run.reader->journal_problem(); !broken.empty()) all["journal_problem"] = broken;
  all["events"] = json::array();
  for (const record::EventRow& event : run.reader->events())
    all["events"].push_back({{"step", event.step}, {"kind", event.kind}, {"who", event.who}, {"text", event.text}});
  all["gaps"] = json::array();
  for (const record::GapRow& gap : run.reader->gaps())
    all["gaps"].push_back({{"stream", gap.stream},
                           {"first_step", gap.first_step},
                           {"last_step", gap.last_step},
                           {"dropped", gap.dropped},
                           {"reason", gap.reason}});
  all["damages"] = run.reader->damages();
  return dumped(all);
}

std::string in_words(const train::Verdict& verdict) {
  const std::string compared = "steps " + with_thousands(verdict.first_step + 1) + " to " +
                               with_thousands(verdict.last_step) + ": " + counted(verdict.frames, "frame") + ", " +
                               counted(verdict.hashes, "state hash") + ", " + counted(verdict.commands, "command");
  std::string text;
  if (verdict.equal) {
    text = "Equal to the bit, " + compared + '\n';
  } else if (verdict.stopped && verdict.what.empty()) {
    const std::string step = std::to_string(verdict.last_step);
    text = verdict.frames == 0 ? "Stopped before a step was compared\n"
                               : "Stopped at step " + with_thousands(verdict.last_step) + "; equal up to there, " +
                                     compared + "; --from " + step + " goes on from there\n";
  } else if (verdict.what.empty()) {
    text = "The state could not be compared: no hash of it is recorded in these steps. Nothing else differs, " +
           compared + '\n';
  } else {
    text = "Differs at step " + with_thousands(verdict.differs_at) + ": " + printable(verdict.what) + '\n';
    text += verdict.last_equal > 0 ? "the whole state was equal at step " + with_thousands(verdict.last_equal) + '\n'
                                   : "no state hash was equal before\n";
    constexpr std::size_t kShown = 12;
    for (std::size_t i = 0; i < std::min(kShown, verdict.tensors.size()); ++i)
      text += (i == 0 ? "tensors that differ:\n  " : "  ") + printable(verdict.tensors[i]) + '\n';
    if (verdict.tensors.size() > kShown)
      text += "  and " + std::to_string(verdict.tensors.size() - kShown) + " more (--json names all)\n";
    text += "compared: " + compared + '\n';
  }
  for (const std::string& note : verdict.notes) text += "note: " + printable(note) + '\n';
  return text;
}

std::string to_json(const train::Verdict& verdict) {
  json all = {{"equal", verdict.equal},         {"stopped", verdict.stopped}, {"first_step", verdict.first_step},
              {"last_step", verdict.last_step}, {"frames", verdict.frames},   {"state_hashes", verdict.hashes},
              {"commands", verdict.commands}};
  if (!verdict.what.empty())
    all.update({{"differs_at", verdict.differs_at},
                {"what", verdict.what},
                {"last_equal", verdict.last_equal},
                {"tensors", verdict.tensors}});
  all["notes"] = verdict.notes;
  return dumped(all);
}

}  // namespace moescope::cli
