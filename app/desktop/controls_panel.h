#pragma once
// What can be done with the run: its method, the layer looked at, a slider for every live parameter the method
// declares, the experts. Threads: UI thread only.

#include <QLabel>
#include <QWidget>

#include <vector>

#include "app/desktop/expert_list.h"
#include "app/desktop/parameter_row.h"
#include "app/desktop/segmented.h"

class QVBoxLayout;

namespace moescope::app {

class ControlsPanel : public QWidget {
  Q_OBJECT
 public:
  explicit ControlsPanel(Session& session, QWidget* parent = nullptr);
  const std::vector<ParameterRow*>& rows() const { return rows_; }
  ParameterRow* row(const std::string& key) const;
  ExpertList& experts() { return *experts_; }
  Segmented& layers() { return *layers_; }

 private:
  void refresh();
  void rebuild();
  void refresh_head();

  Session& session_;
  std::string built_for_;
  QLabel* title_;
  QLabel* summary_;
  Segmented* layers_;
  QWidget* parameters_;
  QVBoxLayout* parameter_column_;
  QLabel* experts_head_;
  ExpertList* experts_;
  std::vector<ParameterRow*> rows_;
};

}  // namespace moescope::app
