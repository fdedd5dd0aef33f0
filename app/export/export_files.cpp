#include "app/export/export_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace moescope::exports {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{1} << 18;  // bytes written at once

}  // namespace

void ExportFile::write(std::string_view bytes) {
  waiting_ += bytes;
  if (waiting_.size() < kPiece) return;
  file_.write(waiting_);
  waiting_.clear();
}

Status ExportFile::sync() {
  file_.write(std::exchange(waiting_, {}));
  return file_.sync();
}

ExportFiles::ExportFiles(std::string folder) : folder_(std::move(folder)) {}

ExportFiles::~ExportFiles() {
  if (committed_) return;
  entries_.clear();
  std::error_code not_empty;
  for (auto folder = made_folders_.rbegin(); folder != made_folders_.rend(); ++folder) fs::remove(*folder, not_empty);
}

std::size_t ExportFiles::add(const std::string& name) {
  entries_.push_back({(fs::path(folder_) / name).string(), nullptr, {}, false});
  return entries_.size() - 1;
}

void ExportFiles::add(const std::string& name, std::function<Status(const std::string&)> write) {
  entries_.push_back({(fs::path(folder_) / name).string(), nullptr, std::move(write), false});
}

Status ExportFiles::make_folder(const std::string& path) {
  std::error_code failure;
  if (path.empty() || fs::is_directory(path, failure)) return Done{};
  const char* remedy = "name another one with --out";
  if (fs::exists(path, failure)) return error("'" + printable(path) + "' is a file, not a folder", remedy);
  if (Status parent = make_folder(fs::path(path).parent_path().string()); !parent) return parent;
  if (fs::create_directory(path, failure)) made_folders_.push_back(path);
  if (failure) {
    return error("the folder '" + printable(path) + "' cannot be made: " + failure.message(), remedy);
  }
  return Done{};
}

Status ExportFiles::open(bool overwrite) {
  std::error_code ignored;
  const auto there = [&](const Entry& entry) { return fs::exists(entry.path, ignored); };
  const auto count = std::count_if(entries_.begin(), entries_.end(), there);
  if (count > 0 && !overwrite) {
    const Entry& first = *std::find_if(entries_.begin(), entries_.end(), there);
    const std::string others = count == 1 ? "" : " and " + std::to_string(count - 1) + " more of its files";
    return error("'" + printable(first.path) + "'" + others + (count == 1 ? " exists" : " exist") + " already",
                 "--force writes over what an earlier export made; --out names another folder");
  }
  for (Entry& entry : entries_) {
    if (Status folder = make_folder(fs::path(entry.path).parent_path().string()); !folder) return folder;
    if (!entry.write) entry.file = std::make_unique<ExportFile>(entry.path);
  }
  return Done{};
}

ExportFile& ExportFiles::file(std::size_t number) {
  MOESCOPE_ASSERT(number < entries_.size() && entries_[number].file, "open() comes before file()");
  return *entries_[number].file;
}

void ExportFiles::leave_out(std::size_t number) {
  entries_[number].left_out = true;
  entries_[number].file.reset();
}

Status ExportFiles::commit() {
  for (const Entry& entry : entries_) {
    if (!entry.file) continue;
    if (Status synced = entry.file->sync(); !synced) return synced;
  }
  // From here on only names change, but for the files that functions write, which are whole or absent as well.
  for (const Entry& entry : entries_) {
    if (!entry.write || entry.left_out) continue;
    if (Status written = entry.write(entry.path); !written) return written;
    committed_ = true;
  }
  for (const Entry& entry : entries_) {
    if (!entry.file) continue;
    if (Status named = entry.file->commit(); !named) return named;
    committed_ = true;
  }
  return Done{};
}

std::vector<std::string> ExportFiles::paths() const {
  std::vector<std::string> all;
  for (const Entry& entry : entries_)
    if (!entry.left_out) all.push_back(entry.path);
  return all;
}

}  // namespace moescope::exports
