#include <tuple>

#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/empty_scene.h"
#include "views/scene/fluctuation_difference.h"
#include "views/scene/fluctuation_scene.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

constexpr const char* kPromise = "A raster of held-out tokens over time, coloured by the expert each goes to.";

class FluctuationView final : public ViewBase {
 public:
  std::string id() const override { return "fluctuation"; }
  std::string title() const override { return "Fluctuation"; }

  std::string subtitle(const ViewContext& context) const override {
    const telemetry::ProbeSnapshot* probe = context.history.probe_at(context.shown_step());
    std::string text = "layer " + std::to_string(shown_layer(context) + 1);
    // First, since a narrow dock cuts the end.
    if (difference_) {
      text += " · " + elsewhere_text(*difference_);
    } else if (const std::string obstacle = difference_obstacle(context); !obstacle.empty()) {
      text += " · no difference to " + *context.selection.against + ": " + obstacle;
    }
    if (probe && probe->spacing > 0) text += " · every " + std::to_string(probe->spacing) + " steps";
    text += " · colour = expert";
    if (!rows_.fluctuation_C.empty()) text += " · now " + percent(rows_.fluctuation_C.back()) + " changed";
    return text;
  }

  std::string help() const override {
    return "Each row is a probe token, each column a probe, the colour the expert of its first choice; rows that "
           "changed last stand "
           "lowest. Beneath: the share of tokens that stay put from each step on; while the run goes on, up to now. "
           "Across a stage switch the student’s choice just before it is what later probes are compared with, so that "
           "the "
           "take-over itself is no change. Drag to "
           "look at an earlier "
           "step, double-click to follow live, click a row to follow its token. Beside a run with the same experts and "
           "probe, “difference” leaves only the tokens that go to another expert than in that run; hatched is where it "
           "has no probe.";
  }

  int min_interval_ms() const override { return 200; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override {
    if (auto waiting = waiting_scene(context, size, title(), kPromise)) return *waiting;
    refresh(context, size);
    if (rows_.step_C.empty())
      return empty_scene(size, context.palette, title(), kPromise, "The first probe comes with the first steps.");
    refresh_ghosts(context);
    return fluctuation_scene(context, size, rows_, order_, version_, ghosts_, difference_ ? &*difference_ : nullptr);
  }

  std::optional<TimeAxis> time_axis_of(const ViewContext& context, Size size) const override {
    if (rows_.step_C.empty()) return std::nullopt;
    const FluctuationLayout layout = fluctuation_layout(size);
    const Rect& raster = layout.raster;
    return time_axis(context, {raster.x, raster.y, raster.w, layout.curve.bottom() - raster.y});
  }

  std::string readout(const ViewContext& context, std::int64_t step, Vec2 at) const override {
    const auto after = std::upper_bound(rows_.step_C.begin(), rows_.step_C.end(), step);
    if (after == rows_.step_C.begin()) return {};
    const auto probe = static_cast<std::size_t>(after - rows_.step_C.begin() - 1);
    const FluctuationLayout layout = fluctuation_layout(scene().size);
    std::string text = step_text(rows_.step_C[probe]);
    if (!layout.raster.contains(at))
      return text + "\n" + percent(settled_share(rows_, rows_.step_C[probe])) +
             " of the tokens changed for the last time by here\n" + percent(rows_.fluctuation_C[probe]) +
             " changed since the probe before";
    const auto num_tokens = rows_.order_M.size();
    const auto row =
        static_cast<std::size_t>((at.y - layout.raster.y) / layout.raster.h * static_cast<float>(num_tokens));
    const auto token = static_cast<std::size_t>(rows_.order_M[std::min(row, num_tokens - 1)]);
    const telemetry::ProbeToken& one = context.history.run()->probe[token];
    const int expert = rows_.expert_CM[probe * num_tokens + token];
    const auto name = [](int e) { return e < 0 ? "none" : expert_name(e); };
    text += " · “" + one.text + "” → " + name(expert);
    if (difference_) {
      const bool known = difference_->step_C[probe] >= 0;
      text += "\n" + difference_->name +
              (known ? " → " + name(difference_->expert_CM[probe * num_tokens + token]) + ", probed at " +
                           step_text(difference_->step_C[probe])
                     : " has no probe here");
    }
    const auto label = static_cast<std::size_t>(one.label);
    if (label < context.history.run()->labels.size())
      text += "\n" + context.history.run()->labels[label] + " · " + one.document;
    const std::int64_t last = rows_.last_change_M[token];
    return text + "\n" + (last == 0 ? "never elsewhere so far" : "last elsewhere at " + step_text(last));
  }

  void click(const ViewContext& context, const Hit& hit) override {
    if (hit.name == "sort") order_ = static_cast<RowOrder>((static_cast<int>(order_) + 1) % 3);
    ViewBase::click(context, hit);
  }

 private:
  // A ghost's history does not change, so its curve is made once per layer.
  void refresh_ghosts(const ViewContext& context) {
    std::vector<const telemetry::History*> key;
    for (const telemetry::Ghost& ghost : context.ghosts) key.push_back(ghost.history.get());
    if (key == ghosts_key_ && ghosts_layer_ == shown_layer(context)) return;
    ghosts_key_ = std::move(key);
    ghosts_layer_ = shown_layer(context);
    ghosts_.clear();
    for (const telemetry::History* history : ghosts_key_) ghosts_.push_back(settled_curve(*history, ghosts_layer_));
  }

  // Rows and raster are made anew only when something they show has changed.
  void refresh(const ViewContext& context, Size size) {
    const auto& probes = context.history.probes();
    const Key rows_key{context.history.run(), probes.empty() ? nullptr : probes.back().get(), shown_layer(context),
                       context.selection.step.value_or(-1), order_};
    const Look look{size.w,
                    size.h,
                    context.selection.expert.value_or(-1),
                    context.selection.layer,
                    context.palette.theme,
                    time_axis(context, {}).last,
                    difference_version(context)};
    if (rows_key == rows_key_ && look == look_) return;
    const bool other_rows = rows_key != rows_key_;
    if (other_rows) rows_ = fluctuation_rows(context.history, shown_layer(context), context.shown_step(), order_);
    if (other_rows || std::get<std::uint64_t>(look) != std::get<std::uint64_t>(look_))
      difference_ = chosen_difference(context, rows_);
    rows_key_ = rows_key;
    look_ = look;
    ++version_;
  }

  using Key = std::tuple<const telemetry::RunInfo*, const telemetry::ProbeSnapshot*, int, std::int64_t, RowOrder>;
  using Look = std::tuple<float, float, int, int, Theme, std::int64_t, std::uint64_t>;
  FluctuationRows rows_;
  std::optional<FluctuationDifference> difference_;  ///< what the selection asks for
  std::vector<SettledCurve> ghosts_;
  std::vector<const telemetry::History*> ghosts_key_;
  int ghosts_layer_ = -1;
  RowOrder order_ = RowOrder::kLastChange;
  Key rows_key_{};
  Look look_{};
  std::uint64_t version_ = 0;
};

}  // namespace

ViewEntry fluctuation_view() { return entry_of<FluctuationView>(20); }

}  // namespace moescope::views
