#include "app/export/tensorboard_exporter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "app/export/event_file.h"
#include "core/analysis/load.h"

namespace moescope::exports {
namespace {

constexpr std::int64_t kHistograms = 500;  // at most about so many per layer: they outweigh all scalars together

class TensorboardExporter final : public Exporter {
 public:
  TensorboardExporter(const ExportedRun& run, ExportFiles& files)
      : files_(files),
        wall_time_(static_cast<double>(run.facts.created_ns) * 1e-9),
        spacing_(std::max<std::int64_t>(1, run.last_step / kHistograms)),
        last_step_(run.last_step),
        // TensorBoard takes every file whose name holds "tfevents".
        file_(files.add("tensorboard/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(wall_time_)) +
                        ".moescope")) {}

  void start() override { write(version_event(wall_time_)); }

  void add(const std::vector<telemetry::FramePtr>& frames) override {
    for (const telemetry::FramePtr& frame : frames) this->frame(*frame);
  }

 private:
  void write(const std::string& message) { files_.file(file_).write(event_record(message)); }

  void frame(const telemetry::TelemetryFrame& frame) {
    wall_time_ += (frame.step_ms + frame.watch_ms) * 1e-3;
    scalars_.clear();
    histograms_.clear();
    for (const telemetry::NamedScalar& loss : frame.losses) scalar("loss/" + loss.name, loss.value);
    measured("loss/validation", frame.validation_loss);
    scalar("train/lr", frame.lr);
    scalar("train/grad_norm", frame.grad_norm);
    scalar("train/tokens_per_second", frame.tokens_per_second);
    scalar("train/stage", frame.stage + 1);
    for (std::size_t l = 0; l < frame.layers.size(); ++l) layer(frame, l);
    write(summary_event(wall_time_, frame.step, scalars_, histograms_));
  }

  void layer(const telemetry::TelemetryFrame& frame, std::size_t l) {
    const telemetry::LayerStep& one = frame.layers[l];
    const std::string prefix = "L" + std::to_string(l + 1) + "/";
    measured(prefix + "entropy", static_cast<double>(one.router_entropy));
    measured(prefix + "student_agreement", static_cast<double>(one.student_agreement));
    if (frame.probe && l < frame.probe->fluctuation_L.size())
      measured(prefix + "fluctuation", static_cast<double>(frame.probe->fluctuation_L[l]));
    if (l < frame.measures.size()) measured(prefix + "collapse", frame.measures[l].collapse);
    const std::vector<double> load_E(one.load_E.begin(), one.load_E.end());
    const analysis::LoadStatistics load = analysis::load_statistics(load_E);
    if (!(load.total > 0)) return;
    scalar(prefix + "load_max_over_mean", load.max_violation + 1);
    scalar(prefix + "effective_experts", load.effective_experts);
    scalar(prefix + "dropped_share", std::accumulate(one.dropped_E.begin(), one.dropped_E.end(), 0.0) / load.total);
    if (frame.step % spacing_ == 0 || frame.step == last_step_) histograms_.push_back({prefix + "load", load_E});
  }

  void scalar(const std::string& tag, double value) { scalars_.push_back({tag, static_cast<float>(value)}); }
  void measured(const std::string& tag, double value) {
    if (!std::isnan(value)) scalar(tag, value);
  }

  ExportFiles& files_;
  double wall_time_;
  std::int64_t spacing_, last_step_;
  std::size_t file_;
  std::vector<EventScalar> scalars_;
  std::vector<EventHistogram> histograms_;
};

}  // namespace

std::unique_ptr<Exporter> tensorboard_exporter(const ExportedRun& run, ExportFiles& files) {
  return std::make_unique<TensorboardExporter>(run, files);
}

}  // namespace moescope::exports
