#include "core/record/checkpoint_files.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <set>
#include <utility>

#include "core/bus/run_state.h"
#include "core/record/output_file.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "checkpoints";
constexpr std::uintmax_t kSpare = std::uintmax_t{256} << 20;

std::string text_of(const Status& status) {
  if (status) return {};
  const Diagnostic& problem = status.error().front();
  return problem.place.file + ": " + problem.message + (problem.hint.empty() ? "" : "; " + problem.hint);
}

/// A full disk would also stop the record of the run itself, so a checkpoint leaves room for it.
std::string lack_of_space(const fs::path& folder, std::uintmax_t bytes) {
  std::error_code failure;
  const fs::space_info space = fs::space(folder, failure);
  if (failure || space.available >= 3 * bytes + kSpare) return {};
  return "no checkpoint was written: it needs " + std::to_string(bytes >> 20) + " MB and only " +
         std::to_string(space.available >> 20) + " MB are free; free some space";
}

}  // namespace

std::string checkpoint_file(std::int64_t step, CheckpointKind kind) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "step-%09lld", static_cast<long long>(step));
  const std::string mark = kind == CheckpointKind::kRegular ? "" : '.' + checkpoint_kind_name(kind);
  return number.data() + mark + ".safetensors";
}

std::vector<CheckpointRow> superfluous(const std::vector<CheckpointRow>& rows, int keep_last, std::int64_t keep_every) {
  std::vector<CheckpointRow> gone;
  int regular = 0;
  bool newer_final = false;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->kind == CheckpointKind::kFinal) {
      // A final one of a run that was gone on with is like a regular one from then on.
      if (newer_final || row != rows.rbegin()) gone.push_back(*row);
      newer_final = true;
    } else if (row->kind == CheckpointKind::kRegular) {
      const bool kept = ++regular <= keep_last || (keep_every > 0 && row->step % keep_every == 0);
      if (!kept) gone.push_back(*row);
    }
  }
  std::reverse(gone.begin(), gone.end());
  return gone;
}

std::vector<std::int64_t> steps_to_start_from(const std::vector<CheckpointRow>& rows) {
  std::vector<std::int64_t> steps;
  for (const CheckpointRow& row : rows)
    if (row.kind != CheckpointKind::kTainted && (steps.empty() || steps.back() != row.step)) steps.push_back(row.step);
  if (steps.size() > bus::kMostCheckpoints)
    steps.erase(steps.begin(), steps.end() - static_cast<std::ptrdiff_t>(bus::kMostCheckpoints));
  return steps;
}

const CheckpointRow* starting_at(const std::vector<CheckpointRow>& rows, std::int64_t step) {
  const CheckpointRow* found = nullptr;
  for (const CheckpointRow& row : rows)
    if (row.step == step && row.kind != CheckpointKind::kTainted &&
        (found == nullptr || row.commands < found->commands))
      found = &row;
  return found;
}

Readable newest_readable(const std::string& folder, const std::vector<CheckpointRow>& rows, std::int64_t step) {
  Readable found;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->kind == CheckpointKind::kTainted || row->step > step) continue;
    const auto file = read_safetensors((fs::path(folder) / kFolder / row->file).string());
    if (file) {
      found.row = &*row;
      break;
    }
    found.passed_over.push_back(row->file + " cannot be used: " + file.error().front().message);
  }
  return found;
}

void tidy_checkpoints(const std::string& folder, const std::vector<CheckpointRow>& rows) {
  std::set<std::string> known;
  for (const CheckpointRow& row : rows) known.insert(row.file);
  std::error_code failure;
  std::vector<fs::path> strangers;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(folder) / kFolder, failure)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("step-") && name.find(".safetensors") != std::string::npos;
    if (ours && !known.contains(name)) strangers.push_back(entry.path());
  }
  for (const fs::path& path : strangers) fs::remove(path, failure);
}

void CheckpointWriter::write(CheckpointRow row, Blocks blocks, std::map<std::string, std::string> metadata) {
  for (Written& done : take_finished(true)) finished_.push_back(std::move(done));
  writing_ = std::async(std::launch::async, [folder = fs::path(folder_) / kFolder, row = std::move(row),
                                             blocks = std::move(blocks), metadata = std::move(metadata)]() mutable {
    Written written{std::move(row), {}};
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure) {
      written.problem = text_of(write_problem(folder.string(), failure.value()));
      return written;
    }
    const auto bytes =
        std::accumulate(blocks->begin(), blocks->end(), std::uintmax_t{0},
                        [](std::uintmax_t sum, const TensorBlock& one) { return sum + one.bytes.size(); });
    written.problem = lack_of_space(folder, bytes);
    if (!written.problem.empty()) return written;
    const fs::path path = folder / written.row.file;
    written.problem = text_of(write_safetensors(path.string(), *blocks, metadata));
    if (written.problem.empty()) written.row.bytes = static_cast<std::int64_t>(fs::file_size(path, failure));
    return written;
  });
}

std::vector<CheckpointWriter::Written> CheckpointWriter::take_finished(bool wait) {
  std::vector<Written> taken = std::exchange(finished_, {});
  if (!writing_.valid()) return taken;
  if (wait || writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) taken.push_back(writing_.get());
  return taken;
}

}  // namespace moescope::record
