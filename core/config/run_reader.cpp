#include "core/config/run_reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/text.h"
#include "core/config/run_check.h"

namespace moescope::config {
namespace {

const std::vector<std::string>& section_names() {
  static const std::vector<std::string> names{"data",  "model", "moe",    "moe.router", "stages",
                                              "train", "probe", "record", "decode"};
  return names;
}

bool is_section(const std::string& name) {
  return name.empty() || std::find(section_names().begin(), section_names().end(), name) != section_names().end();
}

bool belongs_to_method(const std::string& section) { return section == "moe.router" || section == "stages"; }

/// "moe.router.top_k" → "moe.router", "top_k".
std::pair<std::string, std::string> split_key(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  if (dot == std::string::npos) return {"", key};
  return {key.substr(0, dot), key.substr(dot + 1)};
}

/// "a.b" lies inside "a".
bool is_inside(const std::string& section, const std::string& outer) {
  return section.size() > outer.size() && section[outer.size()] == '.' && section.starts_with(outer);
}

std::string full_key(const std::string& section, const std::string& name) {
  return section.empty() ? name : section + '.' + name;
}

std::string in_section(const std::string& section) { return section.empty() ? "the top level" : '[' + section + ']'; }

std::string in_brackets() {
  std::string text;
  for (const std::string& name : section_names()) text += (text.empty() ? "[" : ", [") + name + ']';
  return text;
}

/// The parts of `values` whose keys are those of `section`.
std::map<std::string, Value> part_of(const std::map<std::string, Value>& values, const std::string& section) {
  std::map<std::string, Value> part;
  for (const auto& [key, value] : values)
    if (const auto [its_section, name] = split_key(key); its_section == section) part.emplace(name, value);
  return part;
}

}  // namespace

RunConfig assemble(const MethodInfo& method, const std::map<std::string, Value>& values) {
  std::map<std::string, Value> all;
  for (const auto& [key, spec] : run_fields(method)) {
    const auto found = values.find(key);
    all.emplace(key, coerce(spec, found == values.end() ? spec.default_value : found->second));
  }
  RunConfig config;
  assign(top_fields(), part_of(all, ""), config.top);
  assign(data_fields(), part_of(all, "data"), config.data);
  assign(model_fields(), part_of(all, "model"), config.model);
  assign(moe_fields(), part_of(all, "moe"), config.moe);
  assign(train_fields(), part_of(all, "train"), config.train);
  assign(probe_fields(), part_of(all, "probe"), config.probe);
  assign(record_fields(), part_of(all, "record"), config.record);
  assign(decode_fields(), part_of(all, "decode"), config.decode);
  config.router = part_of(all, "moe.router");
  config.stages = part_of(all, "stages");
  return config;
}

void RunReader::take(const TomlDocument& document) {
  for (const TomlEntry& entry : document.entries) take(entry);
  tables_.insert(tables_.end(), document.tables.begin(), document.tables.end());
}

void RunReader::take(const TomlEntry& entry, const std::string& bare) { entries_[entry.key] = {entry, bare}; }

void RunReader::complain(const Diagnostics& diagnostics) {
  diagnostics_.insert(diagnostics_.end(), diagnostics.begin(), diagnostics.end());
}

void RunReader::report(const Place& place, std::string message, std::string hint) {
  diagnostics_.push_back({Severity::kError, place, std::move(message), std::move(hint)});
}

/// The method the run names, or nullptr with a message.
const MethodInfo* RunReader::method() {
  method_id_ = MoeConfig{}.method;
  const auto entry = entries_.find("moe.method");
  if (entry != entries_.end()) {
    const std::optional<Value>& value = entry->second.toml.value;
    // Another type is a complaint of the usual check of a key.
    if (!value || !std::holds_alternative<std::string>(*value)) return nullptr;
    method_id_ = std::get<std::string>(*value);
  }
  if (const MethodInfo* found = find_method(catalogue_, method_id_)) return found;

  std::vector<std::string> ids;
  for (const MethodInfo& known : catalogue_) ids.push_back(known.id);
  const auto nearest = nearest_word(method_id_, ids);
  const Place place = entry != entries_.end() ? entry->second.toml.value_place : Place{file_name_, 0, 0, {}};
  report(place, "there is no method '" + printable(method_id_) + "', allowed is " + join_or(ids),
         nearest ? "did you mean '" + *nearest + "'?" : "");
  bad_.insert("moe.method");
  return nullptr;
}

void RunReader::check_tables() {
  for (const TomlTable& table : tables_) {
    if (is_section(table.name)) continue;
    // Of a nest of unknown sections only the outermost is worth a message.
    const bool inside = std::any_of(unknown_sections_.begin(), unknown_sections_.end(),
                                    [&](const std::string& outer) { return is_inside(table.name, outer); });
    if (!unknown_sections_.insert(table.name).second || inside) continue;
    const auto [parent, name] = split_key(table.name);
    std::string hint = "sections are " + in_brackets();
    if (fields_.contains(table.name)) {
      hint = "write " + name + " = … in " + in_section(parent);
    } else if (const auto nearest = nearest_word(table.name, section_names())) {
      hint = "did you mean [" + *nearest + "]?";
    }
    report(table.place, "unknown section [" + printable(table.name) + ']', std::move(hint));
  }
}

std::vector<std::string> RunReader::methods_with(const std::string& section, const std::string& name) const {
  std::vector<std::string> ids;
  for (const MethodInfo& known : catalogue_) {
    const Schema& schema = section == "stages" ? known.stage_schedule : known.router;
    for (const FieldSpec& spec : schema.fields)
      if (spec.key == name) ids.push_back(known.id);
  }
  return ids;
}

std::string RunReader::hint_for_unknown(const std::string& section, const std::string& name) const {
  std::vector<std::string> here, everywhere;
  std::string elsewhere;
  for (const auto& [key, spec] : fields_) {
    const auto [its_section, its_name] = split_key(key);
    if (its_section == section) here.push_back(its_name);
    if (its_name == name) elsewhere = its_section;
    everywhere.push_back(its_name);
  }
  if (const auto nearest = nearest_word(name, here)) return "did you mean '" + *nearest + "'?";
  if (fields_.contains(full_key(elsewhere, name))) return '\'' + name + "' belongs in " + in_section(elsewhere);
  if (const auto nearest = nearest_word(name, everywhere)) {
    for (const auto& [key, spec] : fields_)
      if (const auto [its_section, its_name] = split_key(key); its_name == *nearest)
        return "did you mean '" + *nearest + "' in " + in_section(its_section) + '?';
  }
  if (here.empty()) return in_section(section) + " has no keys with method '" + method_id_ + '\'';
  return "keys are " + join_or(here);
}

void RunReader::unknown_key(const TomlEntry& entry) {
  const auto [section, name] = split_key(entry.key);
  if (section.empty() && is_section(name)) {
    report(entry.key_place, '\'' + name + "' is a section, not a key", "write [" + name + "] on a line of its own");
    return;
  }
  for (const std::string& unknown : unknown_sections_)
    if (section == unknown || is_inside(section, unknown)) return;  // its section was reported
  if (belongs_to_method(section)) {
    if (!method_known_) return;  // the method was reported; whose keys these are is anyone's guess
    const std::vector<std::string> owners = methods_with(section, name);
    if (!owners.empty()) {
      report(entry.key_place,
             '\'' + name + "' belongs to " + join_or(owners) + ", but this run's method is " + method_id_,
             "remove it, or set method = \"" + owners.front() + "\" in [moe]");
      return;
    }
  }
  if (!is_section(section)) {
    std::vector<std::string> keys;
    for (const auto& [key, spec] : fields_) keys.push_back(key);
    const auto nearest = nearest_word(entry.key, keys);
    report(entry.key_place, "unknown key '" + printable(entry.key) + '\'',
           nearest ? "did you mean '" + *nearest + "'?" : "sections are " + in_brackets());
    return;
  }
  report(entry.key_place, "unknown key '" + printable(name) + "' in " + in_section(section),
         hint_for_unknown(section, name));
}

void RunReader::check_entry(const Entry& entry) {
  const TomlEntry& toml = entry.toml;
  const auto field = fields_.find(toml.key);
  if (field == fields_.end()) {
    unknown_key(toml);
    return;
  }
  const FieldSpec& spec = field->second;
  std::optional<Value> value = toml.value;
  if (spec.type == ValueType::kText && !entry.bare.empty() && !(value && std::holds_alternative<std::string>(*value)))
    value = entry.bare;
  std::string message;
  if (value) {
    message = check_value(spec, *value);
  } else {
    message = '\'' + spec.key + "' is " + toml.other_type + ", but must be " + type_in_words(spec.type);
  }
  if (message.empty()) {
    values_.emplace(toml.key, coerce(spec, *value));
    written_.emplace(toml.key, PlacedValue{coerce(spec, *value), toml.value_place});
    return;
  }
  bad_.insert(toml.key);
  std::optional<std::string> nearest;
  if (value && std::holds_alternative<std::string>(*value))
    nearest = nearest_word(std::get<std::string>(*value), spec.choices);
  report(toml.value_place, std::move(message), nearest ? "did you mean \"" + *nearest + "\"?" : "");
}

Result<RunConfig> RunReader::finish() {
  const MethodInfo* known = method();
  method_known_ = known != nullptr;
  // Without a method the common sections are still checked.
  const MethodInfo common{};
  const MethodInfo& used = known != nullptr ? *known : common;
  fields_ = run_fields(used);
  check_tables();
  for (const auto& [key, entry] : entries_)
    if (!bad_.contains(key)) check_entry(entry);
  RunConfig config = assemble(used, values_);
  config.written = written_;
  complain(check_rules(config, bad_));
  if (diagnostics_.empty()) return config;
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  return diagnostics_;
}

}  // namespace moescope::config
