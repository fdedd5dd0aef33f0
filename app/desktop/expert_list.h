#pragma once
// The experts of the chosen layer: colour, name, share of the tokens, what they attract, whether they are frozen.
// Click follows one, right click or the Menu key opens what can be done with it. Threads: UI thread only.

#include <QListView>
#include <QStandardItemModel>

#include <vector>

#include "app/desktop/session.h"

namespace moescope::app {

class ExpertList : public QListView {
  Q_OBJECT
 public:
  explicit ExpertList(Session& session, QWidget* parent = nullptr);
  void refresh();
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {100, 60}; }

 protected:
  void contextMenuEvent(QContextMenuEvent*) override;

 private:
  void update_shares();
  QStringList words_of(int expert) const;

  Session& session_;
  QStandardItemModel model_;
  int layer_ = -1;
  std::int64_t step_ = -1;
  std::vector<double> share_E_;  ///< smoothed, so that bars do not flicker
};

}  // namespace moescope::app
