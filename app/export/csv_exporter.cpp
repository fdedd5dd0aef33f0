#include "app/export/csv_exporter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <variant>

#include "app/export/csv_table.h"

namespace moescope::exports {
namespace {

using telemetry::TelemetryFrame;

/// A text without TOML's quotes.
std::string value_text(const config::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : config::to_text(value);
}

/// The cell of entry `i`, which short arrays of a damaged record may lack.
template <class T>
std::optional<T> entry(const std::vector<T>& list, std::size_t i) {
  return i < list.size() ? std::optional<T>(list[i]) : std::nullopt;
}

class CsvExporter final : public Exporter {
 public:
  CsvExporter(const ExportedRun& run, ExportFiles& files) : run_(run), files_(files) {
    for (const char* name : {"scalars.csv", "layers.csv", "loads.csv", "probes.csv", "probe_tokens.csv", "journal.csv",
                             "events.csv", "gaps.csv"}) {
      const std::size_t number = files.add(name);
      if (first_ == kNone) first_ = number;
    }
  }

  void start() override {
    scalars_.emplace(file(0), std::initializer_list<std::string_view>{"run", "step", "name", "value"});
    layers_.emplace(file(1), std::initializer_list<std::string_view>{
                                 "step", "layer", "capacity", "entropy", "experts_per_token", "student_agreement",
                                 "fluctuation", "collapse", "router_frozen", "assignment_pinned"});
    loads_.emplace(file(2), std::initializer_list<std::string_view>{"step", "layer", "expert", "load", "dropped",
                                                                    "capacity", "frozen"});
    probes_.emplace(file(3), std::initializer_list<std::string_view>{"step", "layer", "token", "choice", "expert",
                                                                     "gate", "margin", "student"});
    probe_tokens();
    journal();
    events();
    gaps();
  }

