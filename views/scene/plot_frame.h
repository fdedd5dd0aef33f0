#pragma once
// What every plot for a page shares: title, note, axis texts, the y axis with its grid. Threads: one owner.

#include <limits>
#include <string>

#include "views/scene/palette.h"
#include "views/scene/scene.h"

namespace moescope::views {

struct PlotText {
  std::string title;
  std::string note;  ///< what the figures rest on: probe size, spacing, variant
  std::string x;     ///< what the axis shows, with its unit
  std::string y;
};

/// Least and greatest of what it took; values that are not finite are passed over.
struct PlotRange {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  bool known() const { return low <= high; }
  void take(double value);
  /// Room of `share` of its length at both ends; 0 to 1 when it took nothing, and never without length.
  void widen(double share);
};

class PlotFrame {
 public:
  static constexpr float kPad = 14;
  static constexpr float kGap = 8;  ///< between the plot and what stands beside it

  /// `right`: what is kept free on the right of the plot.
  PlotFrame(const PlotText& text, const Palette& colors, Size size, float right);

 protected:
  void y_axis(const PlotRange& range);
  float y(double value) const;
  void x_label();

  const Palette& colors_;
  const PlotText& text_;
  Scene scene_;
  Rect area_;
  PlotRange y_;
};

}  // namespace moescope::views
