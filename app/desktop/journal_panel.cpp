#include "app/desktop/journal_panel.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QPainter>
#include <QRegularExpression>
#include <QStyledItemDelegate>
#include <QTextLayout>

#include "app/desktop/theme.h"
#include "views/scene/numbers.h"

namespace moescope::app {
namespace {

constexpr double kText = 11.5;
constexpr double kEffect = 11;
constexpr double kPadding = 5;

/// Draws `what` and under it, muted, its effect; both broken into lines.
class JournalDelegate : public QStyledItemDelegate {
 public:
  JournalDelegate(Session& session, QObject* parent) : QStyledItemDelegate(parent), session_(session) {}

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    if (index.column() != JournalModel::kWhat) return {40, scaled(20)};
    const auto* view = qobject_cast<const QTableView*>(option.widget);
    const double width = view ? view->columnWidth(JournalModel::kWhat) - 6 : 150;
    return {100, static_cast<int>(text_height(index, width) + 2 * kPadding)};
  }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const views::Palette& palette = session_.palette();
    painter->save();
    if (option.state & QStyle::State_Selected) painter->fillRect(option.rect, to_qt(palette.input));
    QRectF place = QRectF(option.rect).adjusted(index.column() == 0 ? 10 : 2, kPadding, -4, 0);
    const bool pending = index.data(JournalModel::kPendingRole).toBool();
    const QString text = index.data().toString();
    if (index.column() == JournalModel::kWhat) {
      paint_what(*painter, place, index, pending);
    } else {
      const bool you = index.column() == JournalModel::kWho && index.data().toString() == QLatin1String("you");
      painter->setFont(index.column() == JournalModel::kStep ? mono_font(11) : text_font(kText));
      painter->setPen(to_qt(you ? palette.accent : palette.muted));
      painter->drawText(place, Qt::AlignTop, text);
    }
    painter->restore();
  }

 private:
  void paint_what(QPainter& painter, QRectF place, const QModelIndex& index, bool pending) const {
    const views::Palette& palette = session_.palette();
    const bool refused = index.data(JournalModel::kRefusedRole).toBool();
    painter.setFont(what_font(pending));
    painter.setPen(to_qt(pending ? palette.muted : palette.text));
    QRectF used;
    painter.drawText(place, Qt::TextWordWrap, index.data().toString(), &used);
    place.setTop(used.bottom() + 1);
    painter.setFont(text_font(kEffect));
    painter.setPen(to_qt(refused ? palette.warning : palette.muted));
    painter.drawText(place, Qt::TextWordWrap, index.data(JournalModel::kEffectRole).toString());
  }

  static QFont what_font(bool pending) {
    QFont font = text_font(kText);
    font.setWeight(QFont::Medium);
    font.setItalic(pending);
    return font;
  }

  static double text_height(const QModelIndex& index, double width) {
    const QRectF room(0, 0, width, 10'000);
    const QFontMetricsF what(what_font(index.data(JournalModel::kPendingRole).toBool())), effect(text_font(kEffect));
    double height = what.boundingRect(room, Qt::TextWordWrap, index.data().toString()).height();
    const QString told = index.data(JournalModel::kEffectRole).toString();
    if (!told.isEmpty()) height += 1 + effect.boundingRect(room, Qt::TextWordWrap, told).height();
    return height;
  }

  Session& session_;
};

/// "set moe.router.balance_coefficient 0.5" as a person says it: "balance coefficient 0.5".
QString in_words(const std::string& what) {
  static const QRegularExpression set(QStringLiteral("^(undo: )?set (?:[a-z_]+\\.)*([a-z_]+) (.*)$"));
  const QString text = QString::fromStdString(what);
  const QRegularExpressionMatch found = set.match(text);
  if (!found.hasMatch()) return text;
  QString name = found.captured(2) == QLatin1String("lr") ? QObject::tr("learning rate") : found.captured(2);
  name.replace(QLatin1Char('_'), QLatin1Char(' '));
  return found.captured(1) + name + QStringLiteral(" ") + found.captured(3);
}

QString with_short_numbers(const QString& text) {
  return QString::fromStdString(views::with_short_numbers(text.toStdString()));
}

bool same(const JournalEntry& a, const JournalEntry& b) {
  return a.seq == b.seq && a.step == b.step && a.what == b.what && a.effect == b.effect && a.pending == b.pending &&
         a.refused == b.refused && a.number == b.number;
}

}  // namespace

JournalModel::JournalModel(Session& session, QObject* parent) : QAbstractTableModel(parent), session_(session) {}

int JournalModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}

int JournalModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QVariant JournalModel::data(const QModelIndex& index, int role) const {
  const JournalEntry& entry = this->entry(index.row());
  const QString effect = entry.pending ? tr("pending…") : QString::fromStdString(entry.effect);
  if (role == kPendingRole) return entry.pending;
  if (role == kRefusedRole) return entry.refused;
  const QString told = entry.refused ? tr("refused: %1").arg(effect) : effect;
  if (role == kEffectRole) return is_in_banner(index.row()) ? QString() : with_short_numbers(told);
  if (role == Qt::AccessibleTextRole || role == Qt::ToolTipRole)
    return tr("step %1, %2: %3. %4").arg(entry.step).arg(QString::fromStdString(entry.who), in_words(entry.what), told);
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case kStep: return QString::number(entry.step);
    case kWho: return QString::fromStdString(entry.who);
    // What a person wrote stays as it was.
    default:
      return entry.command && entry.command->kind != bus::CommandKind::kSet ? in_words(entry.what)
                                                                            : with_short_numbers(in_words(entry.what));
  }
}

QVariant JournalModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  return section == kStep ? tr("step") : section == kWho ? tr("who") : tr("what and effect");
}

void JournalModel::refresh() {
  const std::vector<JournalEntry>& now = session_.bench().journal();
  const bool failed = session_.failed();
  if (failed == failed_ && now.size() == entries_.size() && std::equal(now.begin(), now.end(), entries_.begin(), same))
    return;
  beginResetModel();
  entries_ = now;
  failed_ = failed;
  endResetModel();
}

bool JournalModel::is_in_banner(int row) const {
  if (!failed_ || !entry(row).failure) return false;
  for (int newer = 0; newer < row; ++newer)
    if (entry(newer).failure) return false;
  return true;
}

JournalPanel::JournalPanel(Session& session, QWidget* parent) : QTableView(parent), session_(session) {
  setObjectName(QStringLiteral("journal_table"));
  setAccessibleName(tr("Journal"));
  model_ = new JournalModel(session, this);
  setModel(model_);
  setItemDelegate(new JournalDelegate(session, this));
  horizontalHeader()->hide();
  verticalHeader()->hide();
  verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  horizontalHeader()->setStretchLastSection(true);
  setShowGrid(false);
  setSelectionBehavior(SelectRows);
  setSelectionMode(SingleSelection);
  setEditTriggers(NoEditTriggers);
  setTabKeyNavigation(false);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollMode(ScrollPerPixel);
  setColumnWidth(JournalModel::kStep, scaled(48));
  setColumnWidth(JournalModel::kWho, scaled(62));
  connect(this, &QAbstractItemView::activated, this,
          [this](const QModelIndex& index) { session_.look_at(model_->entry(index.row()).step); });
  connect(&session_, &Session::arrived, this, &JournalPanel::refresh);
  connect(&session_, &Session::theme_changed, viewport(), qOverload<>(&QWidget::update));
  refresh();
}

void JournalPanel::refresh() { model_->refresh(); }

QMenu* JournalPanel::make_menu(int row) {
  const JournalEntry entry = model_->entry(row);
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("Look at step %1").arg(entry.step), [this, entry] { session_.look_at(entry.step); });
  const bool recorded = !entry.folder.empty() && session_.bench().config();
  // A command that only looked or waited changed nothing to go back from.
  if (recorded && entry.number > 0 && !entry.refused && entry.command && bus::changes_training(entry.command->kind))
    menu->addAction(tr("Go back to before this"),
                    [this, entry] { Q_EMIT restore_wanted(entry.folder, entry.step, entry.number - 1); });
  menu->addAction(tr("Copy"), [this, row] {
    QGuiApplication::clipboard()->setText(model_->index(row, 0).data(Qt::AccessibleTextRole).toString());
  });
  return menu;
}

void JournalPanel::contextMenuEvent(QContextMenuEvent* event) {
  const bool by_key = event->reason() == QContextMenuEvent::Keyboard;
  const QModelIndex index = by_key ? currentIndex() : indexAt(viewport()->mapFromGlobal(event->globalPos()));
  if (!index.isValid()) return;
  make_menu(index.row())->popup(by_key ? viewport()->mapToGlobal(visualRect(index).bottomLeft()) : event->globalPos());
}

void JournalPanel::resizeEvent(QResizeEvent* event) {
  QTableView::resizeEvent(event);
  resizeRowsToContents();
}

}  // namespace moescope::app
