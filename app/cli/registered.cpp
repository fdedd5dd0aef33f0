#include "app/cli/registered.h"

#include "core/moe/method.h"

namespace moescope::cli {

config::MethodCatalogue registered_methods() { return moe::method_catalogue(); }

Diagnostics check_method(const config::RunConfig& config) { return moe::check_run(config); }

}  // namespace moescope::cli
