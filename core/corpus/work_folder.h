#pragma once
// Folders and locks of a corpus that is being made. Threads: each object has one owner.

#include <stop_token>
#include <string>

#include "core/base/result.h"
#include "core/corpus/corpus.h"

namespace moescope::corpus {

/// Held while a corpus is made, so that two programs do not do it twice.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  /// Waits for the file `name` in `folder`; makes both.
  Status take(const std::string& folder, const std::string& name, const Progress& progress,
              const std::stop_token& stop);

 private:
  int descriptor_ = -1;
};

/// An empty folder that is gone at the end, whatever happened.
class WorkFolder {
 public:
  explicit WorkFolder(std::string path);
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace moescope::corpus