  void add(const std::vector<telemetry::FramePtr>& frames) override {
    for (const telemetry::FramePtr& frame : frames) {
      scalars(*frame);
      for (std::size_t l = 0; l < frame->layers.size(); ++l) {
        layer(*frame, l);
        loads(*frame, l);
      }
      if (frame->probe) probe(*frame->probe);
    }
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  ExportFile& file(std::size_t i) { return files_.file(first_ + i); }

  void scalar(std::int64_t step, const std::string& name, double value) {
    scalars_->text(run_.facts.id).integer(step).text(name).number(value).end_row();
  }

  void scalars(const TelemetryFrame& frame) {
    for (const telemetry::NamedScalar& loss : frame.losses) scalar(frame.step, loss.name, loss.value);
    if (!std::isnan(frame.validation_loss)) scalar(frame.step, "validation", frame.validation_loss);
    scalar(frame.step, "lr", frame.lr);
    scalar(frame.step, "grad_norm", frame.grad_norm);
    scalar(frame.step, "step_ms", frame.step_ms);
    scalar(frame.step, "watch_ms", frame.watch_ms);
    scalar(frame.step, "tokens_per_second", frame.tokens_per_second);
    scalar(frame.step, "stage", frame.stage + 1);
    for (std::size_t l = 0; l < frame.layers.size(); ++l)
      for (const telemetry::NamedScalar& loss : frame.layers[l].auxiliary_losses)
        scalar(frame.step, "L" + std::to_string(l + 1) + "/" + loss.name, loss.value);
  }

  void layer(const TelemetryFrame& frame, std::size_t l) {
    const telemetry::LayerStep& one = frame.layers[l];
    const auto controls = entry(frame.controls, l).value_or(telemetry::LayerControls{});
    const auto measures = entry(frame.measures, l).value_or(telemetry::LayerMeasures{});
    layers_->integer(frame.step).integer(static_cast<std::int64_t>(l) + 1);
    capacity(*layers_, one)
        .measured(one.router_entropy)
        .number(one.experts_per_token)
        .measured(one.student_agreement)
        .measured(frame.probe ? entry(frame.probe->fluctuation_L, l).value_or(telemetry::kNotMeasured)
                              : telemetry::kNotMeasured)
        .measured(measures.collapse)
        .integer(controls.router_frozen ? 1 : 0)
        .integer(controls.assignment_pinned ? 1 : 0)
        .end_row();
  }

  void loads(const TelemetryFrame& frame, std::size_t l) {
    const telemetry::LayerStep& one = frame.layers[l];
    const std::uint64_t frozen = l < frame.controls.size() ? frame.controls[l].frozen_experts : 0;
    for (std::size_t e = 0; e < one.load_E.size(); ++e) {
      loads_->integer(frame.step).integer(static_cast<std::int64_t>(l) + 1).integer(static_cast<std::int64_t>(e));
      loads_->integer(one.load_E[e]);
      const auto dropped = entry(one.dropped_E, e);
      if (dropped)
        loads_->integer(*dropped);
      else
        loads_->empty();
      capacity(*loads_, one).integer(e < 64 ? static_cast<std::int64_t>(frozen >> e & 1) : 0).end_row();
    }
  }

  static CsvTable& capacity(CsvTable& table, const telemetry::LayerStep& layer) {
    return layer.capacity == 0 ? table.empty() : table.integer(layer.capacity);
  }

  void probe(const telemetry::ProbeSnapshot& probe) {
    for (std::size_t l = 0; l < probe.layers.size(); ++l) {
      const telemetry::LayerProbe& one = probe.layers[l];
      const auto choices = static_cast<std::size_t>(std::max(1, one.top_k));
      for (std::size_t i = 0; i < one.expert_TK.size(); ++i) {
        const std::size_t token = i / choices;
        probes_->integer(probe.step)
            .integer(static_cast<std::int64_t>(l) + 1)
            .integer(static_cast<std::int64_t>(token))
            .integer(static_cast<std::int64_t>(i % choices) + 1);
        expert(one.expert_TK[i]);
        probes_->measured(entry(one.gate_TK, i).value_or(telemetry::kNotMeasured))
            .measured(entry(one.margin_T, token).value_or(telemetry::kNotMeasured));
        expert(entry(one.student_T, token).value_or(-1));
        probes_->end_row();
      }
    }
  }

  /// −1: none, an empty cell.
  void expert(int expert) {
    if (expert < 0)
      probes_->empty();
    else
      probes_->integer(expert);
  }

  void probe_tokens() {
    CsvTable table(file(4), {"token", "text", "id", "label", "sequence", "position", "document"});
    for (std::size_t t = 0; t < run_.info.probe.size(); ++t) {
      const telemetry::ProbeToken& token = run_.info.probe[t];
      const auto label =
          token.label < 0 ? std::nullopt : entry(run_.info.labels, static_cast<std::size_t>(token.label));
      table.integer(static_cast<std::int64_t>(t))
          .text(token.text)
          .integer(token.id)
          .text(label.value_or(""))
          .integer(token.sequence)
          .integer(token.position)
          .text(token.document)
          .end_row();
    }
  }

  void journal() {
    CsvTable table(file(5), {"number", "step", "who", "command", "layer", "expert", "stage", "count", "key", "value",
                             "text", "answer", "effect", "hash"});
    for (const record::CommandRow& row : run_.commands) {
      table.integer(row.number).integer(row.apply_step).text(row.command.who).text(bus::kind_name(row.command.kind));
      target(table, row.command);
      table.text(!row.result        ? ""
                 : row.result->done ? "done"
                                    : "refused")
          .text(row.result ? row.result->text : "")
          .text(row.hash)
          .end_row();
    }
  }

  /// layer, expert, stage, count, key, value, text: those that the kind of command has.
  static void target(CsvTable& table, const bus::Command& command) {
    using bus::CommandKind;
    const CommandKind kind = command.kind;
    const bool of_expert = kind == CommandKind::kFreezeExpert || kind == CommandKind::kUnfreezeExpert;
    const bool of_layer = of_expert || kind == CommandKind::kFreezeRouter || kind == CommandKind::kUnfreezeRouter ||
                          kind == CommandKind::kPinAssignment || kind == CommandKind::kUnpinAssignment;
    if (!of_layer)
      table.empty();
    else if (command.layer == bus::kAllLayers)
      table.text("all");
    else
      table.integer(command.layer + 1);
    of_expert ? table.integer(command.expert) : table.empty();
    kind == CommandKind::kSwitchStage ? table.integer(command.count + 1) : table.empty();
    kind == CommandKind::kStep ? table.integer(command.count) : table.empty();
    table.text(command.key);
    table.text(kind == CommandKind::kSet ? value_text(command.value) : "");
    table.text(command.text);
  }

  void events() {
    CsvTable table(file(6), {"step", "kind", "who", "text"});
    for (const record::EventRow& event : run_.events)
      table.integer(event.step).text(event.kind).text(event.who).text(event.text).end_row();
  }

  void gaps() {
    CsvTable table(file(7), {"stream", "first_step", "last_step", "dropped", "reason"});
    for (const record::GapRow& gap : run_.gaps)
      table.text(gap.stream)
          .integer(gap.first_step)
          .integer(gap.last_step)
          .integer(gap.dropped)
          .text(gap.reason)
          .end_row();
  }

  const ExportedRun& run_;
  ExportFiles& files_;
  std::size_t first_ = kNone;
  std::optional<CsvTable> scalars_, layers_, loads_, probes_;
};

}  // namespace

std::unique_ptr<Exporter> csv_exporter(const ExportedRun& run, ExportFiles& files) {
  return std::make_unique<CsvExporter>(run, files);
}

}  // namespace moescope::exports
