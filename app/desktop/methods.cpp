#include "app/desktop/methods.h"

#include "core/moe/method.h"

namespace moescope::app {

Methods registered_methods() {
  return {moe::method_catalogue(), [](const auto& config) { return moe::check_run(config); }};
}

}  // namespace moescope::app
