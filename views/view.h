#pragma once
// A view: frames it cannot change in, a picture out. It has never heard of the trainer, of LibTorch or of Qt; when it
// wants something done it posts a command. One file per view in views/panels/; the arithmetic that turns history into
// a Scene is a free function in views/scene/, tested without ImGui.
// Threads: UI thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/bus/command.h"
#include "core/bus/run_state.h"
#include "core/telemetry/history.h"
#include "views/scene/palette.h"
#include "views/scene/scene.h"

namespace moescope::views {

/// Shared by all views and docks: what is followed, and which moment is looked at. One object in the application.
struct Selection {
  int layer = 0;                     ///< from 0; views without an "all layers" picture show this one
  std::optional<int> expert;         ///< in `layer`
  std::optional<int> token_class;    ///< index into RunInfo::labels
  std::optional<int> token;          ///< index into RunInfo::probe
  std::optional<std::int64_t> step;  ///< the time cursor; nothing: follow live
  /// Name of the ghost that the views show this run's difference to; nothing: the run itself.
  std::optional<std::string> against;
  bool operator==(const Selection&) const = default;
};

struct ViewContext {
  const telemetry::History& history;
  const bus::RunStatus& status;
  Selection& selection;
  const Palette& palette;
  bool reduce_motion = false;
  std::function<void(bus::Command)> post = {};
  const bus::SentenceResult* sentence = nullptr;  ///< the newest routed sentence, if any
  std::span<const telemetry::Ghost> ghosts = {};  ///< other runs, whose curves stand behind this one's
  /// Marks of the newest step shown: the time cursor, or the latest frame's step.
  std::int64_t shown_step() const;
};

class View {
 public:
  virtual ~View() = default;
  virtual std::string id() const = 0;     ///< "flow"
  virtual std::string title() const = 0;  ///< "Flow"
  /// Beside the title: which layer, which spacing, how much is shown.
  virtual std::string subtitle(const ViewContext& context) const = 0;
  virtual std::string help() const = 0;  ///< what is drawn and what can be done, a few sentences
  virtual telemetry::Wants wants(const ViewContext&) const { return {}; }
  /// Draws into the current ImGui window, which fills the canvas of `size`.
  virtual void draw(const ViewContext& context, Size size) = 0;
  /// The scene of the last draw(), for tests, picture export and screen readers.
  virtual const Scene& scene() const = 0;
  /// Least milliseconds between repaints that new frames cause (input repaints at once).
  virtual int min_interval_ms() const { return 100; }
  /// A tween is running: repaint at the next tick though nothing arrived.
  virtual bool animating() const { return false; }
  /// The canvas has got the keyboard: a view with a text field puts the cursor there.
  virtual void take_focus() {}
  /// Arrow keys and Enter inside the canvas; returns true when used.
  virtual bool key(const ViewContext&, int /*dx*/, int /*dy*/, bool /*enter*/) { return false; }
};

/// One of each view, in the order of the default layout.
std::vector<std::unique_ptr<View>> make_views();

}  // namespace moescope::views
