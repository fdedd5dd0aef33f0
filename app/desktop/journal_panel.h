#pragma once
// Every command with its step, who gave it, what it was and what came of it; newest on top. Threads: UI thread only.

#include <QAbstractTableModel>
#include <QMenu>
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
  /// Of the row as shown: newest on top.
  const JournalEntry& entry(int row) const { return entries_[entries_.size() - 1 - static_cast<std::size_t>(row)]; }

 private:
  /// The failure that ended the run, which stands in full above the pictures.
  bool is_in_banner(int row) const;

  Session& session_;
  std::vector<JournalEntry> entries_;
  bool failed_ = false;
};

class JournalPanel : public QTableView {
  Q_OBJECT
 public:
  explicit JournalPanel(Session& session, QWidget* parent = nullptr);
  JournalModel& rows() { return *model_; }
  /// What can be done with a row, as a menu that deletes itself when closed.
  QMenu* make_menu(int row);

 Q_SIGNALS:
  /// Go back to `step` of the run in `folder`, with the first `commands` rows of its journal.
  void restore_wanted(const std::string& folder, std::int64_t step, std::int64_t commands);

 protected:
  void contextMenuEvent(QContextMenuEvent*) override;
  void resizeEvent(QResizeEvent*) override;

 private:
  void refresh();

  Session& session_;
  JournalModel* model_;
};

}  // namespace moescope::app
