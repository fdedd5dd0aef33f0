#pragma once
// The checkpoints of a run as files: <folder>/checkpoints/step-000012000.safetensors. Each exists whole or not at all;
// which ones stay is a policy over rows, apart from the writing. Names and shapes of the tensors: docs in
// core/train/training_state.h and resources/help/checkpoints.md.
// Threads: CheckpointWriter has one owner and one thread of its own; the functions are pure but for the disk.

#include <cstdint>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"
#include "core/record/safetensors.h"

namespace moescope::record {

using Blocks = std::shared_ptr<const std::vector<TensorBlock>>;

/// "step-000012000.safetensors", "step-000012000.final.safetensors": regular ones have no kind in their name.
std::string checkpoint_file(std::int64_t step, CheckpointKind kind);

/// Of the regular checkpoints in `rows` (rising by step) those that go: all but the newest `keep_last` and those at
/// multiples of `keep_every` (0: none). An older final one goes when a newer exists. The newest whole one never goes.
std::vector<CheckpointRow> superfluous(const std::vector<CheckpointRow>& rows, int keep_last, std::int64_t keep_every);

/// Steps, rising and each once, of the checkpoints in `rows` (rising by step) that training may start from; of very
/// many the newest bus::kMostCheckpoints.
std::vector<std::int64_t> steps_to_start_from(const std::vector<CheckpointRow>& rows);

/// The one of `rows` that a run may begin with at exactly `step`, before that step's commands acted; null: none.
const CheckpointRow* starting_at(const std::vector<CheckpointRow>& rows, std::int64_t step);

/// Of `rows` (rising by step) the newest at or before `step` that training may start from and whose file is whole.
struct Readable {
  const CheckpointRow* row = nullptr;
  std::vector<std::string>
      passed_over;  ///< newer ones, each with what is wrong: "step-000000033.safetensors cannot be used: …"
};
Readable newest_readable(const std::string& folder, const std::vector<CheckpointRow>& rows,
                         std::int64_t step = std::numeric_limits<std::int64_t>::max());

/// Removes what an interrupted write left in <folder>/checkpoints: temporary files, and files that no row names.
void tidy_checkpoints(const std::string& folder, const std::vector<CheckpointRow>& rows);

class CheckpointWriter {
 public:
  /// Makes <folder>/checkpoints when the first one is written.
  explicit CheckpointWriter(std::string folder) : folder_(std::move(folder)) {}

  /// Starts to write in the background; waits for the one before. Refuses (see Written::problem) when less than two
  /// such files and 256 MB would be left free.
  void write(CheckpointRow row, Blocks blocks, std::map<std::string, std::string> metadata);

  struct Written {
    CheckpointRow row;    ///< with its size in bytes
    std::string problem;  ///< why there is no such file; empty: it is there and durable
  };
  /// What has been finished since the last call; with `wait` also what is being written.
  std::vector<Written> take_finished(bool wait);

 private:
  std::string folder_;
  std::future<Written> writing_;
  std::vector<Written> finished_;
};

}  // namespace moescope::record
