#pragma once
// What a run leaves on disk until a recorder exists: config.toml (resolved), config.source.toml (as given), log.txt,
// journal.jsonl (every command with step and effect), metrics.jsonl (every step), final.safetensors.
// Lines that could not be written (disk full) are kept and written by the next successful call, so nothing is lost.
// Threads: used by the trainer thread only.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/bus/command.h"
#include "core/telemetry/frame.h"

namespace moescope::record {

class RunFolder {
 public:
  /// Creates `path` (absent or empty) with both configuration files and an open log. Refuses a folder that holds
  /// anything, one that cannot be written, and says what to do.
  static Result<std::unique_ptr<RunFolder>> create(const std::string& path, const std::string& config_toml,
                                                   const std::string& source_text);

  /// What create() would refuse about `path` by what can be seen without writing anything.
  static Status check(const std::string& path);

  /// Each returns what is wrong when the line could not be written yet: it is kept.
  Status add_reply(const bus::Reply& reply);
  Status add_frame(const telemetry::TelemetryFrame& frame);
  /// Tries again to write everything kept.
  Status flush();

  const std::string& path() const { return path_; }

 private:
  class File;
  RunFolder(std::string path, std::unique_ptr<File> journal, std::unique_ptr<File> metrics);

 public:
  ~RunFolder();

 private:
  std::string path_;
  std::unique_ptr<File> journal_;
  std::unique_ptr<File> metrics_;
};

/// "runs/20261125T101502Z-two_stage_workshop-1a2b3c4d" under `parent`.
std::string new_run_path(const std::string& parent, const std::string& name);

}  // namespace moescope::record
