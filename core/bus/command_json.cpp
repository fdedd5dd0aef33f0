#include "core/bus/command_json.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/bus/limited_json.h"

namespace moescope::bus {
namespace {

// Keys stay in the order they are added: that order is part of what the journal's hashes cover, so it never changes.
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 16 << 20;
constexpr int kMostDepth = 8;
constexpr std::int64_t kMostLayers = 1 << 20;
constexpr std::int64_t kMostExperts = 1 << 20;

Json json_of(const config::Value& value) {
  // A double that JSON has no number for must not become a text or nothing.
  if (const auto* number = std::get_if<double>(&value)) {
    Json json = number_json(*number);
    if (!json.is_number()) return {{"double", std::move(json)}};
    return json;
  }
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Result<config::Value> value_of(const nlohmann::json& json) {
  if (json.is_boolean()) return config::Value(json.get<bool>());
  if (json.is_string()) return config::Value(json.get<std::string>());
  if (json.is_number_float()) return config::Value(json.get<double>());
  if (json.is_number_integer() && (!json.is_number_unsigned() || json.get<std::uint64_t>() >> 63U == 0))
    return config::Value(json.get<std::int64_t>());
  if (json.is_object()) {
    JsonParts parts(json, "a value");
    const double number = parts.number("double");
    if (parts.finish()) return config::Value(number);
  }
  return error("a value is true, false, a number or a text");
}

config::Value value_of(JsonParts& parts, const char* key) {
  const nlohmann::json& json = parts.any(key);
  Result<config::Value> value = value_of(json);
  if (value) return std::move(value).value();
  parts.fail(" has a \"" + std::string(key) + "\" that is neither true, false, a number nor a text");
  return false;
}

enum class Part { kLayer, kExpert, kCount, kStage, kSetting, kText, kWants };

/// What a command of this kind is about.
std::vector<Part> parts_of(CommandKind kind) {
  switch (kind) {
    case CommandKind::kFreezeRouter:
    case CommandKind::kUnfreezeRouter:
    case CommandKind::kPinAssignment:
    case CommandKind::kUnpinAssignment: return {Part::kLayer};
    case CommandKind::kFreezeExpert:
    case CommandKind::kUnfreezeExpert: return {Part::kExpert, Part::kLayer};
    case CommandKind::kStep: return {Part::kCount};
    case CommandKind::kSwitchStage: return {Part::kStage};
    case CommandKind::kSet: return {Part::kSetting};
    case CommandKind::kProbeSentence:
    case CommandKind::kSaveWeights: return {Part::kText};
    case CommandKind::kWatch: return {Part::kWants};
    case CommandKind::kPause:
    case CommandKind::kResume:
    case CommandKind::kStop:
    case CommandKind::kCheckpoint: return {};
  }
  return {};
}

Json json_of(const Command& command) {
  Json json = {{"kind", kind_name(command.kind)}, {"seq", command.seq}, {"who", command.who}};
  for (const Part part : parts_of(command.kind)) {
    switch (part) {
      case Part::kLayer: json["layer"] = command.layer == kAllLayers ? Json("all") : Json(command.layer + 1); break;
      case Part::kExpert: json["expert"] = command.expert; break;
      case Part::kCount: json["count"] = command.count; break;
      case Part::kStage: json["stage"] = command.count + 1; break;
      case Part::kSetting:
        json["key"] = command.key;
        json["value"] = json_of(command.value);
        break;
      case Part::kText: json["text"] = command.text; break;
      case Part::kWants:
        json["expert_tokens"] = command.wants.expert_tokens;
        json["space_layers"] = command.wants.space_layers;
        break;
    }
  }
  return json;
}

std::optional<CommandKind> kind_from(const std::string& name) {
  for (int kind = 0; kind <= static_cast<int>(CommandKind::kWatch); ++kind)
    if (kind_name(static_cast<CommandKind>(kind)) == name) return static_cast<CommandKind>(kind);
  return std::nullopt;
}

void take(JsonParts& parts, Part part, Command& command) {
  switch (part) {
    case Part::kLayer:
      if (parts.has("layer") && parts.any("layer") == "all")
        command.layer = kAllLayers;
      else
        command.layer = static_cast<int>(parts.integer("layer", 1, kMostLayers)) - 1;
      break;
    case Part::kExpert: command.expert = static_cast<int>(parts.integer("expert", -1, kMostExperts)); break;
    case Part::kCount: command.count = parts.integer("count"); break;
    case Part::kStage: command.count = parts.integer("stage", std::numeric_limits<std::int64_t>::min() + 1) - 1; break;
    case Part::kSetting:
      command.key = parts.text("key");
      command.value = value_of(parts, "value");
      break;
    case Part::kText: command.text = parts.text("text"); break;
    case Part::kWants:
      command.wants.expert_tokens = parts.flag("expert_tokens");
      command.wants.space_layers = parts.counter("space_layers");
      break;
  }
}

Result<Command> command_of(const nlohmann::json& json) {
  JsonParts parts(json, "this command");
  Command command;
  const std::string kind = parts.text("kind");
  command.seq = parts.counter("seq");
  command.who = parts.text("who");
  if (const auto known = kind_from(kind)) {
    command.kind = *known;
    for (const Part part : parts_of(*known)) take(parts, part, command);
  } else {
    parts.fail(" has a kind that is not known here: " + printable(kind));
  }
  if (const Status whole = parts.finish(); !whole) return whole.error();
  return command;
}

template <class Number>
Json list_of(const std::vector<Number>& numbers) {
  Json json = Json::array();
  for (const Number number : numbers) {
    if constexpr (std::is_floating_point_v<Number>)
      json.push_back(number_json(static_cast<double>(number)));
    else
      json.push_back(number);
  }
  return json;
}

Json json_of(const SentenceResult& sentence) {
  Json tokens = Json::array();
  for (const SentenceToken& token : sentence.tokens)
    tokens.push_back({{"text", token.text},
                      {"expert", list_of(token.expert_LK)},
                      {"gate", list_of(token.gate_LK)},
                      {"margin", list_of(token.margin_L)}});
  return {{"sentence", sentence.sentence},
          {"top_k", sentence.top_k},
          {"tokens", std::move(tokens)},
          {"continuation", sentence.continuation}};
}

template <class Number>
std::vector<Number> numbers(JsonParts& parts, const char* key) {
  std::vector<Number> list;
  for (const nlohmann::json& json : parts.array(key)) {
    const nlohmann::json one = {{"number", json}};
    JsonParts part(one, "a list");
    if constexpr (std::is_floating_point_v<Number>)
      list.push_back(static_cast<Number>(part.number("number")));
    else
      list.push_back(static_cast<Number>(
          part.integer("number", std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max())));
    if (!part.finish()) parts.fail(" has a \"" + std::string(key) + "\" with something that is no such number");
  }
  return list;
}

Result<SentenceResult> sentence_of(const nlohmann::json& json) {
  JsonParts parts(json, "this probed sentence");
  SentenceResult result;
  result.sentence = parts.text("sentence");
  result.top_k = static_cast<int>(parts.integer("top_k", 1, kMostExperts));
  for (const nlohmann::json& one : parts.array("tokens")) {
    JsonParts token_parts(one, "a token of this probed sentence");
    SentenceToken token;
    token.text = token_parts.text("text");
    token.expert_LK = numbers<std::int16_t>(token_parts, "expert");
    token.gate_LK = numbers<float>(token_parts, "gate");
    token.margin_L = numbers<float>(token_parts, "margin");
    const auto choices = static_cast<std::size_t>(result.top_k) * token.margin_L.size();
    if (token.expert_LK.size() != choices || token.gate_LK.size() != choices)
      token_parts.fail(" has not the same layers in all its lists");
    if (const Status whole = token_parts.finish(); !whole) return whole.error();
    result.tokens.push_back(std::move(token));
  }
  result.continuation = parts.text("continuation");
  if (const Status whole = parts.finish(); !whole) return whole.error();
  return result;
}

constexpr std::array kStates = {RunState::kIdle,     RunState::kRunning, RunState::kPaused,
                                RunState::kStopping, RunState::kFailed,  RunState::kFinished};

}  // namespace

std::string to_json(const Command& command) { return json_line(json_of(command)); }

std::string to_json(const Reply& reply) {
  Json json = {{"command", json_of(reply.command)}, {"done", reply.done}, {"step", reply.step}, {"text", reply.text}};
  if (reply.number > 0) json["number"] = reply.number;
  if (reply.old_value) json["old_value"] = json_of(*reply.old_value);
  if (reply.sentence) json["sentence"] = json_of(*reply.sentence);
  return json_line(json);
}

std::string to_json(const RunStatus& status) {
  Json json = {{"state", state_name(status.state)},
               {"step", status.step},
               {"activity", status.activity},
               {"progress", number_json(status.progress)}};
  if (status.state == RunState::kFailed)
    json["failure"] = {
        {"step", status.failure.step}, {"phase", status.failure.phase}, {"message", status.failure.message}};
  json["inexact"] = status.inexact;
  json["checkpoints"] = list_of(status.checkpoints);
  json["heartbeat"] = status.heartbeat;
  return json_line(json);
}

Result<Command> command_from_json(std::string_view text) {
  const Result<nlohmann::json> json = limited_json(text, "this command", kMostBytes, kMostDepth);
  if (!json) return json.error();
  return command_of(*json);
}

Result<Reply> reply_from_json(std::string_view text) {
  const Result<nlohmann::json> json = limited_json(text, "this reply", kMostBytes, kMostDepth);
  if (!json) return json.error();
  JsonParts parts(*json, "this reply");
  Reply reply;
  Result<Command> command = command_of(parts.any("command"));
  if (!command) return parts.has("command") ? command.error() : Diagnostics{error("this reply has no \"command\"")};
  reply.command = std::move(command).value();
  reply.done = parts.flag("done");
  reply.step = parts.integer("step");
  reply.text = parts.text("text");
  if (parts.has("number")) reply.number = parts.integer("number");
  if (parts.has("old_value")) reply.old_value = value_of(parts, "old_value");
  if (parts.has("sentence")) {
    Result<SentenceResult> sentence = sentence_of(parts.any("sentence"));
    if (!sentence) return sentence.error();
    reply.sentence = std::move(sentence).value();
  }
  if (const Status whole = parts.finish(); !whole) return whole.error();
  return reply;
}

Result<RunStatus> status_from_json(std::string_view text) {
  const Result<nlohmann::json> json = limited_json(text, "this status", kMostBytes, kMostDepth);
  if (!json) return json.error();
  JsonParts parts(*json, "this status");
  RunStatus status;
  const std::string state = parts.text("state");
  const auto* known =
      std::find_if(kStates.begin(), kStates.end(), [&](RunState one) { return state_name(one) == state; });
  if (known == kStates.end())
    parts.fail(" has a state that is not known here: " + printable(state));
  else
    status.state = *known;
  status.step = parts.integer("step");
  status.activity = parts.text("activity");
  status.progress = parts.number("progress");
  if (status.state == RunState::kFailed) {
    JsonParts failure(parts.any("failure"), "the failure of this status");
    status.failure.step = failure.integer("step");
    status.failure.phase = failure.text("phase");
    status.failure.message = failure.text("message");
    if (const Status whole = failure.finish(); !whole) return whole.error();
  }
  status.inexact = parts.text("inexact");
  status.checkpoints = numbers<std::int64_t>(parts, "checkpoints");
  status.heartbeat = parts.counter("heartbeat");
  if (const Status whole = parts.finish(); !whole) return whole.error();
  return status;
}

}  // namespace moescope::bus
