#pragma once
// A recorded run that nobody trained: a FakeRun written to a run file as a recorder would. Threads: one thread.

#include <cstdint>
#include <memory>
#include <string>

namespace moescope::test {

struct RecordShape {
  std::int64_t steps = 120;      ///< recorded
  std::int64_t total = 400;      ///< configured
  std::int64_t switch_at = 60;   ///< by the schedule; −1: never
  std::int64_t command_at = 40;  ///< where a person set the learning rate and froze a router: rows 1 and 2
  std::string failure = {};      ///< why it ended, if it did not just stop
  std::string id = "0123456789abcdef";
  std::string parent_folder = {};  ///< of a fork, with that run's id and the step it was left at
  std::string parent_id = {};
  std::int64_t parent_step = 0;
};

/// Makes `folder` with its run.db, router spaces of all layers at every tenth step and a checkpoint's row and file at
/// step 50. As long as it lives the run is being recorded.
class GrowingRecord {
 public:
  explicit GrowingRecord(const std::string& folder, const RecordShape& shape = {});
  ~GrowingRecord();
  /// Records on, up to this step.
  void grow_to(std::int64_t step);

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// One that is not recorded any more.
void write_record(const std::string& folder, const RecordShape& shape = {});

}  // namespace moescope::test
