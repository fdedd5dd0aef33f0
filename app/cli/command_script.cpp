#include "app/cli/command_script.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "app/cli/registered.h"
#include "core/base/text.h"
#include "core/bus/command_text.h"
#include "core/config/override.h"
#include "core/record/output_file.h"

namespace moescope::cli {
namespace {

using bus::Command;
using bus::CommandKind;
using train::ScheduledCommand;

/// What a command may name in this run.
class Run {
 public:
  explicit Run(const config::RunConfig& config)
      : config_(config),
        catalogue_(registered_methods()),
        method_(*config::find_method(catalogue_, config.moe.method)),
        fields_(config::run_fields(method_)) {}

  /// Why the command cannot be meant for this run, or nothing.
  std::optional<Diagnostic> objection(const Command& command) const {
    const auto layers = static_cast<int>(config::moe_blocks(config_).size());
    if (command.layer >= layers)
      return error("there is no layer L" + std::to_string(command.layer + 1),
                   "this run has " + counted(layers, "MoE layer"));
    if (command.expert >= config_.moe.num_experts)
      return error("there is no expert E" + std::to_string(command.expert),
                   "experts of this run are E0 to E" + std::to_string(config_.moe.num_experts - 1));
    if (command.kind == CommandKind::kSwitchStage && command.count >= static_cast<std::int64_t>(method_.stages.size()))
      return error("there is no stage " + std::to_string(command.count + 1),
                   method_.title + " has " + counted(static_cast<int>(method_.stages.size()), "stage"));
    return command.kind == CommandKind::kSet ? objection_to_setting(command) : std::nullopt;
  }

  std::int64_t steps() const { return config_.train.steps; }

 private:
  static std::string counted(int number, const std::string& noun) {
    return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
  }

  std::optional<Diagnostic> objection_to_setting(const Command& command) const {
    std::vector<std::string> all, live;
    for (const auto& [key, spec] : fields_) {
      all.push_back(key);
      if (spec.live) live.push_back(key);
    }
    const auto found = fields_.find(command.key);
    if (found == fields_.end()) {
      const auto nearest = nearest_word(command.key, all);
      return error("there is no setting '" + printable(command.key) + "'",
                   nearest ? "did you mean '" + *nearest + "'?" : "those that can change are " + join_or(live));
    }
    config::FieldSpec spec = found->second;
    if (!spec.live)
      return error("'" + command.key + "' cannot change while a run goes on", "those that can are " + join_or(live));
    spec.key = command.key;  // messages name the full key
    if (std::string wrong = config::check_value(spec, command.value); !wrong.empty()) return error(std::move(wrong));
    return std::nullopt;
  }

  const config::RunConfig& config_;
  config::MethodCatalogue catalogue_;
  const config::MethodInfo& method_;
  std::map<std::string, config::FieldSpec> fields_;
};

class Script {
 public:
  Script(std::string file_name, const Run& run, std::int64_t first_step)
      : file_name_(std::move(file_name)), run_(run), first_step_(first_step) {}

  void line(const std::string& text) {
    ++number_;
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos || text[begin] == '#') return;
    std::int64_t step = 0;
    const char* last = text.data() + text.size();
    const auto read = std::from_chars(text.data() + begin, last, step);
    const bool whole = read.ec == std::errc{} && (read.ptr == last || *read.ptr == ' ' || *read.ptr == '\t');
    if (!whole || step < 0)
      return note(error("a line begins with the step its command acts at", "like '120 freeze router L2'"), text, begin);
    if (step < first_step_ || step > run_.steps())
      return note(error("step " + std::to_string(step) + " is not in this run",
                        "steps are " + std::to_string(first_step_) + " to " + std::to_string(run_.steps())),
                  text, begin);
    const auto behind = static_cast<std::size_t>(read.ptr - text.data());
    auto command = bus::parse_command(std::string_view(text).substr(behind));
    if (!command) {
      const Diagnostic& first = command.error().front();
      return note(first, text, behind + static_cast<std::size_t>(std::max(first.place.column, 1)) - 1);
    }
    const std::size_t word = text.find_first_not_of(" \t", behind);
    if (const auto objection = run_.objection(*command)) return note(*objection, text, word);
    command->who = "script";
    entries_.push_back({{step, std::move(*command)}, {file_name_, number_, static_cast<int>(word) + 1, text}});
  }

