#pragma once
// Frames put together from the chunks and events of a run's files. Each value is checked against the run's description
// before it is used; what cannot be read is left out and told. Private to this room. Threads: pure but for the files.

#include <cstdint>
#include <vector>

#include "core/record/run_file.h"
#include "core/telemetry/frame.h"

namespace moescope::record {

/// See RunReader::frames(). Of a step that several files hold, the value of the later file counts.
/// Requires: misfit(info) is empty.
std::vector<telemetry::FramePtr> read_frames(std::vector<RunFile>& files, const telemetry::RunInfo& info,
                                             std::int64_t first, std::int64_t last, Damages& damages);

/// The newest step of any file; 0: none.
std::int64_t newest_step(std::vector<RunFile>& files, Damages& damages);

/// For a file whose description is damaged: what the first readable step tells of it. Layers and experts stay 0 when
/// there is none.
void guess_sizes(std::vector<RunFile>& files, telemetry::RunInfo& info);

}  // namespace moescope::record
