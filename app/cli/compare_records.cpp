#include "app/cli/compare_records.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "core/analysis/load.h"
#include "core/record/output_file.h"
#include "core/record/run_reader.h"

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

template <class Number>
double sum_of(const std::vector<Number>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}

/// Takes the recorded steps one after another.
class Steps {
 public:
  Steps(std::int64_t steps, RunRecord& record) : steps_(steps), record_(record) {}

  void add(const telemetry::TelemetryFrame& frame) {
    seconds_ += frame.step_ms / 1000;
    if (std::isfinite(frame.validation_loss))
      record_.validation.push_back({frame.step, seconds_, frame.validation_loss});
    pace_.add(frame.tokens_per_second);
    layers(frame);
    if (frame.probe) probe(*frame.probe);
    Mean collapse;
    for (const telemetry::LayerMeasures& layer : frame.measures) collapse.add(layer.collapse);
    collapse.put(frame.step, record_.collapse);
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

  void layers(const telemetry::TelemetryFrame& frame) {
    Mean effective, entropy;
    std::vector<double> load_LE;
    for (const telemetry::LayerStep& layer : frame.layers) {
      const std::vector<double> load_E(layer.load_E.begin(), layer.load_E.end());
      load_LE.insert(load_LE.end(), load_E.begin(), load_E.end());
      effective.add(analysis::load_statistics(std::span<const double>(load_E)).effective_experts);
      entropy.add(layer.router_entropy);
      if (is_late(frame.step)) {
        late_assigned_ += sum_of(layer.load_E);
        late_dropped_ += sum_of(layer.dropped_E);
      }
    }
    effective.put(frame.step, record_.effective_experts);
    entropy.put(frame.step, record_.entropy);
    record_.num_layers = frame.layers.size();
    if (frame.step <= steps_ - kConsistencySteps) return;
    record_.late_load_LE.resize(load_LE.size());
    std::transform(load_LE.begin(), load_LE.end(), record_.late_load_LE.begin(), record_.late_load_LE.begin(),
                   std::plus<>());
  }

  void probe(const telemetry::ProbeSnapshot& probe) {
    if (probe.fluctuation_L.empty()) return;
    Mean over_layers;
    for (const double share : probe.fluctuation_L) {
      over_layers.add(share);
      if (is_late(probe.step)) late_fluctuation_.add(share);
    }
    over_layers.put(probe.step, record_.fluctuation);
    record_.spacings.insert(probe.spacing);
    if (is_late(probe.step)) record_.late_spacings.insert(probe.spacing);
  }

  std::int64_t steps_;
  RunRecord& record_;
  double seconds_ = 0, late_assigned_ = 0, late_dropped_ = 0;
  Mean pace_, late_fluctuation_;
};

Status read_steps(const PlannedRun& run, RunRecord& record) {
  constexpr std::int64_t kPiece = 512;  // so that a long run needs little memory
  auto reader = record::RunReader::open(run.folder);
  if (!reader) return reader.error();
  Steps steps(run.config.train.steps, record);
  for (std::int64_t first = 1; first <= (*reader)->last_step(); first += kPiece)
    for (const telemetry::FramePtr& frame : (*reader)->frames(first, first + kPiece - 1)) steps.add(*frame);
  if (!(*reader)->damages().empty())
    return record::about_file(run.folder, (*reader)->damages().front(), "remove this run's folder to train it anew");
  steps.finish();
  return Done{};
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
  if (const Status read = read_steps(run, record); !read) return read.error();
  try {
    read_report(run, record);
  } catch (const std::exception& problem) {  // what the JSON reader throws
    return record::about_file((fs::path(run.folder) / "report.json").string(),
                              std::string("cannot be read: ") + problem.what(),
                              "remove this run's folder to train it anew");
  }
  return record;
}

}  // namespace moescope::cli
