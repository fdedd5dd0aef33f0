// to_toml(): every field with its help beside it.
#include <algorithm>

#include "core/config/run_config.h"

namespace moescope::config {
namespace {

constexpr std::size_t kCommentColumn = 30;

std::string comment(const FieldSpec& spec) {
  std::string text = spec.help;
  std::string facts = range_text(spec);
  // What is free text or true-or-false anyone sees from the value.
  if (spec.type == ValueType::kBool) facts.clear();
  if (!spec.unit.empty()) facts += (facts.empty() ? "" : " ") + spec.unit;
  if (spec.live) facts += facts.empty() ? "live" : "; live";
  return facts.empty() ? text : text + " (" + facts + ')';
}

std::string line(const FieldSpec& spec, const Value& value) {
  std::string text = spec.key + " = " + to_text(value);
  text.append(text.size() < kCommentColumn ? kCommentColumn - text.size() : 1, ' ');
  return text + "# " + comment(spec) + '\n';
}

}  // namespace

std::string to_toml(const RunConfig& config, const MethodInfo& method) {
  const std::map<std::string, Value> values = values_of(config, method);
  std::string text;
  for (const Schema& schema : run_schema(method)) {
    if (!schema.section.empty()) text += "\n[" + schema.section + "]\n";
    const std::string prefix = schema.section.empty() ? "" : schema.section + '.';
    for (const FieldSpec& spec : schema.fields) text += line(spec, values.at(prefix + spec.key));
  }
  return text;
}

}  // namespace moescope::config
