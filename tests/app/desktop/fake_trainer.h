#pragma once
// A trainer that trains nothing: a thread that publishes made-up frames and answers commands at step boundaries as the
// real one does. Threads: construct and use from one thread; the work happens on its own.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/desktop/methods.h"
#include "app/workbench/workbench.h"

namespace moescope::test {

struct FakeOptions {
  std::chrono::milliseconds step{4};
  std::chrono::milliseconds prepare{30};
  std::int64_t fail_at = -1;                ///< step at which the run fails; −1: never
  std::int64_t jump_to = 0;                 ///< steps done at once before the first wait, so that pictures are full
  std::int64_t switch_at = -1;              ///< the schedule switches to stage 2 at this step
  std::int64_t checkpoint_every = 0;        ///< the newest two are kept; 0: there is none
  std::string inexact;                      ///< told of a run that goes on from a record
  std::vector<train::RunRequest> requests;  ///< all that were started, newest last
};

class FakeTrainer : public app::TrainerHandle {
 public:
  FakeTrainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels, FakeOptions options);
  ~FakeTrainer() override;
  void request_stop() override { thread_.request_stop(); }
  bool ended() const override { return ended_; }

 private:
  class Body;
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

/// For Workbench and MainWindow. `options` is read at each start.
app::StartTrainer fake_starter(std::shared_ptr<FakeOptions> options);

/// Two methods: "two_stage" with stages and a student, "plain" without. And a rule that refuses seed 13.
app::Methods fake_methods();

}  // namespace moescope::test
