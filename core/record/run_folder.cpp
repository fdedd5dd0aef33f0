#include "core/record/run_folder.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>
#include <utility>

#include "core/base/log.h"
#include "core/record/output_file.h"
#include "core/record/run_lines.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

/// What keeps `path` from becoming a run folder, if anything.
std::optional<Diagnostic> obstacle(const std::string& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  if (failure) return about_file(path, "cannot be used: " + failure.message());
  if (status.type() != fs::file_type::directory)
    return about_file(path, "a file of this name is in the way", "name a new or empty folder for the run");
  const bool empty = fs::is_empty(path, failure);
  if (failure) return about_file(path, "cannot be read: " + failure.message());
  if (!empty) return about_file(path, "this folder is not empty", "name a new or empty folder for the run");
  return std::nullopt;
}

/// Takes back what a failed create() made, so that the same call can be tried again.
class Undo {
 public:
  explicit Undo(fs::path folder) : folder_(std::move(folder)) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    if (kept_) return;
    log::close_file();
    std::error_code ignored;
    for (const char* name : {"config.toml", "config.source.toml", "log.txt", "journal.jsonl", "metrics.jsonl"})
      fs::remove(folder_ / name, ignored);
    if (made_folder_) fs::remove(folder_, ignored);
  }
  void made_folder() { made_folder_ = true; }
  void keep() { kept_ = true; }

 private:
  fs::path folder_;
  bool made_folder_ = false;
  bool kept_ = false;
};

std::string safe_name(const std::string& name) {
  constexpr std::size_t kMaxName = 40;
  std::string safe;
  for (const char c : name.substr(0, kMaxName)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    safe += plain ? c : '_';
  }
  return safe.empty() ? "run" : safe;
}

}  // namespace

/// Keeps output_file.h out of the public header.
class RunFolder::File {
 public:
  explicit File(LineFile opened) : lines(std::move(opened)) {}
  LineFile lines;
};

RunFolder::RunFolder(std::string path, std::unique_ptr<File> journal, std::unique_ptr<File> metrics)
    : path_(std::move(path)), journal_(std::move(journal)), metrics_(std::move(metrics)) {}

RunFolder::~RunFolder() { log::close_file(); }

Status RunFolder::check(const std::string& path) {
  if (path.empty()) return error("the run folder has no name");
  if (auto problem = obstacle(path)) return std::move(*problem);
  std::error_code failure;
  fs::path place = fs::absolute(path, failure);
  while (!failure && place.has_relative_path() && !fs::exists(place, failure)) place = place.parent_path();
  if (fs::exists(place, failure) && !fs::is_directory(place, failure))
    return about_file(path, "cannot be made: " + place.string() + " is a file");
  if (::access(place.c_str(), W_OK | X_OK) != 0) return write_problem(path, errno);
  return Done{};
}

Result<std::unique_ptr<RunFolder>> RunFolder::create(const std::string& path, const std::string& config_toml,
                                                     const std::string& source_text) {
  const Status possible = check(path);
  if (!possible) return possible.error();
  const fs::path folder(path);
  Undo undo(folder);
  std::error_code failure;
  if (fs::create_directories(folder, failure)) undo.made_folder();
  if (failure) return write_problem(path, failure.value());

  const Status resolved = write_new_file((folder / "config.toml").string(), config_toml);
  if (!resolved) return resolved.error();
  const Status source = write_new_file((folder / "config.source.toml").string(), source_text);
  if (!source) return source.error();
  Result<LineFile> journal = LineFile::create((folder / "journal.jsonl").string());
  if (!journal) return journal.error();
  Result<LineFile> metrics = LineFile::create((folder / "metrics.jsonl").string());
  if (!metrics) return metrics.error();
  const std::string log_path = (folder / "log.txt").string();
  if (const std::string reason = log::open_file(log_path); !reason.empty())
    return about_file(log_path, "cannot be written: " + reason);
  undo.keep();
  return std::unique_ptr<RunFolder>(
      new RunFolder(path, std::make_unique<File>(std::move(*journal)), std::make_unique<File>(std::move(*metrics))));
}

Status RunFolder::add_reply(const bus::Reply& reply) {
  // Which streams a window wants is no part of the experiment.
  if (reply.command.kind == bus::CommandKind::kWatch) return Done{};
  return journal_->lines.add(journal_line(reply));
}

Status RunFolder::add_frame(const telemetry::TelemetryFrame& frame) { return metrics_->lines.add(metrics_line(frame)); }

Status RunFolder::flush() {
  const Status journal = journal_->lines.flush();
  const Status metrics = metrics_->lines.flush();
  return journal ? metrics : journal;
}

std::string new_run_path(const std::string& parent, const std::string& name) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  std::random_device random;
  std::array<char, 16> id{};
  std::snprintf(id.data(), id.size(), "%08x", random());
  const std::string leaf = std::string(stamp.data()) + '-' + safe_name(name) + '-' + id.data();
  return (fs::path(parent) / "runs" / leaf).string();
}

}  // namespace moescope::record
