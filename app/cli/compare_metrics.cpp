#include "app/cli/compare_metrics.h"

#include <algorithm>
#include <charconv>
#include <numbers>
#include <set>
#include <utility>

namespace moescope::cli {
namespace {

std::string unit_of_loss(const Plan& plan) {
  std::set<std::string> units;
  for (const Configuration& one : plan.configurations) {
    const std::string& objective = one.config.model.objective;
    units.insert(objective == "classification" ? "nats per text"
                 : objective == "masked_lm"    ? "nats per hidden token"
                 : objective == "translation"  ? "nats per target token"
                                               : "nats per token");
  }
  return units.size() == 1 ? *units.begin() : "nats";
}

std::vector<Metric> known_metrics(const std::string& loss_unit) {
  const std::string bits = "bits" + loss_unit.substr(4);
  return {{"validation_loss", "final validation loss", loss_unit, 4},
          {"validation_loss", "final validation loss", bits, 4, 1 / std::numbers::ln2},
          {"steps_to_first", "steps to the first one's final loss", "steps", 0},
          {"seconds_to_first", "training time to it", "s", 1},
          {"late_fluctuation", "late fluctuation (RF, last 20 % of the run)", "%", 2, 100},
          {"effective_experts", "effective experts", "experts", 2},
          {"max_violation", "MaxVio", "", 3},
          {"dropped", "dropped assignments (training, last 20 %)", "%", 2, 100},
          {"entropy", "routing entropy", "nats", 3},
          {"collapse", "representation collapse RC", "", 3},
          {"expert_similarity", "experts' similarity (CKA)", "", 3},
          {"bleu", "BLEU", "", 2},
          {"accuracy", "accuracy", "%", 2, 100},
          {"spread.mean_loss", "mean loss over routings", loss_unit, 4},
          {"spread.std_loss", "standard deviation over routings", loss_unit, 5},
          {"ensemble_gain", "gain of the ensemble over them", loss_unit, 5},
          {"spread.symmetric_kl", "symmetric KL of two routings", loss_unit, 5},
          {"spread.top1_agreement", "agreement of two routings", "%", 2, 100},
          {"leak", "leak between sequences", "of the norm", 4},
          {"experts_per_token", "experts per token", "experts", 2},
          {"training_tokens_per_second", "training speed", "tokens/s", 0},
          {"tokens_per_second", "evaluation speed", "tokens/s", 0},
          {"training_seconds", "training time", "s", 1},
          {"parameters", "parameters", "", 0, 1, true},
          {"active_parameters", "active parameters", "", 0, 1, true},
          {"flops_per_token", "forward operations per token", "MFLOP", 3, 1e-6, true}};
}

/// Those measured anywhere; "accuracy.de" and its like follow what they are parts of.
std::vector<Metric> measured(const std::vector<ComparedConfiguration>& all, const std::string& loss_unit) {
  std::set<std::string> keys;
  for (const ComparedConfiguration& one : all)
    for (const RunRecord& run : one.runs)
      for (const auto& [key, value] : run.values) keys.insert(key);
  std::vector<Metric> metrics;
  for (const Metric& metric : known_metrics(loss_unit)) {
    if (keys.contains(metric.key)) metrics.push_back(metric);
    for (const std::string& key : keys) {
      if (!key.starts_with(metric.key + '.')) continue;
      metrics.push_back(metric);
      metrics.back().key = key;
      metrics.back().title += ' ' + key.substr(metric.key.size() + 1);
    }
  }
  return metrics;
}

/// The target is the first configuration's own loss at its end, seed by seed.
void add_pace(std::vector<ComparedConfiguration>& all) {
  for (ComparedConfiguration& one : all) {
    for (std::size_t i = 0; i < one.runs.size(); ++i) {
      const auto& first = all.front().runs[i].validation;
      if (first.empty()) continue;
      const double target = first.back().loss;
      auto& run = one.runs[i];
      if (const auto steps = analysis::steps_to_target(run.validation, target))
        run.values["steps_to_first"] = static_cast<double>(*steps);
      if (const auto seconds = analysis::seconds_to_target(run.validation, target))
        run.values["seconds_to_first"] = *seconds;
    }
  }
}

/// Mean over layers of the loads' consistency over runs.
std::optional<analysis::RunConsistency> consistency(const Configuration& configuration,
                                                    const std::vector<RunRecord>& runs) {
  if (configuration.config.model.init_from.empty() || runs.size() < 2) return std::nullopt;
  const std::size_t L = runs.front().num_layers, E = L == 0 ? 0 : runs.front().late_load_LE.size() / L;
  if (E < 2) return std::nullopt;
  analysis::RunConsistency mean{0, 0, static_cast<int>(runs.size())};
  for (std::size_t l = 0; l < L; ++l) {
    std::vector<double> load_RE;
    for (const RunRecord& run : runs) {
      const auto begin = run.late_load_LE.begin() + static_cast<std::ptrdiff_t>(l * E);
      load_RE.insert(load_RE.end(), begin, begin + static_cast<std::ptrdiff_t>(E));
    }
    const analysis::RunConsistency layer = analysis::run_consistency(load_RE, static_cast<int>(E));
    mean.consistency += layer.consistency / static_cast<double>(L);
    mean.off_diagonal_mean += layer.off_diagonal_mean / static_cast<double>(L);
  }
  return mean;
}

std::string list_of(const std::set<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

void describe_probe(const Plan& plan, Comparison& comparison) {
  std::set<std::int64_t> sizes, spacings, late;
  for (const Configuration& one : plan.configurations) sizes.insert(one.config.probe.tokens);
  for (const ComparedConfiguration& one : comparison.configurations) {
    for (const RunRecord& run : one.runs) {
      spacings.insert(run.spacings.begin(), run.spacings.end());
      late.insert(run.late_spacings.begin(), run.late_spacings.end());
    }
  }
  if (spacings.empty()) return;
  comparison.fluctuation_note = "share of the " + list_of(sizes) +
                                " probe tokens whose first choice is another than at the probe " + list_of(spacings) +
                                " steps before; mean over layers";
  if (!late.empty())
    comparison.notes.push_back("Late fluctuation: share of the " + list_of(sizes) +
                               " probe tokens whose first choice is another than at the probe " + list_of(late) +
                               " steps before; mean over layers and the probes of the last 20 % of the run.");
  if (late.size() > 1 || sizes.size() > 1)
    comparison.notes.push_back(
        "The probes differ in size or spacing, so these fluctuations do not compare; a larger "
        "probe.every keeps the spacing.");
}

void describe(const Plan& plan, Comparison& comparison) {
  describe_probe(plan, comparison);
  comparison.notes.push_back(
      "Effective experts, MaxVio, entropy, RC (balanced variant, classes = first choices) and similarity: validation "
      "text as at inference, mean over layers; loads before capacity.");
  comparison.notes.push_back(
      "Training time: steps alone, without probes and validation; a validation loss is known "
      "every " +
      std::to_string(plan.configurations.front().config.train.validate_every) +
      " steps, so a target is reached up to that much earlier.");
  for (const ComparedConfiguration& one : comparison.configurations) {
    const auto reached = std::count_if(one.runs.begin(), one.runs.end(),
                                       [](const RunRecord& run) { return run.values.contains("steps_to_first"); });
    if (reached == 0) {
      comparison.notes.push_back(one.name + " does not reach the first one's final loss.");
    } else if (reached < static_cast<std::ptrdiff_t>(one.runs.size())) {
      comparison.notes.push_back(one.name + " reaches the first one's final loss with " + std::to_string(reached) +
                                 " of " + std::to_string(one.runs.size()) + " seeds; the mean is over those.");
    }
    if (!one.runs.empty() && !one.runs.front().bleu_signature.empty() && &one == &comparison.configurations.front())
      comparison.notes.push_back("BLEU " + one.runs.front().bleu_signature + '.');
  }
}

}  // namespace

std::vector<analysis::SeedValue> ComparedConfiguration::values(const Metric& metric) const {
  std::vector<analysis::SeedValue> all;
  for (const RunRecord& run : runs)
    if (const auto value = run.values.find(metric.key); value != run.values.end())
      all.push_back({static_cast<std::uint64_t>(run.seed), value->second * metric.scale});
  return all;
}

Result<Comparison> compare_runs(const Plan& plan) {
  Comparison comparison;
  comparison.loss_unit = unit_of_loss(plan);
  for (std::size_t c = 0; c < plan.configurations.size(); ++c) {
    ComparedConfiguration one;
    one.name = plan.configurations[c].name;
    for (const PlannedRun& run : plan.runs) {
      if (run.configuration != c) continue;
      auto record = read_run(run);
      if (!record) return record.error();
      one.runs.push_back(std::move(*record));
    }
    one.consistency = consistency(plan.configurations[c], one.runs);
    comparison.configurations.push_back(std::move(one));
  }
  add_pace(comparison.configurations);
  comparison.metrics = measured(comparison.configurations, comparison.loss_unit);
  describe(plan, comparison);
  return comparison;
}

std::optional<std::pair<std::string, double>> rule_value(const std::string& name) {
  const std::size_t equals = name.find(" = ");
  if (equals == std::string::npos) return std::nullopt;
  double value = 0;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + equals + 3, end, value);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return std::pair{name.substr(0, equals), value};
}

}  // namespace moescope::cli
