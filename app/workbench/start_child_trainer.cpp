// Apart from child_trainer.cpp, which needs no LibTorch.
#include "app/workbench/child_request.h"
#include "app/workbench/child_trainer.h"
#include "core/moe/method.h"

namespace moescope::app {

std::unique_ptr<TrainerHandle> start_child_trainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels) {
  const moe::Method* method = moe::find_method(request.config.moe.method);
  MOESCOPE_ASSERT(method != nullptr, "a run that is started has a method");
  return std::make_unique<ChildTrainer>(request_bytes(request, method->info), request.folder, std::move(channels));
}

}  // namespace moescope::app
