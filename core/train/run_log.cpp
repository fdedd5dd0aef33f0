#include "core/train/run_log.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "core/base/log.h"
#include "core/moe/method.h"
#include "core/record/output_file.h"
#include "core/train/messages.h"

namespace moescope::train {

namespace {

std::unique_ptr<record::RunFolder> make_folder(const RunRequest& request) {
  const moe::Method* method = moe::find_method(request.config.moe.method);
  if (!method) throw std::runtime_error("there is no routing method '" + request.config.moe.method + "'");
  auto folder =
      record::RunFolder::create(request.folder, config::to_toml(request.config, method->info), request.source_text);
  if (!folder) throw std::runtime_error(one_line(folder.error()));
  return std::move(*folder);
}

}  // namespace

bool continues(const RunRequest& request) { return request.origin && request.origin->use == Origin::Use::kContinue; }

RunLog::RunLog(const RunRequest& request) : settings_(request.config.record) {
  if (request.folder.empty()) return;
  if (!continues(request)) {
    folder_ = make_folder(request);
    return;
  }
  // The lock first: a run that still trains elsewhere must not be touched.
  auto writer = record::RunWriter::reopen(request.folder);
  if (!writer) throw std::runtime_error(one_line(writer.error()));
  auto folder = record::RunFolder::reopen(request.folder);
  if (!folder) throw std::runtime_error(one_line(folder.error()));
  writer_ = std::move(*writer);
  folder_ = std::move(*folder);
}

RunLog::~RunLog() {
  if (folder_) static_cast<void>(note_checkpoints(true));
}

void RunLog::open_recorder(std::unique_ptr<record::RunWriter> writer) {
  record::RecorderOptions options;
  options.probe_every = settings_.probe_every;
  options.probe_budget_bytes = std::int64_t{settings_.probe_budget} << 20;
  recorder_ = std::make_unique<record::Recorder>(std::move(writer), options);
  checkpoint_writer_ = std::make_unique<record::CheckpointWriter>(folder_->path());
}

void RunLog::begin(const record::RunFacts& facts, const telemetry::RunInfo& info) {
  if (!folder_) return;
  auto writer = record::RunWriter::create(folder_->path(), facts);
  if (!writer) throw std::runtime_error(one_line(writer.error()));
  if (const Status told = (*writer)->set_run_info(info); !told) throw std::runtime_error(one_line(told));
  open_recorder(std::move(*writer));
}

void RunLog::discard() {
  checkpoint_writer_.reset();
  recorder_.reset();
  writer_.reset();
  if (folder_) record::RunFolder::discard(std::move(folder_));
}

void RunLog::go_on(std::vector<record::CommandRow> commands, std::vector<record::CheckpointRow> checkpoints) {
  record::tidy_checkpoints(folder_->path(), checkpoints);
  record::remove_unfinished(weights_path());
  checkpoints_ = std::move(checkpoints);
  checkpoints_changed_ = true;
  commands_ = static_cast<std::int64_t>(commands.size());
  if (!commands.empty()) journal_hash_ = commands.back().hash;
  open_recorder(std::move(writer_));
}

void RunLog::add(telemetry::FramePtr frame) {
  if (recorder_) recorder_->add(std::move(frame));
}
void RunLog::add(record::EventRow event) {
  if (recorder_) recorder_->add(std::move(event));
}
void RunLog::add(record::StateHashRow hash) {
  if (recorder_) recorder_->add(std::move(hash));
}

std::string RunLog::log(const bus::Command& command, std::int64_t step) {
  record::CommandRow row;
  row.number = commands_ + 1;
  row.apply_step = step;
  row.command = command;
  if (recorder_) {
    row.hash = record::chain_hash(journal_hash_, row.number, step, command);
    if (const Status logged = recorder_->log(row); !logged) return one_line(logged);
    journal_hash_ = row.hash;
  }
  ++commands_;
  return {};
}

void RunLog::answer(std::int64_t number, bool done, const std::string& text) {
  if (recorder_) recorder_->add(record::RunBatch::CommandResult{number, {done, text}});
}

void RunLog::checkpoint(record::CheckpointRow row, record::Blocks blocks, std::map<std::string, std::string> metadata) {
  if (!recorder_) return;
  row.file = record::checkpoint_file(row.step, row.kind);
  checkpoint_writer_->write(std::move(row), std::move(blocks), std::move(metadata));
}

std::string RunLog::note_checkpoints(bool wait) {
  if (!recorder_) return {};
  std::string problems;
  for (record::CheckpointWriter::Written& written : checkpoint_writer_->take_finished(wait)) {
    if (!written.problem.empty()) {
      problems += (problems.empty() ? "" : "; ") + written.problem;
      continue;
    }
    std::erase_if(checkpoints_, [&](const record::CheckpointRow& row) { return row.file == written.row.file; });
    recorder_->add(written.row);
    checkpoints_.push_back(std::move(written.row));
    checkpoints_changed_ = true;
    // An old one goes only when the new one is certain to be found.
    if (!flush().empty()) continue;
    for (const record::CheckpointRow& gone :
         record::superfluous(checkpoints_, settings_.keep_last, settings_.keep_every)) {
      std::error_code ignored;
      std::filesystem::remove(std::filesystem::path(folder_->path()) / "checkpoints" / gone.file, ignored);
      recorder_->forget_checkpoint(gone.file);
      std::erase_if(checkpoints_, [&](const record::CheckpointRow& row) { return row.file == gone.file; });
    }
  }
  if (!problems.empty()) log::warning(problems);
  return problems;
}

std::optional<std::vector<std::int64_t>> RunLog::take_changed_checkpoints() {
  if (!std::exchange(checkpoints_changed_, false)) return std::nullopt;
  return record::steps_to_start_from(checkpoints_);
}

std::string RunLog::trouble() const { return recorder_ ? recorder_->trouble() : ""; }
std::string RunLog::flush() { return recorder_ ? one_line(recorder_->flush()) : ""; }
std::string RunLog::weights_path() const { return folder_ ? folder_->path() + "/final.safetensors" : ""; }

}  // namespace moescope::train
