#pragma once
// What a run writes while it goes on. A run without a folder writes nothing, and everything here succeeds.
// Threads: trainer thread only.

#include <memory>
#include <string>

#include "core/bus/command.h"
#include "core/record/run_folder.h"
#include "core/telemetry/frame.h"
#include "core/train/trainer_thread.h"

namespace moescope::train {

class RunLog {
 public:
  /// Creates the run folder of the request, if it names one. Throws when that cannot be.
  explicit RunLog(const RunRequest& request);

  /// Each returns what is wrong now, or an empty text. What could not be written is kept for the next call.
  std::string add(const bus::Reply& reply);
  std::string add(const telemetry::TelemetryFrame& frame);
  std::string flush();

  /// Where the weights go at the end; empty without a folder.
  std::string weights_path() const;

 private:
  std::unique_ptr<record::RunFolder> folder_;
};

}  // namespace moescope::train
