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
    for (const char* name : {"config.toml", "config.source.toml", "log.txt"}) fs::remove(folder_ / name, ignored);
    if (made_folder_) fs::remove(folder_, ignored);
  }
  void made_folder() { made_folder_ = true; }
  bool has_made_folder() const { return made_folder_; }
  void keep() { kept_ = true; }

 private:
  fs::path folder_;
  bool made_folder_ = false;
  bool kept_ = false;
};

std::optional<Diagnostic> open_log(const std::string& folder) {
  const std::string path = (fs::path(folder) / "log.txt").string();
  const std::string reason = log::open_file(path);
  if (reason.empty()) return std::nullopt;
  return about_file(path, "cannot be written: " + reason);
}

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

/// Eight hex digits.
std::string random_digits() {
  std::random_device random;
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", random());
  return digits.data();
}

}  // namespace

RunFolder::RunFolder(std::string path, bool created, bool made_folder)
    : path_(std::move(path)), created_(created), made_folder_(made_folder) {}

RunFolder::~RunFolder() { log::close_file(); }

void RunFolder::discard(std::unique_ptr<RunFolder> folder) {
  if (!folder->created_) return;
  const fs::path path = folder->path_;
  const bool made_folder = folder->made_folder_;
  folder.reset();  // closes the log
  remove_empty_record(path.string());
  std::error_code ignored;
  if (made_folder) fs::remove(path, ignored);  // only when it is empty
}

void remove_empty_record(const std::string& folder) {
  std::error_code ignored;
  for (const char* name :
       {"config.toml", "config.source.toml", "log.txt", "run.db", "run.db-wal", "run.db-shm", "run.db-journal", "lock"})
    fs::remove(fs::path(folder) / name, ignored);
}

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
  if (auto problem = open_log(path)) return std::move(*problem);
  undo.keep();
  return std::unique_ptr<RunFolder>(new RunFolder(path, true, undo.has_made_folder()));
}

Result<std::unique_ptr<RunFolder>> RunFolder::reopen(const std::string& path) {
  std::error_code failure;
  if (!fs::is_directory(path, failure)) return about_file(path, "there is no such run folder");
  if (auto problem = open_log(path)) return std::move(*problem);
  return std::unique_ptr<RunFolder>(new RunFolder(path, false, false));
}

std::string new_run_path(const std::string& parent, const std::string& name) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  const std::string leaf = std::string(stamp.data()) + '-' + safe_name(name) + '-' + random_digits();
  return (fs::path(parent) / "runs" / leaf).string();
}

std::string new_run_id() { return random_digits() + random_digits(); }

}  // namespace moescope::record
