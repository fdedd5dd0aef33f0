#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/load_scene.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

class LoadView final : public ViewBase {
 public:
  std::string id() const override { return "load"; }
  std::string title() const override { return "Load"; }
  std::string subtitle(const ViewContext& context) const override {
    if (!context.history.run()) return "share of tokens per expert";
    const telemetry::Ghost* other = difference_ghost(context);
    std::string text = "layer " + std::to_string(shown_layer(context) + 1) + " · ";
    text += other ? "difference to " + other->name + ": orange more here, blue fewer"
                  : "share of all training tokens, before capacity";
    for (const std::size_t i : ghosts_with_same_experts(context)) text += " · ticks: " + context.ghosts[i].name;
    if (context.selection.step) text += " · " + step_text(*context.selection.step);
    return text;
  }
  std::string help() const override {
    return "Left, time runs to the right and each row is an expert: the brighter (dark theme) or darker (light theme), "
           "the "
           "larger its share of the layer’s tokens, counted before capacity. Right, the share now (mean with a "
           "half-life of "
           "5 steps), the fair share 1/E and the capacity line; what capacity drops has a dotted edge. An expert below "
           "a "
           "tenth of its fair share is hatched and named with the step since which it starves. Click an expert to "
           "follow "
           "it everywhere, drag over the heat map to look at another moment, double-click or End to follow live. "
           "Beside a run with the same experts, “difference” above the bars shows this run’s shares minus the other’s, "
           "step by step, in fair shares: orange is more here, blue fewer, hatched where only one of them has steps. "
           "Further clicks go on to the next run and back.";
  }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    size_ = size;
    state_.update(context.history);
    return load_scene(context, size, state_);
  }
  std::optional<TimeAxis> time_axis_of(const ViewContext& context, Size size) const override {
    return load_time_axis(context, size);
  }
  std::string readout(const ViewContext& context, std::int64_t step, Vec2 at) const override {
    return load_readout(context, size_, step, at);
  }

 private:
  LoadState state_;
  Size size_;
};

}  // namespace

ViewEntry load_view() { return entry_of<LoadView>(30); }

}  // namespace moescope::views
