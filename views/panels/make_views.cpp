#include <algorithm>
#include <vector>

#include "views/panels/view_entry.h"

namespace moescope::views {

// One line per file <name>_view.cpp of this folder, written by CMakeLists.txt.
#define MOESCOPE_VIEW(name) ViewEntry name();
#include "view_list.inc"
#undef MOESCOPE_VIEW

std::vector<std::unique_ptr<View>> make_views() {
  std::vector<ViewEntry> entries{
#define MOESCOPE_VIEW(name) name(),
#include "view_list.inc"
#undef MOESCOPE_VIEW
  };
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  std::vector<std::unique_ptr<View>> views;
  for (const ViewEntry& entry : entries) views.push_back(entry.make());
  return views;
}

}  // namespace moescope::views
