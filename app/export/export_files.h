#pragma once
// The files one export writes. They appear together at its end, each under its name only when it is whole; an export
// that fails or is interrupted leaves none. Threads: one owner.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/output_file.h"

namespace moescope::exports {

/// A file that is being written, in pieces of some size, under a temporary name.
class ExportFile {
 public:
  explicit ExportFile(std::string path) : file_(std::move(path)) {}
  void write(std::string_view bytes);
  /// Everything is on the disk, not yet under its name.
  Status sync();
  /// Requires: sync() went well.
  Status commit() { return file_.commit(); }

 private:
  record::AtomicFile file_;
  std::string waiting_;
};

class ExportFiles {
 public:
  /// `folder` need not exist.
  explicit ExportFiles(std::string folder);
  ~ExportFiles();  ///< without commit(): takes away what it made
  ExportFiles(const ExportFiles&) = delete;
  ExportFiles& operator=(const ExportFiles&) = delete;

  /// Registers a file by its name in the folder ("loads.csv", "tensorboard/…") and returns its number for file().
  std::size_t add(const std::string& name);
  /// One that a function writes as a whole, before the others get their names.
  void add(const std::string& name, std::function<Status(const std::string& path)> write);

  /// Makes the folders and opens every file. Errors: a file of that name is there already and `overwrite` is false,
  /// the folder cannot be made.
  Status open(bool overwrite);
  /// Nothing will stand under that name, nor does paths() tell it.
  void leave_out(std::size_t number);
  /// Requires: open() went well.
  ExportFile& file(std::size_t number);
  Status commit();

  const std::string& folder() const { return folder_; }
  /// In the order they were registered.
  std::vector<std::string> paths() const;

 private:
  struct Entry {
    std::string path;
    std::unique_ptr<ExportFile> file;
    std::function<Status(const std::string&)> write;
    bool left_out = false;
  };
  Status make_folder(const std::string& path);

  std::string folder_;
  std::vector<Entry> entries_;
  std::vector<std::string> made_folders_;
  bool committed_ = false;
};

}  // namespace moescope::exports
