#include "core/record/going_on.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/record/checkpoint_files.h"
#include "core/record/run_schema.h"
#include "core/record/run_tables.h"
#include "core/record/safetensors.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookOver{2000};
constexpr std::size_t kMostUnlisted = 10'000;

/// As its metadata tell; see Trainer::save_checkpoint().
std::optional<CheckpointRow> row_of(const fs::directory_entry& entry) {
  std::error_code failure;
  if (entry.path().extension() != ".safetensors" || !entry.is_regular_file(failure)) return std::nullopt;
  const auto metadata = read_safetensors_metadata(entry.path().string());
  if (!metadata) return std::nullopt;
  const auto step = number_in(*metadata, "step"), commands = number_in(*metadata, "commands");
  const auto kind = metadata->find("kind"), hash = metadata->find("state_hash");
  if (!step || !commands || kind == metadata->end() || hash == metadata->end()) return std::nullopt;
  const auto known = checkpoint_kind_from(kind->second);
  if (!known || entry.path().filename() != checkpoint_file(*step, *known)) return std::nullopt;
  return CheckpointRow{*step,
                       entry.path().filename().string(),
                       static_cast<std::int64_t>(entry.file_size(failure)),
                       hash->second,
                       *commands,
                       *known};
}

std::size_t count_checkpoints(const fs::path& folder) {
  std::size_t count = 0;
  std::error_code problem;
  for (fs::directory_iterator entry(folder / "checkpoints", problem), end; !problem && entry != end;
       entry.increment(problem))
    if (entry->path().extension() == ".safetensors") ++count;
  return count;
}

}  // namespace

Obstacle obstacle_to_going_on(const std::string& folder, std::vector<RunFile>& files) {
  const std::vector<int> numbers = run_file_numbers(folder);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string name = run_file_name(static_cast<int>(i) + 1);
    if (numbers[i] != static_cast<int>(i) + 1) return {name, "is not there"};
    const auto file = std::find_if(files.begin(), files.end(), [&](const RunFile& one) { return one.name == name; });
    if (file == files.end()) return {name, "cannot be read"};
    if (!file->damage.empty()) return {name, file->damage};
    if (file->db->finds_damage(kLookOver)) return {name, kOutOfOrder};
  }
  Damages lost;
  const std::string broken = read_journal(files, lost).problem;
  if (!broken.empty()) return {"", "the journal is not as it was written: " + broken};
  // A checkpoint whose row is lost would be taken for what an interrupted write left, and removed.
  read_checkpoints(files, lost);
  if (!lost.sentences().empty()) return {"", "its record is damaged: " + lost.sentences().front()};
  return {};
}

std::string way_on(const std::string& folder, const std::vector<CheckpointRow>& checkpoints) {
  const Readable newest = newest_readable(folder, checkpoints);
  if (newest.row == nullptr) return "none of its checkpoints can be read; export what can be read";
  return "fork it at step " + with_thousands(newest.row->step) +
         ", from the newest checkpoint that can be read, or export what can be read";
}

void add_unlisted_checkpoints(const std::string& folder, std::vector<CheckpointRow>& rows) {
  std::error_code problem;
  std::size_t looked_at = 0;
  for (fs::directory_iterator entry(fs::path(folder) / "checkpoints", problem), end;
       !problem && entry != end && looked_at < kMostUnlisted; entry.increment(problem), ++looked_at) {
    const std::string name = entry->path().filename().string();
    if (std::any_of(rows.begin(), rows.end(), [&](const CheckpointRow& row) { return row.file == name; })) continue;
    if (auto row = row_of(*entry)) rows.push_back(std::move(*row));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const CheckpointRow& a, const CheckpointRow& b) { return a.step < b.step; });
}

std::string what_is_left(const std::string& folder) {
  std::error_code ignored;
  const bool configured = fs::exists(fs::path(folder) / "config.toml", ignored);
  const std::size_t checkpoints = count_checkpoints(folder);
  std::string left = configured ? "its configuration (config.toml) can be opened as a new run" : "";
  if (checkpoints > 0)
    left += (left.empty() ? "its " : ", and its ") + std::to_string(checkpoints) +
            (checkpoints == 1 ? " checkpoint" : " checkpoints") + " can be read as safetensors files";
  return left.empty() ? left : "it can be neither continued nor forked, but " + left;
}

}  // namespace moescope::record
