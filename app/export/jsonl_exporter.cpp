#include "app/export/jsonl_exporter.h"

#include <string>

#include "core/record/run_lines.h"

namespace moescope::exports {
namespace {

bus::Reply reply_of(const record::CommandRow& row) {
  bus::Reply reply;
  reply.command = row.command;
  reply.step = row.apply_step;
  reply.done = row.result && row.result->done;
  reply.text = row.result ? row.result->text : "logged; the record ends before it acted";
  return reply;
}

class JsonlExporter final : public Exporter {
 public:
  JsonlExporter(const ExportedRun& run, ExportFiles& files)
      : run_(run),
        files_(files),
        metrics_(files.add("metrics.jsonl")),
        loads_(files.add("loads.jsonl")),
        journal_(files.add("journal.jsonl")) {}

  void start() override {
    for (const record::CommandRow& row : run_.commands)
      files_.file(journal_).write(record::journal_line(reply_of(row)) + '\n');
  }

  void add(const std::vector<telemetry::FramePtr>& frames) override {
    for (const telemetry::FramePtr& frame : frames) {
      files_.file(metrics_).write(record::metrics_line(*frame) + '\n');
      for (std::size_t l = 0; l < frame->layers.size(); ++l) loads(frame->step, l, frame->layers[l]);
    }
  }

 private:
  /// Numbers only, so the text needs no library; a run has millions of these rows.
  void loads(std::int64_t step, std::size_t layer, const telemetry::LayerStep& one) {
    const std::string head = "{\"step\":" + std::to_string(step) + ",\"layer\":" + std::to_string(layer + 1);
    const std::string tail = one.capacity == 0 ? "}\n" : ",\"capacity\":" + std::to_string(one.capacity) + "}\n";
    for (std::size_t e = 0; e < one.load_E.size(); ++e) {
      std::string row = head + ",\"expert\":" + std::to_string(e) + ",\"load\":" + std::to_string(one.load_E[e]);
      if (e < one.dropped_E.size()) row += ",\"dropped\":" + std::to_string(one.dropped_E[e]);
      files_.file(loads_).write(row + tail);
    }
  }

  const ExportedRun& run_;
  ExportFiles& files_;
  std::size_t metrics_, loads_, journal_;
};

}  // namespace

std::unique_ptr<Exporter> jsonl_exporter(const ExportedRun& run, ExportFiles& files) {
  return std::make_unique<JsonlExporter>(run, files);
}

}  // namespace moescope::exports
