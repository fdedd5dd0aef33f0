#include "tests/app/desktop/fake_record.h"

#include <filesystem>
#include <fstream>

#include "core/base/assert.h"
#include "core/record/run_writer.h"
#include "tests/app/desktop/fake_run.h"

namespace moescope::test {
namespace {

std::vector<record::CommandRow> two_commands(std::int64_t step) {
  std::vector<record::CommandRow> rows(2);
  rows[0].command.kind = bus::CommandKind::kSet;
  rows[0].command.key = "train.lr";
  rows[0].command.value = 0.001;
  rows[0].result = {true, "lr 0.004 → 0.001"};
  rows[1].command.kind = bus::CommandKind::kFreezeRouter;
  rows[1].command.layer = 1;
  rows[1].result = {true, "froze the router of layer 2"};
  std::string before;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].number = static_cast<std::int64_t>(i) + 1;
    rows[i].apply_step = step;
    rows[i].hash = before = record::chain_hash(before, rows[i].number, step, rows[i].command);
  }
  return rows;
}

}  // namespace

class GrowingRecord::Body {
 public:
  Body(const std::string& folder, const RecordShape& shape)
      : shape_(shape), run_(std::filesystem::path(folder).filename().string(), folder, shape.total) {
    std::filesystem::create_directories(folder + "/checkpoints");
    std::ofstream(folder + "/checkpoints/step-50.safetensors") << ' ';
    record::RunFacts facts;
    facts.id = shape.id;
    facts.parent_folder = shape.parent_folder;
    facts.parent_id = shape.parent_id;
    facts.parent_step = shape.parent_step;
    facts.name = run_.info()->name;
    facts.method = "two_stage";
    facts.config_toml = "name = \"" + facts.name +
                        "\"\n[moe]\nmethod = \"two_stage\"\n[train]\nsteps = " + std::to_string(shape.total) + "\n";
    run_.told().id = facts.id;
    run_.told().config_toml = facts.config_toml;
    run_.told().parent_folder = facts.parent_folder;
    run_.told().parent_step = facts.parent_step;
    auto writer = record::RunWriter::create(folder, facts);
    MOESCOPE_ASSERT(writer && (*writer)->set_run_info(*run_.info()), "a run can be made in a fresh folder");
    writer_ = std::move(*writer);
    record::RunBatch batch = steps_to(shape.steps);
    if (shape.command_at <= shape.steps) batch.commands = two_commands(shape.command_at);
    if (!shape.failure.empty()) batch.events.push_back({shape.steps, "failure", shape.failure, "lab"});
    record::CheckpointRow checkpoint;
    checkpoint.step = 50;
    checkpoint.file = "step-50.safetensors";
    checkpoint.bytes = 1;
    checkpoint.state_hash = std::string(32, '0');
    batch.checkpoints.push_back(checkpoint);
    commit(batch);
  }

  record::RunBatch steps_to(std::int64_t last) {
    record::RunBatch batch;
    while (run_.step() < last) {
      const std::int64_t step = run_.step() + 1;
      if (step == shape_.switch_at) stage_ = 1;
      if (step == shape_.command_at) controls_[1].router_frozen = true;
      telemetry::Wants wants;
      wants.space_layers = step % 10 == 0 ? 0b111 : 0;
      auto frame = run_.next(stage_, controls_, wants);
      if (step == shape_.switch_at)
        frame->events.push_back({telemetry::Event::Kind::kStageSwitch, step, "switched to stage 2", "schedule"});
      if (step == shape_.command_at)
        frame->events.push_back({telemetry::Event::Kind::kCommand, step, "lr 0.004→0.001", "you"});
      batch.frames.push_back(std::move(frame));
    }
    return batch;
  }

  void commit(const record::RunBatch& batch) {
    const bool written = writer_->commit(batch).has_value();
    MOESCOPE_ASSERT(written, "a run can be written in a fresh folder");
  }

 private:
  const RecordShape shape_;
  FakeRun run_;
  std::vector<telemetry::LayerControls> controls_ = std::vector<telemetry::LayerControls>(FakeRun::kLayers);
  int stage_ = 0;
  std::unique_ptr<record::RunWriter> writer_;
};

GrowingRecord::GrowingRecord(const std::string& folder, const RecordShape& shape)
    : body_(std::make_unique<Body>(folder, shape)) {}
GrowingRecord::~GrowingRecord() = default;
void GrowingRecord::grow_to(std::int64_t step) { body_->commit(body_->steps_to(step)); }

void write_record(const std::string& folder, const RecordShape& shape) { const GrowingRecord record(folder, shape); }

}  // namespace moescope::test
