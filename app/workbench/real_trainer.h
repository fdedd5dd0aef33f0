#pragma once
// The trainer the programs use. Apart from workbench.cpp, so that tests with a fake one need no LibTorch.

#include "app/workbench/workbench.h"

namespace moescope::app {

std::unique_ptr<TrainerHandle> start_real_trainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels);

}  // namespace moescope::app
