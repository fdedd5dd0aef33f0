#include "app/cli/compare_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "core/base/text.h"

namespace moescope::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  if (digits == 0) return with_thousands(std::llround(value));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string with_error(const analysis::Spread& spread, int digits, bool constant = false) {
  if (spread.count == 0) return "–";
  std::string text = fixed(spread.mean, digits);
  if (std::isfinite(spread.standard_error) && !constant) text += " ± " + fixed(spread.standard_error, digits);
  return text;
}

/// A cell may hold no bar.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : printable(text)) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

/// A Markdown table whose columns stand under each other in a terminal, too.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::size_t size() const { return rows_.size() - 1; }

  /// The first `left` columns are text, the others numbers.
  std::string text(std::size_t left) const {
    std::vector<std::size_t> width(rows_.front().size(), 3);
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], length(row[i]));
    std::string all;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t i = 0; i < width.size(); ++i) all += "| " + padded(rows_[r][i], width[i], i < left) + ' ';
      all += "|\n";
      if (r > 0) continue;
      for (std::size_t i = 0; i < width.size(); ++i)
        all += '|' + std::string(width[i] + (i < left ? 2 : 1), '-') + (i < left ? "" : ":");
      all += "|\n";
    }
    return all;
  }

 private:
  static std::size_t length(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  }
  static std::string padded(const std::string& text, std::size_t width, bool left) {
    const std::string space(width - length(text), ' ');
    return left ? text + space : space + text;
  }

  std::vector<std::vector<std::string>> rows_;
};

std::string figures(const Comparison& comparison) {
  std::vector<std::string> head{"figure", "unit"};
  for (const ComparedConfiguration& one : comparison.configurations) head.push_back(cell(one.name));
  Table table(head);
  for (const Metric& metric : comparison.metrics) {
    std::vector<std::string> row{metric.title, metric.unit};
    for (const ComparedConfiguration& one : comparison.configurations)
      row.push_back(with_error(analysis::over_seeds(one.values(metric)), metric.digits, metric.constant));
    table.add(std::move(row));
  }
  const bool tuned = std::any_of(comparison.configurations.begin(), comparison.configurations.end(),
                                 [](const ComparedConfiguration& one) { return one.consistency.has_value(); });
  for (const bool off_diagonal : {false, true}) {
    if (!tuned) break;
    std::vector<std::string> row{off_diagonal ? "the same without each run's one with itself" : "inter-run consistency",
                                 ""};
    for (const ComparedConfiguration& one : comparison.configurations)
      row.push_back(!one.consistency
                        ? "–"
                        : fixed(off_diagonal ? one.consistency->off_diagonal_mean : one.consistency->consistency, 3));
    table.add(std::move(row));
  }
  return table.text(2);
}

/// "-0.0123 ± 0.0040 (-0.0101, -0.0145)"
std::string difference_text(const Metric& metric, const ComparedConfiguration& one,
                            const ComparedConfiguration& first) {
  const auto values = one.values(metric), firsts = first.values(metric);
  std::string text = with_error(analysis::paired_difference(values, firsts).difference, metric.digits, metric.constant);
  if (metric.constant) return text;
  std::string seeds;
  for (const analysis::SeedValue& value : values) {
    const auto pair = std::find_if(firsts.begin(), firsts.end(),
                                   [&](const analysis::SeedValue& other) { return other.seed == value.seed; });
    if (pair != firsts.end()) seeds += (seeds.empty() ? "" : ", ") + fixed(value.value - pair->value, metric.digits);
  }
  return seeds.empty() ? text : text + " (" + seeds + ')';
}

std::string differences(const Comparison& comparison) {
  const ComparedConfiguration& first = comparison.configurations.front();
  std::vector<std::string> head{"difference to " + cell(first.name), "unit"};
  for (std::size_t i = 1; i < comparison.configurations.size(); ++i)
    head.push_back(cell(comparison.configurations[i].name));
  Table table(head);
  for (const Metric& metric : comparison.metrics) {
    std::vector<std::string> row{metric.title, metric.unit};
    for (std::size_t i = 1; i < comparison.configurations.size(); ++i)
      row.push_back(difference_text(metric, comparison.configurations[i], first));
    table.add(std::move(row));
  }
  return table.text(2);
}

analysis::Spread rule_spread(const ComparedConfiguration& one, std::size_t rule, const std::string& key, double scale) {
  std::vector<analysis::SeedValue> values;
  for (const RunRecord& run : one.runs) {
    if (rule >= run.rules.size()) continue;
    const auto found = run.rules[rule].values.find(key);
    if (found != run.rules[rule].values.end())
      values.push_back({static_cast<std::uint64_t>(run.seed), found->second * scale});
  }
  return analysis::over_seeds(values);
}

