#include <chrono>
#include <optional>

#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/empty_scene.h"
#include "views/scene/flow_scene.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kTweenMs = 150;
constexpr const char* kPromise = "Ribbons from token classes through the experts of every layer.";

class FlowView final : public ViewBase {
 public:
  std::string id() const override { return "flow"; }
  std::string title() const override { return "Flow"; }

  std::string subtitle(const ViewContext& context) const override {
    const telemetry::ProbeSnapshot* probe = context.history.probe_at(context.shown_step());
    if (!probe || !target_) return "token class → experts, layer by layer";
    const ChosenLinks chosen = shown_links(*target_);
    return "token class → experts · probe at " + step_text(probe->step) + " · top " + percent(chosen.covered) +
           " of mass, " + std::to_string(chosen.links.size()) + " ribbons";
  }

  std::string help() const override {
    return "Where the probe’s tokens go. Left their class, then one column per MoE layer; an expert is as high as the "
           "gate mass it "
           "gets, a ribbon as wide as what flows. A dotted stub shows the share of an expert’s training tokens dropped "
           "by capacity, "
           "a padlock a router held still. Click an expert or a class to follow its tokens, Esc to let go.";
  }

  int min_interval_ms() const override { return 250; }
  bool animating() const override { return tween_ < 1; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    if (auto waiting = waiting_scene(context, size, title(), kPromise)) return *waiting;
    const telemetry::RunInfo& run = *context.history.run();
    const telemetry::ProbeSnapshot* probe = context.history.probe_at(context.shown_step());
    if (!probe || run.num_layers == 0)
      return empty_scene(size, context.palette, title(), kPromise, "The first probe comes with the first steps.");
    retarget(context, run, *probe);
    const std::vector<char> followed = followed_tokens(run, *probe, context.selection);
    const FlowMass shown = from_ ? blend(*from_, *target_, tween_) : *target_;
    if (followed.empty()) return flow_scene(context, size, shown, nullptr);
    const FlowMass part = flow_mass(run, *probe, followed);
    return flow_scene(context, size, *target_, &part);
  }

 private:
  // A new probe is reached by a short tween from what is drawn now, so that ribbons move instead of jumping.
  void retarget(const ViewContext& context, const telemetry::RunInfo& run, const telemetry::ProbeSnapshot& probe) {
    if (&run != run_ || probe.step != step_) {
      from_ = target_ && &run == run_ && !context.reduce_motion
                  ? std::optional(from_ ? blend(*from_, *target_, tween_) : *target_)
                  : std::nullopt;
      target_ = flow_mass(run, probe);
      started_ = Clock::now();
      run_ = &run;
      step_ = probe.step;
    }
    const double elapsed = std::chrono::duration<double, std::milli>(Clock::now() - started_).count();
    tween_ = from_ ? std::min(1.0, elapsed / kTweenMs) : 1;
  }

  std::optional<FlowMass> from_, target_;
  const telemetry::RunInfo* run_ = nullptr;
  std::int64_t step_ = -1;
  double tween_ = 1;
  Clock::time_point started_;
};

}  // namespace

ViewEntry flow_view() { return entry_of<FlowView>(10); }

}  // namespace moescope::views
