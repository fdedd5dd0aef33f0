#pragma once
// Whether more may be added to a recorded run, and what still leads on from one to which nothing may be added. SQLite
// adds to a damaged file without a word, or fails in the middle of a step; so it is looked over before.
// Private to this room. Threads: pure but for the files.

#include <string>
#include <vector>

#include "core/record/run_file.h"
#include "core/record/run_rows.h"

namespace moescope::record {

/// Why nothing may be added: the file it is about ("run.db"; empty: the run), and half a sentence. An empty one: it
/// may.
struct Obstacle {
  std::string file;
  std::string why;
};
/// `files`: those that could be opened.
Obstacle obstacle_to_going_on(const std::string& folder, std::vector<RunFile>& files);

/// "fork it at step 140, from the newest checkpoint that can be read, or export what can be read".
std::string way_on(const std::string& folder, const std::vector<CheckpointRow>& checkpoints);

/// Adds the checkpoints in the folder that no row names, by what they say of themselves: a damaged record may have lost
/// their rows. `rows` rise by step.
void add_unlisted_checkpoints(const std::string& folder, std::vector<CheckpointRow>& rows);

/// What of a run is left when its record cannot be read: "it can be neither continued nor forked, but …"; empty:
/// nothing.
std::string what_is_left(const std::string& folder);

}  // namespace moescope::record
