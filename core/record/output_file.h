#pragma once
// Files written through plain descriptors, so that every failure has its reason and nothing is buffered unseen.
// Threads: one owner.

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::record {

/// An error about a file as a whole.
Diagnostic about_file(const std::string& path, std::string message, std::string hint = {});

/// "cannot be written: No space left on device" with the remedy that fits the reason.
Diagnostic write_problem(const std::string& path, int error_number);

/// The whole of `bytes` as the new file `path`, which must not exist.
Status write_new_file(const std::string& path, std::string_view bytes);

/// A file that only grows, by whole lines. What cannot be written (disk full) is kept and goes first next time, so a
/// line is never lost and never torn by another.
class LineFile {
 public:
  /// Creates `path`, which must not exist.
  static Result<LineFile> create(const std::string& path);
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&&) = delete;
  ~LineFile();

  Status add(std::string_view line);
  Status flush();

 private:
  LineFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::string path_;
  int descriptor_;
  std::string kept_;
};

/// A file that appears under its name only when it is whole: written beside it, synced, renamed.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// After the first failure further calls do nothing; commit() reports it.
  void write(std::string_view bytes);
  Status commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  int error_ = 0;
};

}  // namespace moescope::record
