#include <algorithm>
#include <optional>

#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/empty_scene.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/sphere_scene.h"

namespace moescope::views {
namespace {

constexpr const char* kPromise = "Probe tokens and router rows in the router’s own space.";

class SphereView final : public ViewBase {
 public:
  std::string id() const override { return "sphere"; }
  std::string title() const override { return "Sphere"; }

  std::string subtitle(const ViewContext& context) const override {
    const int layer = shown_layer(context);
    const telemetry::RouterSpace* space = context.history.space_at(layer, context.shown_step());
    std::string text = "layer " + std::to_string(layer + 1);
    if (!space) return text + " · router space";
    return text + " · " + figure(static_cast<double>(space->token_S.size())) + " tokens at " + step_text(space->step) +
           ", router rows as arrows" + (camera_.snap ? " · snapped to the surface" : "");
  }

  std::string help() const override {
    return "Each point is a probe token as the router sees it, each arrow a router row; a token goes where score is "
           "highest. With three "
           "router dimensions directions are exact. With more, everything is projected on the rows’ main directions "
           "and a point’s depth "
           "inside the ball is the share of its length that survives; “snap” shows how much pulling it to the surface "
           "exaggerates. Drag to "
           "turn, wheel to zoom, double-click to reset. The figures at the side are computed in all dimensions.";
  }

  telemetry::Wants wants(const ViewContext& context) const override {
    telemetry::Wants wants;
    const int layer = shown_layer(context);
    if (layer >= 0 && layer < 64) wants.space_layers = std::uint64_t{1} << layer;
    return wants;
  }

  int min_interval_ms() const override { return 400; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    if (auto waiting = waiting_scene(context, size, title(), kPromise)) return *waiting;
    if (context.history.run()->router_space_dim == 0)
      return empty_scene(
          size, context.palette, title(),
          "This method’s router has no rows: its choice is not an inner product, so there is no sphere to draw.", "");
    const int layer = shown_layer(context);
    const telemetry::RouterSpace* space = context.history.space_at(layer, context.shown_step());
    if (!space || space->vectors_SR.empty()) {
      const bus::RunState state = context.status.state;
      const bool over = state == bus::RunState::kFinished || state == bus::RunState::kFailed;
      const std::string of_layer = "layer " + std::to_string(layer + 1);
      return empty_scene(size, context.palette, title(), kPromise,
                         over || context.selection.step ? "None was recorded of " + of_layer + " up to this step."
                                                        : "Comes with the next probe of " + of_layer + ".");
    }
    fit_basis(context, *space);
    Scene scene = sphere_scene(context, size, *space, *basis_, camera_);
    controls_row(context, scene);
    return scene;
  }

  bool drag(const ViewContext&, Vec2 /*from*/, Vec2 delta) override {
    camera_.yaw += delta.x * 0.01F;
    camera_.pitch = std::clamp(camera_.pitch + delta.y * 0.01F, -1.5F, 1.5F);
    return true;
  }

  bool wheel(const ViewContext&, Vec2, float turns) override {
    camera_.zoom = std::clamp(camera_.zoom * (turns > 0 ? 1.1F : 1 / 1.1F), 0.5F, 4.0F);
    return true;
  }

  void double_click(const ViewContext& context, Vec2 at) override {
    camera_ = {};
    ViewBase::double_click(context, at);
  }

  void click(const ViewContext& context, const Hit& hit) override {
    if (hit.name == "snap") camera_.snap = !camera_.snap;
    if (hit.name == "refit") basis_.reset();
    ViewBase::click(context, hit);
  }

 private:
  // The basis stays until the layer, the run or the stage changes, or the user asks: the picture never spins by itself.
  void fit_basis(const ViewContext& context, const telemetry::RouterSpace& space) {
    const telemetry::TelemetryFrame* frame = context.history.latest();
    const int stage = frame ? frame->stage : 0;
    const bool stale = !basis_ || basis_->layer != space.layer || basis_->dim != space.dim ||
                       run_ != context.history.run() || stage_ != stage;
    if (!stale) return;
    const SphereBasis* previous = basis_ && run_ == context.history.run() ? &*basis_ : nullptr;
    basis_ = sphere_basis(space, previous);
    run_ = context.history.run();
    stage_ = stage;
  }

  void controls_row(const ViewContext& context, Scene& scene) const {
    add_layer_chooser(scene, context, {118, 5}, 112);
    if (basis_->exact()) return;
    float x = 8;
    for (const auto& [name, text, tooltip] :
         {std::tuple{"snap", camera_.snap ? "snapped" : "snap",
                     "pull every token to the surface, or let depth show what the projection loses"},
          std::tuple{"refit", "re-fit", "choose the three directions anew from the rows as they are now"}}) {
      scene.add(Text{{x, scene.size.h - 18}, text, context.palette.muted, kSmallSize});
      Hit hit{Hit::Kind::kControl, -1, -1, -1, name, std::string(text) + "\n" + tooltip};
      scene.hits.push_back({{x - 3, scene.size.h - 20, 44, 16}, hit});
      x += 52;
    }
  }

  SphereCamera camera_;
  std::optional<SphereBasis> basis_;
  const telemetry::RunInfo* run_ = nullptr;
  int stage_ = -1;
};

}  // namespace

ViewEntry sphere_view() { return entry_of<SphereView>(40); }

}  // namespace moescope::views
