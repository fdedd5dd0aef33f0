#include "core/record/run_reader.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/record/going_on.h"
#include "core/record/output_file.h"
#include "core/record/run_file.h"
#include "core/record/run_frames.h"
#include "core/record/run_schema.h"
#include "core/record/run_tables.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

Diagnostic no_file(const std::string& folder) {
  const std::string left = what_is_left(folder);
  if (left.empty()) return about_file(folder, "is no run: there is no run.db in it", "open the folder of a run");
  return about_file(folder, "is a run without its file run.db: it was copied in part, or ended before it was recorded",
                    "copy the whole folder again; " + left);
}

Result<std::string> folder_of(const std::string& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) return about_file(path, "there is no such folder", "open the folder of a run");
  if (fs::is_directory(status)) return path;
  const std::string name = fs::path(path).filename().string();
  if (!name.starts_with("run.") || !name.ends_with(".db"))
    return about_file(path, "is no run", "open a run's folder, or the run.db in it");
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? std::string(".") : folder;
}

}  // namespace

class RunReader::Impl {
 public:
  explicit Impl(std::string folder) : folder_(std::move(folder)) {}

  Status open() {
    if (Status ready = look(true); !ready) return ready;
    if (files_.empty()) return no_file(folder_);
    auto facts = read_facts(files_);
    if (!facts) {
      // Half a sentence about the file, or a whole one about the description.
      const std::string& why = facts.error().front().message;
      return about_file(path_of(files_.front().name),
                        (why.starts_with("is ") ? "" : "its description is damaged: ") + why, what_is_left(folder_));
    }
    facts_ = std::move(*facts);
    learn_info();
    rest();
    return Done{};
  }

  /// Runs `read` over the files as they are now. A connection to a file that is being written is not kept: it would
  /// hold the writer's WAL.
  template <class Read>
  auto with_files(Read read) {
    if (const Status ready = look(false); !ready) damages_.add(ready.error().front().message);
    if (info_.num_layers == 0) learn_info();
    auto result = read(files_);
    rest();
    return result;
  }

  /// A file is damaged or lacks, as far as opening them showed.
  bool is_damaged(const std::vector<RunFile>& files) const {
    return files.size() != run_file_numbers(folder_).size() || files.empty() ||
           files.front().name != run_file_name(1) ||
           std::any_of(files.begin(), files.end(), [](const RunFile& file) { return !file.damage.empty(); });
  }

  std::string folder_;
  RunFacts facts_;
  telemetry::RunInfo info_;
  Damages damages_;

 private:
  std::string path_of(const std::string& name) const { return (fs::path(folder_) / name).string(); }

  /// Brings files_ to what is in the folder. On the first time a damaged file is an error if no other can be read.
  Status look(bool first) {
    const bool written = is_being_written(folder_);
    const std::vector<int> numbers = run_file_numbers(folder_);
    if (first && !numbers.empty() && numbers.front() != 1)
      damages_.add("run.db is not there; what later files hold is shown");
    std::vector<RunFile> files;
    Status problem = Done{};
    for (const int number : numbers) {
      const std::string name = run_file_name(number);
      // Only the newest is written to.
      const auto access = access_of(folder_, name, written && number == numbers.back());
      Result<RunFile> file = access ? reuse_or_open(name, *access, first && !written) : Result<RunFile>(access.error());
      if (file) {
        files.push_back(std::move(*file));
        continue;
      }
      const Diagnostic& why = file.error().front();
      if (problem) problem = about_file(path_of(name), why.message, why.hint);
      if (numbers.size() > 1) damages_.add(name + " " + why.message);
    }
    files_ = std::move(files);
    return files_.empty() ? problem : Status(Done{});
  }

  Result<RunFile> reuse_or_open(const std::string& name, DbAccess access, bool thorough) {
    for (RunFile& file : files_)
      if (file.db && file.name == name && file.wanted == access) return std::move(file);
    return open_run_file(folder_, name, access, thorough, damages_);
  }

