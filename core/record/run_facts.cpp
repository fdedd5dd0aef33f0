#include "core/record/run_facts.h"

#include "core/bus/limited_json.h"

namespace moescope::record {
namespace {

constexpr std::size_t kMostBytes = 16 << 20;

}  // namespace

std::vector<std::string> RunFacts::ancestors() const {
  std::vector<std::string> ids;
  if (!parent_id.empty()) ids.push_back(parent_id);
  ids.insert(ids.end(), older_ids.begin(), older_ids.end());
  return ids;
}

std::string facts_json(const RunFacts& facts) {
  nlohmann::ordered_json json = {{"id", facts.id},
                                 {"name", facts.name},
                                 {"method", facts.method},
                                 {"parent_id", facts.parent_id},
                                 {"parent_folder", facts.parent_folder},
                                 {"parent_step", facts.parent_step},
                                 {"parent_commands", facts.parent_commands},
                                 {"config_toml", facts.config_toml}};
  // Only where there are any: programs from before this part read every other run.
  if (!facts.older_ids.empty()) json["older_ids"] = facts.older_ids;
  json["determinism"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : facts.determinism) json["determinism"][key] = value;
  json["created_ns"] = facts.created_ns;
  return bus::json_line(json);
}

Result<RunFacts> facts_from_json(std::string_view text) {
  const Result<nlohmann::json> json = bus::limited_json(text, "the description of this run", kMostBytes, 4);
  if (!json) return json.error();
  bus::JsonParts parts(*json, "the description of this run");
  RunFacts facts;
  facts.id = parts.text("id");
  facts.name = parts.text("name");
  facts.method = parts.text("method");
  facts.parent_id = parts.text("parent_id");
  facts.parent_folder = parts.text("parent_folder");
  facts.parent_step = parts.integer("parent_step", 0);
  facts.parent_commands = parts.integer("parent_commands", 0);
  if (parts.has("older_ids")) {
    for (const nlohmann::json& id : parts.array("older_ids")) {
      if (!id.is_string()) parts.fail(" has an \"older_ids\" with something that is no text");
      facts.older_ids.push_back(id.is_string() ? id.get<std::string>() : std::string());
    }
  }
  facts.config_toml = parts.text("config_toml");
  const nlohmann::json& determinism = parts.any("determinism");
  if (!determinism.is_object()) parts.fail(" has a \"determinism\" that is no object");
  for (const auto& [key, value] : determinism.items()) {
    if (value.is_string())
      facts.determinism[key] = value.get<std::string>();
    else
      parts.fail(" has a \"determinism\" with something that is no text");
  }
  facts.created_ns = parts.integer("created_ns");
  if (const Status whole = parts.finish(); !whole) return whole.error();
  return facts;
}

}  // namespace moescope::record
