#pragma once
// Where the parts of the load picture stand, and which words fit below it. Threads: pure functions.

#include <string>
#include <vector>

#include "views/scene/layer_load.h"
#include "views/view.h"

namespace moescope::views {

/// Words below the picture, side by side, on as many lines as the layout found room for.
struct LoadWord {
  std::string text;
  Color color;
  Text::Font font = Text::Font::kRegular;
};

struct LoadLayout {
  static constexpr float kPad = 10;
  static constexpr float kLine = 15;  ///< one line of words

  int num_experts = 1;
  Rect heat, bars;
  float row = 0;  ///< height of one expert's row
  int mark_rows = 1;
  float difference_top = -1;  ///< of the line that says whose difference is shown; −1: none is, or no room for it
  float words_top = 0;
  float right = 0;  ///< where the numbers end
  std::vector<LoadWord> words;

  float middle(int expert) const { return heat.y + row * (static_cast<float>(expert) + 0.5F); }
};

/// The run has steps with experts at the moment shown.
bool has_loads(const ViewContext& context);

LoadLayout load_layout(const ViewContext& context, Size size, const LayerLoad& load);
/// Of the shown layer at the moment shown.
LoadLayout load_layout(const ViewContext& context, Size size);

/// "effective experts 5.4 of 8"
std::string effective_text(const LayerLoad& load);

}  // namespace moescope::views
