#pragma once
// What all views have in common: the last scene, hover and tooltip, clicks that become the shared selection, the
// keyboard's focus mark, the time cursor. A view says how its scene is made; it overrides the rest only where it
// differs. Threads: UI thread only.

#include <cstdint>
#include <optional>
#include <string>

#include "views/panels/scene_painter.h"
#include "views/scene/time_axis.h"
#include "views/view.h"

namespace moescope::views {

class ViewBase : public View {
 public:
  void draw(const ViewContext& context, Size size) final;
  const Scene& scene() const override { return scene_; }
  /// Moves the focus mark to the nearest named box in that direction; Enter does what a click on it does.
  bool key(const ViewContext& context, int dx, int dy, bool enter) override;

 protected:
  virtual Scene make_scene(const ViewContext& context, Size size) = 0;
  /// The view's axis over steps, if it has one: drags on it set the time cursor, hovering reads values.
  virtual std::optional<TimeAxis> time_axis_of(const ViewContext&, Size) const { return std::nullopt; }
  /// Exact values at a step (and place), as tooltip lines; empty: show the hit box's own tooltip.
  virtual std::string readout(const ViewContext&, std::int64_t /*step*/, Vec2 /*at*/) const { return {}; }
  /// A click on `hit`. The default follows the expert, class, token, layer or step; a second click lets go.
  virtual void click(const ViewContext& context, const Hit& hit);
  /// A drag outside a time axis, a wheel turn; true when used.
  virtual bool drag(const ViewContext&, Vec2 /*from*/, Vec2 /*delta*/) { return false; }
  virtual bool wheel(const ViewContext&, Vec2 /*at*/, float /*turns*/) { return false; }
  virtual void double_click(const ViewContext& context, Vec2 at);
  /// ImGui widgets on top of the picture (text fields); `origin` is the canvas corner in screen coordinates.
  virtual void controls(const ViewContext&, Size, ImVec2 /*origin*/) {}

 private:
  void pointer(const ViewContext& context, Size size, ImVec2 origin);
  void drag_or_click(const ViewContext& context, const std::optional<TimeAxis>& axis, Vec2 at, ImVec2 origin);
  void hover(const ViewContext& context, const std::optional<TimeAxis>& axis, Vec2 at, ImVec2 origin);
  void shortcuts(const ViewContext& context);
  const HitBox* nearest(const Rect& from, int dx, int dy) const;

  Scene scene_;
  ScenePainter painter_;
  std::string focus_;  // name of the focused hit box; empty: none
  bool dragging_ = false;
  bool scrubbing_ = false;  // the drag began on the time axis
  Vec2 press_;
};

}  // namespace moescope::views
