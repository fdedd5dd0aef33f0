#include "core/config/method_info.h"

#include <algorithm>

namespace moescope::config {

const MethodInfo* find_method(const MethodCatalogue& catalogue, const std::string& id) {
  const auto found =
      std::find_if(catalogue.begin(), catalogue.end(), [&](const MethodInfo& method) { return method.id == id; });
  return found == catalogue.end() ? nullptr : &*found;
}

}  // namespace moescope::config
