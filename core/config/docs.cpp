#include "core/config/docs.h"

#include "core/base/text.h"
#include "core/config/run_config.h"

namespace moescope::config {
namespace {

/// A bar would end the table's cell.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string row(const FieldSpec& spec) {
  std::string allowed = range_text(spec);
  if (!spec.unit.empty()) allowed += (allowed.empty() ? "" : " ") + spec.unit;
  return "| `" + spec.key + "` | `" + to_text(spec.default_value) + "` | " + cell(allowed) + " | " + cell(spec.help) +
         (spec.live ? " (live)" : "") + " |\n";
}

std::string table(const Schema& schema) {
  std::string text = "| key | default | allowed | what it is |\n|---|---|---|---|\n";
  for (const FieldSpec& spec : schema.fields) text += row(spec);
  return text;
}

std::string method_documentation(const MethodInfo& method) {
  std::string text = "\n## " + method.title + " (`method = \"" + method.id + "\"`)\n\n" + method.summary;
  if (!method.summary.ends_with('.')) text += '.';
  if (!method.paper.empty()) text += ' ' + method.paper + '.';
  text += '\n';
  for (const auto& [section, schema] : {std::pair{"moe.router", &method.router}, {"stages", &method.stage_schedule}})
    if (!schema->fields.empty()) text += std::string("\n`[") + section + "]`\n\n" + table(*schema);
  if (method.defaults.empty()) return text;
  text += "\nOther defaults:";
  for (const auto& [key, value] : method.defaults) text += " `" + key + " = " + to_text(value) + '`';
  return text + '\n';
}

}  // namespace

std::string section_documentation(const Schema& schema) {
  return "\n## " + (schema.section.empty() ? std::string("Top level") : "`[" + schema.section + "]`") + "\n\n" +
         table(schema);
}

std::string documentation(const MethodCatalogue& catalogue) {
  std::string text =
      "# The keys of a run\n\n"
      "A run is a TOML file; every key may be left out. On the command line `--set moe.num_experts=16` sets one key.\n"
      "Keys marked (live) may change while the run goes on. `moescope-cli check FILE` finds every mistake at once.\n";
  for (const Schema& schema : common_schema()) text += section_documentation(schema);
  for (const MethodInfo& method : catalogue) text += method_documentation(method);
  return text;
}

}  // namespace moescope::config
