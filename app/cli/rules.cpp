#include "app/cli/rules.h"

#include <algorithm>
#include <charconv>

#include "core/base/text.h"

namespace moescope::cli {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// As the field's type reads it; a text that is no such value stays a text, which check_value() then refuses.
config::Value value_of(const config::FieldSpec& spec, const std::string& text) {
  const char* end = text.data() + text.size();
  if (spec.type == config::ValueType::kInteger) {
    std::int64_t number = 0;
    if (const auto read = std::from_chars(text.data(), end, number); read.ec == std::errc{} && read.ptr == end)
      return number;
  } else if (spec.type == config::ValueType::kNumber) {
    double number = 0;
    if (const auto read = std::from_chars(text.data(), end, number); read.ec == std::errc{} && read.ptr == end)
      return number;
  } else if (spec.type == config::ValueType::kBool && (text == "true" || text == "false")) {
    return text == "true";
  }
  return text;
}

class Rules {
 public:
  Rules(const config::RunConfig& config, const config::MethodInfo& method) : config_(config), method_(method) {}

  /// Stops at the first thing wrong.
  Status add(const std::string& key, const std::string& values) {
    const auto spec = std::find_if(method_.router.fields.begin(), method_.router.fields.end(),
                                   [&](const config::FieldSpec& one) { return one.key == key; });
    if (spec == method_.router.fields.end())
      return error(method_.title + " has no field '" + printable(key) + "'", live());
    if (!spec->live) return error("'" + key + "' cannot change after training", live());
    for (const std::string& text : split(values)) {
      const config::Value value = value_of(*spec, text);
      if (std::string wrong = config::check_value(*spec, value); !wrong.empty()) return error(std::move(wrong));
      if (key.ends_with("top_k") && std::get<std::int64_t>(value) > config_.moe.num_experts) {
        return error("'" + key + "' is " + text + ", but a layer of this run has " +
                     std::to_string(config_.moe.num_experts) + " experts");
      }
      rules_.push_back({key + " = " + text, {{key, config::coerce(*spec, value)}}});
    }
    return Done{};
  }

  std::vector<train::EvaluationRule> take() { return std::move(rules_); }

 private:
  std::string live() const {
    std::vector<std::string> keys;
    for (const config::FieldSpec& one : method_.router.fields) {
      if (one.live) keys.push_back(one.key);
    }
    return keys.empty() ? "this method has no field that can" : "those that can: " + join_or(keys);
  }

  const config::RunConfig& config_;
  const config::MethodInfo& method_;
  std::vector<train::EvaluationRule> rules_;
};

}  // namespace

bool has_router_field(const config::MethodInfo& method, const std::string& key) {
  return std::any_of(method.router.fields.begin(), method.router.fields.end(),
                     [&](const config::FieldSpec& one) { return one.key == key; });
}

Result<std::vector<train::EvaluationRule>> evaluation_rules(const RuleOptions& options, const config::RunConfig& config,
                                                            const config::MethodInfo& method) {
  Rules rules(config, method);
  Status status = Done{};
  if (!options.top_k.empty()) {
    if (!has_router_field(method, "eval_top_k") && !has_router_field(method, "top_k")) {
      return error("--k needs a method whose tokens choose k experts; " + method.title + " is not one");
    }
    status = rules.add(has_router_field(method, "eval_top_k") ? "eval_top_k" : "top_k", options.top_k);
  }
  if (status && !options.groups.empty()) status = rules.add("group_size", options.groups);
  for (const std::string& rule : options.rules) {
    if (!status) break;
    const std::size_t equals = rule.find('=');
    if (equals == std::string::npos)
      return error("--rule '" + printable(rule) + "' is not KEY=VALUES", "like --rule eval_top_k=1,2,4");
    status = rules.add(rule.substr(0, equals), rule.substr(equals + 1));
  }
  if (!status) return status.error();
  return rules.take();
}

}  // namespace moescope::cli
