#include "views/view.h"

namespace moescope::views {

std::int64_t ViewContext::shown_step() const {
  if (selection.step) return *selection.step;
  return history.latest() ? history.latest()->step : 0;
}

}  // namespace moescope::views
