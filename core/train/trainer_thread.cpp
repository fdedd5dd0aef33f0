#include "core/train/trainer_thread.h"

#include <ATen/Context.h>

#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/train/trainer.h"

namespace moescope::train {

class TrainerThread::Body {
 public:
  Body(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks)
      : thread_([this, request = std::move(request), channels = std::move(channels),
                 hooks = std::move(hooks)](const std::stop_token& stop) mutable {
          train(std::move(request), std::move(channels), std::move(hooks), stop);
          ended_ = true;
        }) {}

  void request_stop() { thread_.request_stop(); }
  bool ended() const { return ended_; }

 private:
  /// The one place where exceptions of a run end.
  static void train(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks,
                    const std::stop_token& stop) noexcept {
    at::globalContext().setFlushDenormal(true);  // acts on the calling thread
    Trainer trainer(std::move(request), std::move(channels), std::move(hooks));
    try {
      trainer.run(stop);
      trainer.refuse_waiting("the run is over");
    } catch (...) {
      trainer.fail(std::current_exception());
      trainer.refuse_waiting("the run has failed");
    }
  }

  std::atomic<bool> ended_{false};
  std::jthread thread_;  ///< last: it uses the members above, and joins before they go
};

TrainerThread::TrainerThread(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks)
    : body_(std::make_unique<Body>(std::move(request), std::move(channels), std::move(hooks))) {}

TrainerThread::~TrainerThread() = default;

void TrainerThread::request_stop() { body_->request_stop(); }
bool TrainerThread::ended() const { return body_->ended(); }

}  // namespace moescope::train
