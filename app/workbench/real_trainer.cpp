#include "app/workbench/real_trainer.h"

#include <utility>

namespace moescope::app {
namespace {

class RealTrainer : public TrainerHandle {
 public:
  RealTrainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels)
      : thread_(std::move(request), std::move(channels)) {}
  void request_stop() override { thread_.request_stop(); }
  bool ended() const override { return thread_.ended(); }

 private:
  train::TrainerThread thread_;
};

}  // namespace

std::unique_ptr<TrainerHandle> start_real_trainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels) {
  return std::make_unique<RealTrainer>(std::move(request), std::move(channels));
}

}  // namespace moescope::app
