#pragma once
// SQLite's file operations with a hook before each that changes anything, so that tests can count them, note them, make
// them fail or end the process there. Locks and shared memory go to the real VFS unseen.
// Threads: the hook is called under a lock of its own, from whichever thread uses the file.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace moescope::record {

enum class FileOperation { kOpen, kWrite, kTruncate, kSync, kDelete };

struct FileCall {
  FileOperation what = FileOperation::kWrite;
  std::string file;         ///< without its folder
  std::int64_t offset = 0;  ///< of a write; of a truncation the new size
  std::string bytes;        ///< of a write
};

/// What becomes of a call. A code other than SQLITE_OK: it fails, after `written` bytes of a write. A hook may also end
/// the process.
struct FileAnswer {
  int code = 0;
  int system_error = 0;
  std::size_t written = 0;
};

class FaultVfs {
 public:
  using Hook = std::function<FileAnswer(const FileCall&)>;

  /// Registered under name() until destroyed; no file may be open then.
  explicit FaultVfs(Hook hook);
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs();

  const std::string& name() const;
  void set_hook(Hook hook);

  struct Body;

 private:
  std::unique_ptr<Body> body_;
};

}  // namespace moescope::record