  Result<std::vector<ScheduledCommand>> finish() {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.scheduled.step < b.scheduled.step; });
    if (problems_.empty()) find_endless_pause();
    if (!problems_.empty()) return problems_;
    std::vector<ScheduledCommand> commands;
    for (Entry& entry : entries_) commands.push_back(std::move(entry.scheduled));
    return commands;
  }

 private:
  struct Entry {
    ScheduledCommand scheduled;
    Place place;
  };

  void note(Diagnostic problem, const std::string& text, std::size_t column) {
    problem.place = {file_name_, number_, static_cast<int>(column) + 1, text};
    problems_.push_back(std::move(problem));
  }

  /// Nobody sits in front of a script: what pauses must be followed, at the step it pauses at, by what goes on.
  void find_endless_pause() {
    std::optional<std::int64_t> pauses_at;
    const Entry* cause = nullptr;
    for (const Entry& entry : entries_) {
      const auto& [step, command] = entry.scheduled;
      if (pauses_at && step > *pauses_at) break;
      const bool paused = pauses_at && step == *pauses_at;
      if (command.kind == CommandKind::kStop) {
        return;
      } else if (command.kind == CommandKind::kResume && paused) {
        pauses_at.reset();
      } else if (command.kind == CommandKind::kPause || command.kind == CommandKind::kStep) {
        pauses_at = command.kind == CommandKind::kPause ? step : step + command.count;
        cause = &entry;
      }
    }
    if (!pauses_at || *pauses_at >= run_.steps()) return;
    Diagnostic problem = error("the run would pause at step " + std::to_string(*pauses_at) + " and wait for ever",
                               "add the line '" + std::to_string(*pauses_at) + " resume'");
    problem.place = cause->place;
    problems_.push_back(std::move(problem));
  }

  std::string file_name_;
  const Run& run_;
  std::int64_t first_step_;
  int number_ = 0;
  std::vector<Entry> entries_;
  Diagnostics problems_;
};

}  // namespace

Result<std::vector<ScheduledCommand>> parse_script(const std::string& text, const std::string& file_name,
                                                   const config::RunConfig& config, std::int64_t first_step) {
  const Run run(config);
  Script script(file_name, run, first_step);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    script.line(line);
    begin = end + 1;
  }
  return script.finish();
}

Result<std::vector<ScheduledCommand>> read_script(const std::string& path, const config::RunConfig& config,
                                                  std::int64_t first_step) {
  constexpr std::uintmax_t kMostBytes = 1 << 20;
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return record::about_file(path, "there is no such file");
  if (!std::filesystem::is_regular_file(path, failure)) return record::about_file(path, "this is not a file");
  if (std::filesystem::file_size(path, failure) > kMostBytes)
    return record::about_file(path, "is larger than 1 MiB", "a script has one line for each command");
  std::ifstream file(path, std::ios::binary);
  if (!file) return record::about_file(path, "cannot be read");
  return parse_script({std::istreambuf_iterator<char>(file), {}}, path, config, first_step);
}

Result<std::vector<ScheduledCommand>> settings_as_commands(const std::vector<std::string>& settings,
                                                           const config::RunConfig& config, std::int64_t step) {
  const Run run(config);
  std::vector<ScheduledCommand> commands;
  Diagnostics problems;
  for (const std::string& text : settings) {
    const auto read = config::parse_override(text);
    if (!read) {
      problems.insert(problems.end(), read.error().begin(), read.error().end());
      continue;
    }
    Command command;
    command.kind = CommandKind::kSet;
    command.key = read->entry.key;
    command.value = read->entry.value.value_or(config::Value(read->bare));
    auto objection = run.objection(command);
    // A word like `true` may be meant as a text: the field's own type decides.
    if (objection) {
      Command as_text = command;
      as_text.value = read->bare;
      if (!run.objection(as_text)) command = std::move(as_text), objection.reset();
    }
    if (objection) {
      objection->place = read->entry.key_place;
      problems.push_back(std::move(*objection));
    } else {
      commands.push_back({step, std::move(command)});
    }
  }
  if (!problems.empty()) return problems;
  return commands;
}

}  // namespace moescope::cli
