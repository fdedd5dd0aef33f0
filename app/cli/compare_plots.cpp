#include "app/cli/compare_plots.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "views/scene/compare_scene.h"
#include "views/scene/svg.h"

namespace moescope::cli {
namespace {

using views::CurvePlot;
using views::PlotText;
using views::RunCurve;

constexpr views::Size kSize{760, 440};
constexpr std::int64_t kPoints = 60;  // of a curve that is known at every step

/// Means over windows of equal length, so that single steps do not hide the course.
Series windows(const Series& every) {
  Series means;
  if (every.step.empty()) return means;
  const std::int64_t window = std::max<std::int64_t>(1, every.step.back() / kPoints);
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < every.step.size(); ++i) {
    sum += every.value[i];
    ++count;
    if (every.step[i] % window != 0) continue;
    means.step.push_back(every.step[i]);
    means.value.push_back(sum / static_cast<double>(count));
    sum = 0;
    count = 0;
  }
  return means;
}

RunCurve over_steps(const Series& series) {
  RunCurve curve{series.step, {}, series.value};
  curve.x.assign(series.step.begin(), series.step.end());
  return curve;
}

RunCurve loss(const RunRecord& run, bool over_seconds) {
  RunCurve curve;
  for (const analysis::CurvePoint& point : run.validation) {
    curve.step.push_back(point.step);
    curve.x.push_back(over_seconds ? point.seconds : static_cast<double>(point.step));
    curve.y.push_back(point.loss);
  }
  return curve;
}

class Plots {
 public:
  explicit Plots(const Comparison& comparison) : comparison_(comparison) {
    const std::size_t seeds = comparison.configurations.front().runs.size();
    spread_ = seeds == 1 ? "one seed" : "mean ± standard error over " + std::to_string(seeds) + " seeds";
  }

  std::vector<PlotFile> all() {
    const std::string loss_axis = "validation loss (" + comparison_.loss_unit + ")";
    curves("loss_steps.svg", {"Validation loss against steps", spread_, "step", loss_axis},
           [](const RunRecord& run) { return loss(run, false); });
    curves(
        "loss_seconds.svg",
        {"Validation loss against training time",
         spread_ + "; time of the steps alone, without probes and validation, on this machine", "seconds", loss_axis},
        [](const RunRecord& run) { return loss(run, true); });
    fluctuation();
    curves("load.svg",
           {"Effective experts against steps",
            "e to the entropy of the loads before capacity, training tokens; mean over layers; " + spread_, "step",
            "effective experts"},
           [](const RunRecord& run) { return over_steps(windows(run.effective_experts)); });
    curves("entropy.svg",
           {"Routing entropy against steps", "mean over training tokens and layers; " + spread_, "step",
            "entropy of a token's routing (nats)"},
           [](const RunRecord& run) { return over_steps(windows(run.entropy)); });
    curves("collapse.svg",
           {"Representation collapse against steps",
            "RC = Tr(Σw Σb†), balanced variant, classes = first choices, validation tokens; lower is more collapsed; "
            "mean over layers; " +
                spread_,
            "step", "RC"},
           [](const RunRecord& run) { return over_steps(run.collapse); });
    values("bleu.svg", "BLEU", 1, bleu_note());
    values("accuracy.svg", "accuracy", 100, "validation texts; " + spread_);
    rules();
    return std::move(files_);
  }

 private:
  /// A plot, unless there is nothing to draw.
  void curves(const std::string& name, const PlotText& text, const std::function<RunCurve(const RunRecord&)>& curve,
              bool from_zero = false) {
    CurvePlot plot{text, {}, from_zero};
    bool any = false;
    for (const ComparedConfiguration& one : comparison_.configurations) {
      views::CurveGroup group{one.name, {}};
      for (const RunRecord& run : one.runs) group.runs.push_back(curve(run));
      any = any || !views::mean_curve(group.runs).x.empty();
      plot.groups.push_back(std::move(group));
    }
    if (any) add(name, views::curve_scene(plot, views::palette(views::Theme::kLight), kSize));
  }

  void fluctuation() {
    const std::string note = comparison_.fluctuation_note + "; " + spread_;
    curves(
        "fluctuation.svg", {"Routing fluctuation against steps", note, "step", "fluctuation RF (% of tokens)"},
        [](const RunRecord& run) {
          RunCurve curve = over_steps(run.fluctuation);
          for (double& share : curve.y) share *= 100;
          return curve;
        },
        true);
  }

  std::string bleu_note() const {
    return comparison_.configurations.front().runs.front().bleu_signature + "; validation pairs; " + spread_;
  }

  void values(const std::string& name, const std::string& title, double scale, const std::string& note) {
    const std::string key = name.substr(0, name.find('.'));
    views::ValuePlot plot{{title + " at the end of training", note, "", scale == 100 ? title + " (%)" : title}, {}};
    bool any = false;
    for (const ComparedConfiguration& one : comparison_.configurations) {
      views::ValueGroup group{one.name, {}};
      for (const RunRecord& run : one.runs)
        if (const auto value = run.values.find(key); value != run.values.end())
          group.values.push_back(value->second * scale);
      any = any || !group.values.empty();
      plot.groups.push_back(std::move(group));
    }
    if (any) add(name, views::value_scene(plot, views::palette(views::Theme::kLight), kSize));
  }

  /// Loss against the value that a rule of evaluation changes: eval_top_k, group_size.
  void rules() {
    std::map<std::string, std::size_t> values_of_key;
    for (const ComparedConfiguration& one : comparison_.configurations)
      for (const RuleRecord& rule : one.runs.front().rules)
        if (const auto value = rule_value(rule.name)) ++values_of_key[value->first];
    for (const auto& [key, count] : values_of_key) {
      if (count < 2) continue;
      curves("rule_" + key + ".svg",
             {"Loss against " + key + " at evaluation", "held-out text; " + spread_, key,
              "loss (" + comparison_.loss_unit + ")"},
             [&key = key](const RunRecord& run) { return by_rule(run, key); });
    }
  }

  static RunCurve by_rule(const RunRecord& run, const std::string& key) {
    std::map<double, double> points;
    for (const RuleRecord& rule : run.rules) {
      const auto value = rule_value(rule.name);
      const auto found = rule.values.find("loss");
      if (value && value->first == key && found != rule.values.end()) points[value->second] = found->second;
    }
    RunCurve curve;
    for (const auto& [x, y] : points) {
      curve.step.push_back(static_cast<std::int64_t>(curve.step.size()));
      curve.x.push_back(x);
      curve.y.push_back(y);
    }
    return curve;
  }

  void add(const std::string& name, const views::Scene& scene) { files_.push_back({name, views::to_svg(scene)}); }

  const Comparison& comparison_;
  std::string spread_;
  std::vector<PlotFile> files_;
};

}  // namespace

std::vector<PlotFile> plots(const Comparison& comparison) { return Plots(comparison).all(); }

}  // namespace moescope::cli
