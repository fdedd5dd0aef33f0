#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/loss_scene.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

class LossView final : public ViewBase {
 public:
  std::string id() const override { return "loss"; }
  std::string title() const override { return "Loss"; }
  std::string subtitle(const ViewContext& context) const override {
    const telemetry::ScalarSeries* validation = context.history.series("validation");
    std::string text = "bits per token · mean with half-life " + figure(kLossHalfLife) + " steps";
    if (validation && !validation->step.empty()) text += " · validated at " + step_text(validation->step.back());
    return text;
  }
  std::string help() const override {
    return "Bold: the task loss as an exponential mean whose half-life is given in steps, right from the first step "
           "on. Pale: "
           "every step, least and most per pixel. Dots: validation. The grey line is the entropy of single tokens in "
           "the "
           "training text; below it the model has learnt more than frequencies. Beneath, each auxiliary loss on its "
           "own "
           "scale from zero. Drag to set the time cursor for all views, double-click or End to follow live.";
  }
  bool animating() const override { return state_.bits.waiting > 0; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    state_.update(context, static_cast<double>(ImGui::GetIO().DeltaTime));
    return loss_scene(context, size, state_);
  }
  std::optional<TimeAxis> time_axis_of(const ViewContext& context, Size size) const override {
    return loss_time_axis(context, size);
  }
  std::string readout(const ViewContext& context, std::int64_t step, Vec2) const override {
    return loss_readout(context, step);
  }

 private:
  LossState state_;
};

}  // namespace

ViewEntry loss_view() { return entry_of<LossView>(50); }

}  // namespace moescope::views
