#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/cli/registered.h"
#include "app/cli/verb.h"
#include "core/config/docs.h"

namespace moescope::cli {
namespace {

struct MethodsOptions {
  bool json = false;
  bool docs = false;
};

nlohmann::ordered_json json_of(const config::Value& value) {
  return std::visit([](const auto& held) { return nlohmann::ordered_json(held); }, value);
}

nlohmann::ordered_json json_of(const config::Schema& schema) {
  nlohmann::ordered_json fields = nlohmann::ordered_json::array();
  for (const config::FieldSpec& spec : schema.fields)
    fields.push_back({{"key", schema.section + '.' + spec.key},
                      {"default", json_of(spec.default_value)},
                      {"allowed", config::range_text(spec)},
                      {"unit", spec.unit},
                      {"live", spec.live},
                      {"help", spec.help}});
  return fields;
}

nlohmann::ordered_json json_of(const config::MethodInfo& method) {
  nlohmann::ordered_json stages = nlohmann::ordered_json::array();
  for (const config::StageInfo& stage : method.stages)
    stages.push_back({{"id", stage.id}, {"title", stage.title}, {"help", stage.help}});
  nlohmann::ordered_json defaults = nlohmann::ordered_json::object();
  for (const auto& [key, value] : method.defaults) defaults[key] = json_of(value);
  return {{"id", method.id},
          {"title", method.title},
          {"summary", method.summary},
          {"paper", method.paper},
          {"stages", stages},
          {"router", json_of(method.router)},
          {"schedule", json_of(method.stage_schedule)},
          {"defaults", defaults}};
}

/// "learn → frozen"
std::string stages_text(const config::MethodInfo& method) {
  std::string text;
  for (const config::StageInfo& stage : method.stages) text += (text.empty() ? "" : " → ") + stage.id;
  return text;
}

std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns_of(row[c]));
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += row[c];
      if (c + 1 < row.size()) line.append(widths[c] - columns_of(row[c]) + 2, ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

int list_methods(const MethodsOptions& options) {
  const config::MethodCatalogue catalogue = registered_methods();
  if (options.docs) {
    std::fputs(config::documentation(catalogue).c_str(), stdout);
  } else if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const config::MethodInfo& method : catalogue) list.push_back(json_of(method));
    std::printf("%s\n", list.dump(2).c_str());
  } else {
    std::vector<std::vector<std::string>> rows{{"method", "stages", "paper", "what it is"}};
    for (const config::MethodInfo& method : catalogue)
      rows.push_back({method.id, stages_text(method), method.paper, method.summary});
    print_table(rows);
  }
  return kDone;
}

}  // namespace

Verb add_methods(CLI::App& program) {
  auto options = std::make_shared<MethodsOptions>();
  CLI::App* verb = program.add_subcommand("methods", "List the routing methods with their papers and stages");
  verb->add_flag("--json", options->json, "As JSON, with every key");
  verb->add_flag("--docs", options->docs, "Every key of a configuration as Markdown");
  return {verb, [options] { return list_methods(*options); }};
}

}  // namespace moescope::cli
