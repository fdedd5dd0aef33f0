#include "app/cli/compare_records.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/analysis/load.h"
#include "core/record/output_file.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kLateShare = 0.2;               // "late": the last fifth of a run
constexpr std::int64_t kConsistencySteps = 100;  // X-MoE: loads accumulated over 100 steps

/// The mean of what was measured.
class Mean {
 public:
  void add(double value) {
    if (!std::isfinite(value)) return;
    sum_ += value;
    ++count_;
  }
  void add(const json& object, const char* key) {
    if (const auto found = object.find(key); found != object.end() && found->is_number()) add(found->get<double>());
  }
  void put(const std::string& key, std::map<std::string, double>& values) const {
    if (count_ > 0) values[key] = sum_ / static_cast<double>(count_);
  }
  void put(std::int64_t step, Series& series) const {
    if (count_ == 0) return;
    series.step.push_back(step);
    series.value.push_back(sum_ / static_cast<double>(count_));
  }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

double sum_of(const json& numbers) {
  double sum = 0;
  for (const json& number : numbers) sum += number.is_number() ? number.get<double>() : 0;
  return sum;
}

/// Takes metrics.jsonl line by line.
class MetricsReader {
 public:
  MetricsReader(std::int64_t steps, RunRecord& record) : steps_(steps), record_(record) {}

  void line(const json& line) {
    const auto step = line.at("step").get<std::int64_t>();
    seconds_ += line.value("step_ms", 0.0) / 1000;
    if (line.contains("validation")) record_.validation.push_back({step, seconds_, line["validation"].get<double>()});
    pace_.add(line, "tokens_per_second");
    layers(step, line.at("layers"));
    if (line.contains("probe")) probe(step, line["probe"]);
    if (line.contains("measures")) {
      Mean collapse;
      for (const json& layer : line["measures"]) collapse.add(layer, "collapse");
      collapse.put(step, record_.collapse);
    }
  }

  void finish() {
    auto& values = record_.values;
    values["training_seconds"] = seconds_;
    pace_.put("training_tokens_per_second", values);
    late_fluctuation_.put("late_fluctuation", values);
    if (late_assigned_ > 0) values["dropped"] = late_dropped_ / late_assigned_;
    if (!record_.validation.empty()) values["validation_loss"] = record_.validation.back().loss;
  }

 private:
  bool is_late(std::int64_t step) const {
    return static_cast<double>(step) > (1 - kLateShare) * static_cast<double>(steps_);
  }

  void layers(std::int64_t step, const json& layers) {
    Mean effective, entropy;
    std::vector<double> load_LE;
    for (const json& layer : layers) {
      const auto load_E = layer.at("load").get<std::vector<double>>();
      load_LE.insert(load_LE.end(), load_E.begin(), load_E.end());
      effective.add(analysis::load_statistics(std::span<const double>(load_E)).effective_experts);
      entropy.add(layer, "entropy");
      if (is_late(step)) {
        late_assigned_ += sum_of(layer.at("load"));
        late_dropped_ += sum_of(layer.at("dropped"));
      }
    }
    effective.put(step, record_.effective_experts);
    entropy.put(step, record_.entropy);
    record_.num_layers = layers.size();
    if (step <= steps_ - kConsistencySteps) return;
    record_.late_load_LE.resize(load_LE.size());
    std::transform(load_LE.begin(), load_LE.end(), record_.late_load_LE.begin(), record_.late_load_LE.begin(),
                   std::plus<>());
  }

  void probe(std::int64_t step, const json& probe) {
    Mean over_layers;
    for (const json& share : probe.at("fluctuation")) {
      if (!share.is_number()) continue;
      over_layers.add(share.get<double>());
      if (is_late(step)) late_fluctuation_.add(share.get<double>());
    }
    over_layers.put(step, record_.fluctuation);
    if (probe.at("fluctuation").empty()) return;
    const auto spacing = probe.at("spacing").get<std::int64_t>();
    record_.spacings.insert(spacing);
    if (is_late(step)) record_.late_spacings.insert(spacing);
  }

  std::int64_t steps_;
  RunRecord& record_;
  double seconds_ = 0, late_assigned_ = 0, late_dropped_ = 0;
  Mean pace_, late_fluctuation_;
};

void read_metrics(const PlannedRun& run, RunRecord& record) {
  MetricsReader reader(run.config.train.steps, record);
  std::ifstream file(fs::path(run.folder) / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) reader.line(json::parse(line));
  reader.finish();
}

void add_numbers(const json& object, const std::string& prefix, std::map<std::string, double>& values) {
  for (const auto& [key, value] : object.items())
    if (value.is_number()) values[prefix + key] = value.get<double>();
}

void read_report(const PlannedRun& run, RunRecord& record) {
  std::ifstream file(fs::path(run.folder) / "report.json");
  const json report = json::parse(file);
  for (const json& one : report.at("rules")) {
    RuleRecord rule{one.at("rule").get<std::string>(), {}};
    add_numbers(one, {}, rule.values);
    record.rules.push_back(std::move(rule));
  }
  auto& values = record.values;
  for (const auto& [key, value] : record.rules.at(0).values)
    if (key != "loss") values[key] = value;
  if (report.contains("spread")) {
    add_numbers(report["spread"], "spread.", values);
    values["ensemble_gain"] = values["spread.mean_loss"] - values["spread.ensemble_loss"];
  }
  if (report.contains("leak")) values["leak"] = report["leak"].get<double>();
  for (const char* key : {"parameters", "active_parameters"}) values[key] = report.at(key).get<double>();
  for (const char* key : {"entropy", "effective_experts", "max_violation", "collapse", "expert_similarity"}) {
    Mean over_layers;
    for (const json& layer : report.at("layers")) over_layers.add(layer, key);
    over_layers.put(key, values);
  }
  record.bleu_signature = report.value("bleu_signature", std::string());
}

}  // namespace

Result<RunRecord> read_run(const PlannedRun& run) {
  RunRecord record;
  record.seed = run.seed;
  std::string name = "metrics.jsonl";
  try {
    read_metrics(run, record);
    name = "report.json";
    read_report(run, record);
  } catch (const std::exception& problem) {  // what the JSON reader throws
    return record::about_file((fs::path(run.folder) / name).string(), std::string("cannot be read: ") + problem.what(),
                              "remove this run's folder to train it anew");
  }
  return record;
}

}  // namespace moescope::cli
