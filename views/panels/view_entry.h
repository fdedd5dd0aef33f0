#pragma once
// How a view's file announces itself: <name>_view.cpp defines `ViewEntry <name>_view()`. The list of files is made by
// CMake from the folder, so that adding a view is adding one file. Threads: plain values.

#include <memory>

#include "views/view.h"

namespace moescope::views {

struct ViewEntry {
  int order = 0;  ///< place in the default layout; tens, so that another fits between
  std::unique_ptr<View> (*make)() = nullptr;
};

template <class V>
ViewEntry entry_of(int order) {
  return {order, []() -> std::unique_ptr<View> { return std::make_unique<V>(); }};
}

}  // namespace moescope::views
