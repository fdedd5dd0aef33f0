#pragma once
// The folder of a run: config.toml (resolved), config.source.toml (as given), log.txt, and room for what others write
// there: run.db (run_writer.h), checkpoints/ (checkpoint_files.h), final.safetensors (weights alone).
// Threads: used by the trainer thread only.

#include <memory>
#include <string>

#include "core/base/result.h"

namespace moescope::record {

class RunFolder {
 public:
  /// Creates `path` (absent or empty) with both configuration files and an open log. Refuses a folder that holds
  /// anything, one that cannot be written, and says what to do.
  static Result<std::unique_ptr<RunFolder>> create(const std::string& path, const std::string& config_toml,
                                                   const std::string& source_text);
  /// To go on with a run: its log is appended to.
  static Result<std::unique_ptr<RunFolder>> reopen(const std::string& path);
  ~RunFolder();
  /// Takes back what create() made, and an empty record made in it since; whatever else is there stays. Of a folder
  /// that was reopened nothing goes.
  static void discard(std::unique_ptr<RunFolder> folder);

  /// What create() would refuse about `path` by what can be seen without writing anything.
  static Status check(const std::string& path);

  const std::string& path() const { return path_; }

 private:
  RunFolder(std::string path, bool created, bool made_folder);
  std::string path_;
  bool created_, made_folder_;
};

/// "runs/20261125T101502Z-two_stage_workshop-1a2b3c4d" under `parent`.
std::string new_run_path(const std::string& parent, const std::string& name);

/// 16 hex digits for RunFacts::id, from the system's random source.
std::string new_run_id();

/// Takes away the files that RunFolder::create() and RunWriter::create() make, and nothing else.
/// Requires: no step is recorded in them.
void remove_empty_record(const std::string& folder);

}  // namespace moescope::record
