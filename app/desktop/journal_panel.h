#pragma once
// Every command with its step, who gave it, what it was and what came of it; newest on top. Threads: UI thread only.

#include <QAbstractTableModel>
#include <QTableView>

#include "app/desktop/session.h"

namespace moescope::app {

class JournalModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { kStep, kWho, kWhat, kColumns };
  enum Role { kEffectRole = Qt::UserRole + 1, kPendingRole, kRefusedRole };
  explicit JournalModel(Session& session, QObject* parent = nullptr);
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  void refresh();

 private:
  Session& session_;
  std::vector<JournalEntry> entries_;
};

class JournalPanel : public QTableView {
  Q_OBJECT
 public:
  explicit JournalPanel(Session& session, QWidget* parent = nullptr);
  JournalModel& rows() { return *model_; }

 protected:
  void resizeEvent(QResizeEvent*) override;

 private:
  void refresh();

  Session& session_;
  JournalModel* model_;
};

}  // namespace moescope::app