  void learn_info() {
    auto info = read_info(files_);
    if (info) {
      info_ = std::move(*info);
      return;
    }
    damages_.add("the run's description of its model and its probe is damaged (" + info.error().front().message +
                 "), so only losses and loads are shown");
    info_ = {};
    info_.id = facts_.id;
    info_.name = facts_.name;
    info_.method = facts_.method;
    info_.config_toml = facts_.config_toml;
    info_.parent_folder = facts_.parent_folder;
    info_.parent_step = facts_.parent_step;
    guess_sizes(files_, info_);
  }

  void rest() {
    std::erase_if(files_, [](const RunFile& file) { return file.access == DbAccess::kShared; });
  }

  std::vector<RunFile> files_;
};

Result<std::unique_ptr<RunReader>> RunReader::open(const std::string& path) {
  auto folder = folder_of(path);
  if (!folder) return folder.error();
  auto impl = std::make_unique<Impl>(std::move(*folder));
  if (Status opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<RunReader>(new RunReader(std::move(impl)));
}

RunReader::RunReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunReader::~RunReader() = default;

const std::string& RunReader::folder() const { return impl_->folder_; }
const RunFacts& RunReader::facts() const { return impl_->facts_; }
const telemetry::RunInfo& RunReader::info() const { return impl_->info_; }
bool RunReader::being_written() const { return being_written(impl_->folder_); }
bool RunReader::being_written(const std::string& folder) { return is_being_written(folder); }

std::int64_t RunReader::last_step() const {
  return impl_->with_files([&](auto& files) { return newest_step(files, impl_->damages_); });
}

std::vector<telemetry::FramePtr> RunReader::frames(std::int64_t first, std::int64_t last) {
  return impl_->with_files([&](auto& files) { return read_frames(files, impl_->info_, first, last, impl_->damages_); });
}

std::vector<CommandRow> RunReader::commands() {
  return impl_->with_files([&](auto& files) { return read_journal(files, impl_->damages_).rows; });
}

std::string RunReader::journal_problem() const {
  return impl_->with_files([&](auto& files) { return read_journal(files, impl_->damages_).problem; });
}

std::vector<EventRow> RunReader::events() {
  return impl_->with_files([&](auto& files) { return read_events(files, impl_->damages_); });
}

std::vector<GapRow> RunReader::gaps() {
  return impl_->with_files([&](auto& files) { return read_gaps(files, impl_->damages_); });
}

std::vector<StateHashRow> RunReader::state_hashes() {
  return impl_->with_files([&](auto& files) { return read_state_hashes(files, impl_->damages_); });
}

Status RunReader::can_go_on() {
  const Obstacle found = impl_->with_files([&](auto& files) { return obstacle_to_going_on(impl_->folder_, files); });
  if (found.why.empty()) return Done{};
  const fs::path place = found.file.empty() ? fs::path(impl_->folder_) : fs::path(impl_->folder_) / found.file;
  return about_file(place.string(), found.why + "; the run cannot be continued", way_on(impl_->folder_, checkpoints()));
}

std::vector<CheckpointRow> RunReader::checkpoints() {
  std::vector<CheckpointRow> rows = impl_->with_files([&](auto& files) {
    Damages lost;
    std::vector<CheckpointRow> listed = read_checkpoints(files, lost);
    for (const std::string& sentence : lost.sentences()) impl_->damages_.add(sentence);
    if (!lost.sentences().empty() || impl_->is_damaged(files)) add_unlisted_checkpoints(impl_->folder_, listed);
    return listed;
  });
  std::erase_if(rows, [&](const CheckpointRow& row) {
    std::error_code problem;
    return !fs::is_regular_file(checkpoint_path(row), problem);
  });
  return rows;
}

std::string RunReader::checkpoint_path(const CheckpointRow& row) const {
  return (fs::path(impl_->folder_) / "checkpoints" / row.file).string();
}

const std::vector<std::string>& RunReader::damages() const { return impl_->damages_.sentences(); }

}  // namespace moescope::record
