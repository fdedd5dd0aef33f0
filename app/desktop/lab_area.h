#pragma once
// The docks of a run: one per view, the controls, the journal; their default places, and how a layout is kept.
// A QMainWindow inside the window, so that the welcome page can stand in its place.
// Threads: UI thread only.

#include <QMainWindow>

#include <memory>
#include <optional>
#include <vector>

#include "app/desktop/canvas_widget.h"
#include "app/desktop/controls_panel.h"
#include "app/desktop/dock.h"
#include "app/desktop/journal_panel.h"

namespace moescope::app {

enum class Layout { kWatch, kSteer };

class LabArea : public QMainWindow {
  Q_OBJECT
 public:
  LabArea(Session& session, OffscreenGl& gl, std::vector<std::unique_ptr<views::View>> views,
          QWidget* parent = nullptr);

  const std::vector<Dock*>& docks() const { return docks_; }
  Dock* dock(const QString& id) const;
  const std::vector<CanvasWidget*>& canvases() const { return canvases_; }
  CanvasWidget* canvas(const QString& view_id) const;
  /// The picture that has or last had the keyboard; else the first that can be seen; nullptr: none can.
  CanvasWidget* focused_canvas() const;
  ControlsPanel& controls() { return *controls_; }
  JournalPanel& journal() { return *journal_; }

  void apply_layout(Layout layout);
  /// As it was when the program was last closed; false when there is nothing that fits.
  bool restore_layout();
  void keep_layout() const;
  /// Brings a view's dock to the front and gives it the keyboard.
  void raise_view(const QString& view_id);

 Q_SIGNALS:
  void layout_applied(int layout);

 protected:
  void showEvent(QShowEvent*) override;

 private:
  Dock* add_dock(const QString& id, const QString& title, const QString& help, QWidget* content);
  void place_docks();
  void size_docks(Layout layout);
  void refresh_heads();
  void refresh_wants();

  Session& session_;
  std::vector<Dock*> docks_;
  std::vector<CanvasWidget*> canvases_;
  ControlsPanel* controls_;
  JournalPanel* journal_;
  CanvasWidget* last_focus_ = nullptr;
  std::optional<Layout> unsized_;  ///< applied while hidden: sizes follow when there is room to give
};

}  // namespace moescope::app