/// Empty when no configuration has a rule beside its own.
std::string rules(const Comparison& comparison) {
  std::set<std::string> more;  // keys beside those every rule has
  bool several = false;
  for (const ComparedConfiguration& one : comparison.configurations) {
    several = several || one.runs.front().rules.size() > 1;
    for (const RuleRecord& rule : one.runs.front().rules)
      for (const auto& [key, value] : rule.values) more.insert(key);
  }
  if (!several) return {};
  for (const char* common : {"loss", "tokens_per_second", "experts_per_token", "flops_per_token"}) more.erase(common);
  std::vector<std::string> head{
      "configuration",           "evaluated by", "loss, " + comparison.loss_unit, "experts per token",
      "forward MFLOP per token", "tokens/s"};
  head.insert(head.end(), more.begin(), more.end());
  Table table(head);
  for (const ComparedConfiguration& one : comparison.configurations) {
    for (std::size_t r = 0; r < one.runs.front().rules.size(); ++r) {
      std::vector<std::string> row{cell(one.name),
                                   cell(one.runs.front().rules[r].name),
                                   with_error(rule_spread(one, r, "loss", 1), 4),
                                   with_error(rule_spread(one, r, "experts_per_token", 1), 2),
                                   with_error(rule_spread(one, r, "flops_per_token", 1e-6), 3),
                                   with_error(rule_spread(one, r, "tokens_per_second", 1), 0)};
      for (const std::string& key : more) row.push_back(with_error(rule_spread(one, r, key, 1), 3));
      table.add(std::move(row));
    }
  }
  return table.text(2);
}

std::string seeds_text(const Comparison& comparison) {
  std::string text;
  for (const RunRecord& run : comparison.configurations.front().runs)
    text += (text.empty() ? "" : ", ") + std::to_string(run.seed);
  const bool one = comparison.configurations.front().runs.size() == 1;
  return one ? "Seed " + text : "Mean ± standard error over seeds " + text;
}

std::string quoted(const std::string& text) {
  std::string safe = "\"";
  for (const char c : text) safe += c == '"' ? std::string("\"\"") : std::string(1, c);
  return safe + '"';
}

/// Empty for what is not a number.
std::string plain(double value) { return std::isfinite(value) ? shortest(value) : ""; }

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const ComparedConfiguration& one, const Comparison& comparison) {
  Json json = {{"name", one.name}, {"seeds", Json::array()}, {"figures", Json::array()}, {"rules", Json::array()}};
  for (const RunRecord& run : one.runs) json["seeds"].push_back(run.seed);
  const ComparedConfiguration& first = comparison.configurations.front();
  for (const Metric& metric : comparison.metrics) {
    const auto values = one.values(metric);
    const analysis::Spread spread = analysis::over_seeds(values);
    Json figure = {{"key", metric.key},
                   {"unit", metric.unit},
                   {"mean", number(spread.mean)},
                   {"standard_error", number(spread.standard_error)},
                   {"by_seed", Json::object()}};
    for (const analysis::SeedValue& value : values) figure["by_seed"][std::to_string(value.seed)] = number(value.value);
    if (&one != &first) {
      const analysis::Spread difference = analysis::paired_difference(values, first.values(metric)).difference;
      figure["difference"] = {{"mean", number(difference.mean)}, {"standard_error", number(difference.standard_error)}};
    }
    json["figures"].push_back(std::move(figure));
  }
  if (one.consistency)
    json["inter_run_consistency"] = {{"with_itself", number(one.consistency->consistency)},
                                     {"off_diagonal", number(one.consistency->off_diagonal_mean)}};
  for (std::size_t r = 0; r < one.runs.front().rules.size(); ++r) {
    Json rule = {{"rule", one.runs.front().rules[r].name}};
    for (const auto& [key, value] : one.runs.front().rules[r].values) {
      const analysis::Spread spread = rule_spread(one, r, key, 1);
      rule[key] = {{"mean", number(spread.mean)}, {"standard_error", number(spread.standard_error)}};
    }
    json["rules"].push_back(std::move(rule));
  }
  return json;
}

}  // namespace

std::string to_markdown(const Comparison& comparison) {
  std::string text = seeds_text(comparison) + ".\n\n" + figures(comparison);
  if (comparison.configurations.size() > 1)
    text += "\nDifferences, paired by seed (in parentheses seed by seed).\n\n" + differences(comparison);
  if (const std::string by_rule = rules(comparison); !by_rule.empty())
    text += "\nBy rule of evaluation, on held-out text.\n\n" + by_rule;
  text += '\n';
  for (const std::string& note : comparison.notes) text += "- " + note + '\n';
  return text;
}

std::string to_csv(const Comparison& comparison) {
  std::string text =
      "configuration,key,figure,unit,seeds,mean,standard_error,by_seed,difference,"
      "difference_standard_error\n";
  const ComparedConfiguration& first = comparison.configurations.front();
  for (const ComparedConfiguration& one : comparison.configurations) {
    for (const Metric& metric : comparison.metrics) {
      const auto values = one.values(metric);
      const analysis::Spread spread = analysis::over_seeds(values);
      const analysis::Spread difference = analysis::paired_difference(values, first.values(metric)).difference;
      std::string by_seed;
      for (const analysis::SeedValue& value : values) by_seed += (by_seed.empty() ? "" : " ") + plain(value.value);
      const bool is_first = &one == &first;
      text += quoted(one.name) + ',' + metric.key + ',' + quoted(metric.title) + ',' + quoted(metric.unit) + ',' +
              std::to_string(spread.count) + ',' + plain(spread.mean) + ',' + plain(spread.standard_error) + ',' +
              by_seed + ',' + (is_first ? "," : plain(difference.mean) + ',' + plain(difference.standard_error)) + '\n';
    }
  }
  return text;
}

std::string to_json(const Comparison& comparison, const Plan& plan) {
  Json json = {{"out", plan.out}, {"configurations", Json::array()}, {"notes", comparison.notes}};
  for (const ComparedConfiguration& one : comparison.configurations)
    json["configurations"].push_back(json_of(one, comparison));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace moescope::cli
