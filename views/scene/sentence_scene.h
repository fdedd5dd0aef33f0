#pragma once
// A sentence and its routing: each piece a chip in the colour of the expert it goes to in the selected layer (the
// paler, the smaller the margin), stripes for all layers beneath, and the model's continuation. Threads: pure
// functions.

#include <string>

#include "views/view.h"

namespace moescope::views {

struct SentenceState {
  float top = 40;     ///< room the text field takes
  std::string asked;  ///< the sentence that was sent last; empty: none
};

Scene sentence_scene(const ViewContext& context, Size size, const SentenceState& state);

}  // namespace moescope::views
