#include "core/bus/command_text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/config/override.h"

namespace moescope::bus {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// A whole number of 0 or more and nothing else.
std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || digits.front() == '-' || read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return std::nullopt;
  return value;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { skip_blanks(); }

  Result<Command> command() {
    const std::string verb(word());
    if (verb.empty()) return problem(begin_, "a command is missing", kVerbs);
    if (verb == "pause") return plain(CommandKind::kPause);
    if (verb == "resume") return plain(CommandKind::kResume);
    if (verb == "stop") return plain(CommandKind::kStop);
    if (verb == "step") return steps();
    if (verb == "freeze") return freeze(CommandKind::kFreezeRouter, CommandKind::kFreezeExpert);
    if (verb == "unfreeze") return freeze(CommandKind::kUnfreezeRouter, CommandKind::kUnfreezeExpert);
    if (verb == "pin") return on_layer(CommandKind::kPinAssignment, "assignment");
    if (verb == "unpin") return on_layer(CommandKind::kUnpinAssignment, "assignment");
    if (verb == "switch") return stage();
    if (verb == "set") return set();
    if (verb == "probe") return sentence();
    if (verb == "save") return save();
    const auto nearest = nearest_word(verb, verbs());
    return problem(begin_, "there is no command '" + printable(verb) + "'",
                   nearest ? "did you mean '" + *nearest + "'?" : kVerbs);
  }

 private:
  static constexpr const char* kVerbs =
      "commands are pause, resume, step, stop, freeze, unfreeze, pin, unpin, switch, set, probe and save";
  static std::vector<std::string> verbs() {
    return {"pause", "resume", "step", "stop", "freeze", "unfreeze", "pin", "unpin", "switch", "set", "probe", "save"};
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ == text_.size(); }

  /// The next word; begin_ is where it stands. Empty at the end.
  std::string_view word() {
    skip_blanks();
    begin_ = at_;
    while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
    const std::string_view found = text_.substr(begin_, at_ - begin_);
    skip_blanks();
    return found;
  }

  Diagnostic problem(std::size_t at, std::string message, std::string hint = {}) const {
    return {
        Severity::kError, {{}, 0, static_cast<int>(at) + 1, std::string(text_)}, std::move(message), std::move(hint)};
  }

  Result<Command> ended(Command command) const {
    if (!at_end()) return problem(at_, "'" + printable(text_.substr(at_)) + "' is more than the command takes");
    return command;
  }

  static Command made(CommandKind kind) {
    Command command;
    command.kind = kind;
    return command;
  }
  Result<Command> plain(CommandKind kind) const { return ended(made(kind)); }

  /// `letter` and a number, like "L2" or "E3".
  static std::optional<std::int64_t> lettered(std::string_view text, char letter) {
    if (text.empty() || (text.front() != letter && text.front() != letter + ('a' - 'A'))) return std::nullopt;
    return number(text.substr(1));
  }

  bool read_layer(std::string_view name, Command& command) const {
    const auto layer = lettered(name, 'L');
    if (!layer || *layer < 1 || *layer > std::numeric_limits<int>::max()) return false;
    command.layer = static_cast<int>(*layer) - 1;
    return true;
  }

  bool read_expert(std::string_view name, Command& command) const {
    const auto expert = lettered(name, 'E');
    if (!expert || *expert > std::numeric_limits<int>::max()) return false;
    command.expert = static_cast<int>(*expert);
    return true;
  }

  Result<Command> steps() {
    Command command = made(CommandKind::kStep);
    if (at_end()) return command;
    const auto count = number(word());
    if (!count || *count < 1) return problem(begin_, "step takes a whole number of 1 or more", "like 'step 10'");
    command.count = *count;
    return ended(std::move(command));
  }

  Result<Command> freeze(CommandKind router, CommandKind expert) {
    const std::size_t start = at_;
    const std::string_view what = word();
    if (what == "expert") return on_expert(expert);
    at_ = start;
    return on_layer(router, "router");
  }

