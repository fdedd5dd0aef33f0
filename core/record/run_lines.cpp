#include "core/record/run_lines.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace moescope::record {
namespace {

// Keys stay in the order they are added: step first.
using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const config::Value& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

void add_measured(Json& json, const char* key, double value) {
  if (std::isfinite(value)) json[key] = value;
}

Json scalars(const std::vector<telemetry::NamedScalar>& list) {
  Json json = Json::object();
  for (const telemetry::NamedScalar& scalar : list) json[scalar.name] = scalar.value;  // not finite becomes null
  return json;
}

Json layer_json(const telemetry::LayerStep& layer) {
  Json json = {{"load", layer.load_E}, {"dropped", layer.dropped_E}, {"capacity", layer.capacity}};
  add_measured(json, "entropy", static_cast<double>(layer.router_entropy));
  add_measured(json, "experts_per_token", static_cast<double>(layer.experts_per_token));
  add_measured(json, "student_agreement", static_cast<double>(layer.student_agreement));
  if (!layer.auxiliary_losses.empty()) json["auxiliary"] = scalars(layer.auxiliary_losses);
  return json;
}

/// RF by layer beside what it depends on. A layer that could not be compared is null.
Json probe_json(const telemetry::ProbeSnapshot& probe) {
  Json fluctuation = Json::array();
  for (const float share : probe.fluctuation_L) fluctuation.push_back(static_cast<double>(share));
  return {{"spacing", probe.spacing}, {"after_break", probe.after_break}, {"fluctuation", std::move(fluctuation)}};
}

Json measures_json(const std::vector<telemetry::LayerMeasures>& measures_L) {
  Json json = Json::array();
  for (const telemetry::LayerMeasures& layer : measures_L) {
    Json one = Json::object();
    add_measured(one, "collapse", layer.collapse);
    one["tokens"] = layer.tokens;
    json.push_back(std::move(one));
  }
  return json;
}

std::string event_kind(telemetry::Event::Kind kind) {
  switch (kind) {
    case telemetry::Event::Kind::kStageSwitch: return "stage_switch";
    case telemetry::Event::Kind::kCommand: return "command";
    case telemetry::Event::Kind::kProbeSpacing: return "probe_spacing";
    case telemetry::Event::Kind::kNotice: return "notice";
  }
  return "unknown";
}

/// What a command is about, as far as its kind has such a part.
void add_target(Json& json, const bus::Command& command) {
  using bus::CommandKind;
  switch (command.kind) {
    case CommandKind::kFreezeExpert:
    case CommandKind::kUnfreezeExpert: json["expert"] = command.expert; [[fallthrough]];
    case CommandKind::kFreezeRouter:
    case CommandKind::kUnfreezeRouter:
    case CommandKind::kPinAssignment:
    case CommandKind::kUnpinAssignment:
      json["layer"] = command.layer == bus::kAllLayers ? Json("all") : Json(command.layer + 1);
      break;
    case CommandKind::kStep: json["count"] = command.count; break;
    case CommandKind::kSwitchStage: json["stage"] = command.count + 1; break;
    case CommandKind::kSet:
      json["key"] = command.key;
      json["value"] = json_of(command.value);
      break;
    case CommandKind::kProbeSentence:
    case CommandKind::kSaveWeights: json["text"] = command.text; break;
    default: break;
  }
}

}  // namespace

std::string journal_line(const bus::Reply& reply) {
  const bus::Command& command = reply.command;
  Json json = {{"step", reply.step}, {"seq", command.seq}, {"who", command.who}, {"command", kind_name(command.kind)}};
  add_target(json, command);
  if (reply.old_value) json["old_value"] = json_of(*reply.old_value);
  json["done"] = reply.done;
  json["effect"] = reply.text;
  return text_of(json);
}

std::string metrics_line(const telemetry::TelemetryFrame& frame) {
  Json json = {{"step", frame.step}, {"stage", frame.stage + 1}, {"losses", scalars(frame.losses)}};
  add_measured(json, "validation", frame.validation_loss);
  json["lr"] = frame.lr;
  json["grad_norm"] = frame.grad_norm;
  json["step_ms"] = frame.step_ms;
  json["watch_ms"] = frame.watch_ms;
  json["tokens_per_second"] = frame.tokens_per_second;
  Json layers = Json::array();
  for (const telemetry::LayerStep& layer : frame.layers) layers.push_back(layer_json(layer));
  json["layers"] = std::move(layers);
  if (frame.probe) json["probe"] = probe_json(*frame.probe);
  if (!frame.measures.empty()) json["measures"] = measures_json(frame.measures);
  if (!frame.events.empty()) {
    Json events = Json::array();
    for (const telemetry::Event& event : frame.events)
      events.push_back(
          {{"kind", event_kind(event.kind)}, {"step", event.step}, {"text", event.text}, {"who", event.who}});
    json["events"] = std::move(events);
  }
  return text_of(json);
}

}  // namespace moescope::record
