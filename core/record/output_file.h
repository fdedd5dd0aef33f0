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

/// A file that appears under its name only when it is whole: written beside it, synced, renamed.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// After the first failure further calls do nothing; commit() reports it.
  void write(std::string_view bytes);
  /// Everything is on the disk, still under the temporary name: of several files that belong together, all are synced
  /// before the first is committed.
  Status sync();
  Status commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  int error_ = 0;
};

/// Removes what AtomicFiles of `path` left that were killed half-way. Nobody may be writing one now.
void remove_unfinished(const std::string& path);

}  // namespace moescope::record