  /// "<noun> L2" or "every <noun>".
  Result<Command> on_layer(CommandKind kind, const std::string& noun) {
    Command command = made(kind);
    const bool experts_too = noun == "router";
    const std::string hint =
        "like '" + noun + " L2' or 'every " + noun + "'" + (experts_too ? " or 'expert L2·E3'" : "");
    std::string_view what = word();
    const bool every = what == "every";
    if (every) what = word();
    if (what != noun) {
      const std::string asked = "'" + noun + "'" + (experts_too && !every ? " or 'expert'" : "");
      return problem(begin_, "here must stand " + asked, hint);
    }
    if (every) return ended(std::move(command));
    const std::string_view layer = word();
    if (!read_layer(layer, command))
      return problem(begin_, layer.empty() ? "a layer is missing" : "'" + printable(layer) + "' is no layer", hint);
    return ended(std::move(command));
  }

  /// "L2·E3", "L2 E3" or "E3 of every layer".
  Result<Command> on_expert(CommandKind kind) {
    constexpr std::string_view kDot = "·";
    const std::string hint = "like 'L2·E3', 'L2 E3' or 'E3 of every layer'; layers count from 1, experts from 0";
    Command command = made(kind);
    std::string_view first = word(), second;
    const std::size_t at = begin_;
    if (const std::size_t dot = first.find(kDot); dot != std::string_view::npos) {
      second = first.substr(dot + kDot.size());
      first = first.substr(0, dot);
    } else if (read_expert(first, command)) {
      for (const char* expected : {"of", "every", "layer"})
        if (word() != expected) return problem(begin_, std::string("here must stand '") + expected + "'", hint);
      return ended(std::move(command));
    } else {
      second = word();
    }
    if (!read_layer(first, command)) return problem(at, "'" + printable(first) + "' is no layer", hint);
    if (!read_expert(second, command))
      return problem(second.empty() ? begin_ : static_cast<std::size_t>(second.data() - text_.data()),
                     second.empty() ? "an expert is missing" : "'" + printable(second) + "' is no expert", hint);
    return ended(std::move(command));
  }

  Result<Command> stage() {
    const std::string hint = "like 'switch to stage 2'; stages count from 1";
    for (const char* expected : {"to", "stage"})
      if (word() != expected) return problem(begin_, std::string("here must stand '") + expected + "'", hint);
    Command command = made(CommandKind::kSwitchStage);
    const auto stage = number(word());
    if (!stage || *stage < 1) return problem(begin_, "a stage is a whole number of 1 or more", hint);
    command.count = *stage - 1;
    return ended(std::move(command));
  }

  Result<Command> set() {
    const std::string hint = "like 'set train.lr 0.002'";
    Command command = made(CommandKind::kSet);
    command.key = std::string(word());
    if (command.key.empty()) return problem(begin_, "a key is missing", hint);
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return problem(at_, "a value is missing", hint);
    const auto read = config::parse_override("x=" + std::string(rest));
    if (!read || !read->entry.value)
      return problem(at_, "'" + printable(rest) + "' is no value", "a value is a number, true, false or a text");
    command.value = *read->entry.value;
    return command;
  }

  Result<Command> sentence() {
    const std::string_view rest = text_.substr(at_);
    const std::size_t end = rest.rfind('"');
    if (rest.empty() || rest.front() != '"' || end == 0)
      return problem(at_, "the sentence must stand in quotes", "like 'probe \"a sentence\"'");
    Command command = made(CommandKind::kProbeSentence);
    command.text = std::string(rest.substr(1, end - 1));
    at_ += end + 1;
    skip_blanks();
    return ended(std::move(command));
  }

  Result<Command> save() {
    const std::string hint = "'save a checkpoint' or 'save weights to FILE'";
    const std::string_view what = word();
    if (what == "a") {
      if (word() != "checkpoint") return problem(begin_, "here must stand 'checkpoint'", hint);
      return plain(CommandKind::kCheckpoint);
    }
    if (what != "weights") return problem(begin_, "here must stand 'a checkpoint' or 'weights to'", hint);
    if (word() != "to") return problem(begin_, "here must stand 'to'", hint);
    if (at_end()) return problem(at_, "a file name is missing", hint);
    Command command = made(CommandKind::kSaveWeights);
    command.text = std::string(text_.substr(at_));
    return command;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  ///< of the last word
};

}  // namespace

Result<Command> parse_command(std::string_view text) { return Parser(text).command(); }

}  // namespace moescope::bus
