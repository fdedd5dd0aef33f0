#include "app/desktop/expert_list.h"

#include <QContextMenuEvent>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>
#include <numeric>

#include "app/desktop/expert_menu.h"
#include "app/desktop/icons.h"
#include "app/desktop/theme.h"
#include "views/scene/chips.h"
#include "views/scene/numbers.h"

namespace moescope::app {
namespace {

constexpr double kRow = 20;
constexpr double kSmoothing = 0.3;  // weight of the newest step
enum Role { kShareRole = Qt::UserRole + 1, kWordsRole, kFrozenRole, kFollowedRole };

class ExpertDelegate : public QStyledItemDelegate {
 public:
  ExpertDelegate(Session& session, QObject* parent) : QStyledItemDelegate(parent), session_(session) {}
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, scaled(kRow)}; }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const views::Palette& palette = session_.palette();
    const int expert = index.row(), count = index.model()->rowCount();
    const QRect row = option.rect;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const bool followed = index.data(kFollowedRole).toBool();
    if (followed || option.state & QStyle::State_MouseOver) {
      painter->setPen(Qt::NoPen);
      painter->setBrush(to_qt(palette.input.with_alpha(followed ? 1 : 0.6)));
      painter->drawRoundedRect(row, 4, 4);
    }
    if (option.state & QStyle::State_HasFocus) {
      painter->setPen(to_qt(palette.accent));
      painter->setBrush(Qt::NoBrush);
      painter->drawRoundedRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
    const views::Color color = palette.expert(expert, count);
    const views::Color outline = palette.expert_outline(expert, count);
    const double middle = row.y() + row.height() / 2.0, side = scaled(10);
    painter->setBrush(to_qt(color));
    painter->setPen(outline.a ? QPen(to_qt(outline), 1) : QPen(Qt::NoPen));
    painter->drawRoundedRect(QRectF(row.x() + 5, middle - side / 2, side, side), 2, 2);
    painter->setFont(text_font(11.5));
    painter->setPen(to_qt(palette.text));
    painter->drawText(QRectF(row.x() + scaled(22), row.y(), scaled(34), row.height()), Qt::AlignVCenter,
                      QStringLiteral("E%1").arg(expert));
    paint_bar(*painter, row, index, color, outline);
    paint_words(*painter, row, index);
    painter->restore();
  }

 private:
  static QRectF bar_of(const QRect& row) {
    const double left = row.x() + scaled(50);
    const double width = std::max(30.0, 0.42 * row.width());
    return {left, row.y() + row.height() / 2.0 - 2.5, width, 5};
  }

  // Full width is four times an even share, so that an even load stays short of half and a greedy expert shows.
  void paint_bar(QPainter& painter, const QRect& row, const QModelIndex& index, views::Color color,
                 views::Color outline) const {
    const QRectF bar = bar_of(row);
    painter.setPen(Qt::NoPen);
    painter.setBrush(to_qt(session_.palette().input));
    painter.drawRoundedRect(bar, 2.5, 2.5);
    const double even = 1.0 / std::max(1, index.model()->rowCount());
    const double filled = std::clamp(index.data(kShareRole).toDouble() / (4 * even), 0.0, 1.0);
    if (filled <= 0) return;
    painter.setBrush(to_qt(color));
    if (outline.a) painter.setPen(QPen(to_qt(outline.with_alpha(0.6)), 0.8));
    painter.drawRoundedRect(QRectF(bar.x(), bar.y(), std::max(4.0, bar.width() * filled), bar.height()), 2.5, 2.5);
  }

  void paint_words(QPainter& painter, const QRect& row, const QModelIndex& index) const {
    QRectF place(bar_of(row).right() + 8, row.y(), 0, row.height());
    place.setRight(row.right() - 4);
    const bool frozen = index.data(kFrozenRole).toBool();
    if (frozen) {
      const double side = scaled(11);
      paint_icon(painter, Icon::kLockClosed,
                 QRectF(place.right() - side, row.y() + (row.height() - side) / 2, side, side),
                 to_qt(session_.palette().accent));
      place.setRight(place.right() - side - 4);
    }
    const QFont font = text_font(11);
    painter.setFont(font);
    painter.setPen(to_qt(session_.palette().muted));
    painter.drawText(place, Qt::AlignVCenter | Qt::AlignRight,
                     that_fit(index.data(kWordsRole).toStringList(), QFontMetricsF(font), place.width()));
  }

  /// Whole words; part of the first where not even that has room.
  static QString that_fit(QStringList words, const QFontMetricsF& metrics, double width) {
    while (words.size() > 1 && metrics.horizontalAdvance(words.join(QLatin1Char(' '))) > width) words.removeLast();
    return metrics.elidedText(words.join(QLatin1Char(' ')), Qt::ElideRight, width);
  }

  Session& session_;
};

}  // namespace

ExpertList::ExpertList(Session& session, QWidget* parent) : QListView(parent), session_(session) {
  setObjectName(QStringLiteral("expert_list"));
  setAccessibleName(tr("Experts"));
  setModel(&model_);
  setItemDelegate(new ExpertDelegate(session_, this));
  setEditTriggers(NoEditTriggers);
  setMouseTracking(true);
  setVerticalScrollMode(ScrollPerPixel);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  const auto follow = [this](const QModelIndex& index) {
    std::optional<int>& expert = session_.selection().expert;
    expert = expert == index.row() ? std::nullopt : std::optional<int>(index.row());
    session_.selection_touched();
  };
  connect(this, &QListView::clicked, this, follow);
  connect(&session_, &Session::theme_changed, viewport(), qOverload<>(&QWidget::update));
}

QSize ExpertList::sizeHint() const { return {220, scaled(kRow) * std::clamp(model_.rowCount(), 4, 16) + 4}; }

void ExpertList::update_shares() {
  const telemetry::TelemetryFrame* frame = session_.frame();
  const int layer = session_.selection().layer;
  const bool other = layer != layer_;
  if (!frame || static_cast<std::size_t>(layer) >= frame->layers.size() || (!other && frame->step == step_)) return;
  layer_ = layer;
  step_ = frame->step;
  const auto& load_E = frame->layers[static_cast<std::size_t>(layer)].load_E;
  const double total = std::accumulate(load_E.begin(), load_E.end(), 0.0);
  const bool fresh = other || share_E_.size() != load_E.size();
  share_E_.resize(load_E.size());
  for (std::size_t e = 0; e < load_E.size(); ++e) {
    const double now = total > 0 ? load_E[e] / total : 0;
    share_E_[e] = fresh ? now : (1 - kSmoothing) * share_E_[e] + kSmoothing * now;
  }
}

QStringList ExpertList::words_of(int expert) const {
  for (const telemetry::ExpertTokens& one : session_.bench().history().expert_tokens()) {
    if (one.layer != session_.selection().layer || one.expert != expert) continue;
    QStringList words;
    for (std::size_t i = 0; i < one.tokens.size() && i < 3; ++i)
      words << QString::fromStdString(views::visible_token(one.tokens[i]));
    words.removeAll(QString());
    if (!words.isEmpty()) return words;
  }
  const auto index = static_cast<std::size_t>(expert);
  if (index >= share_E_.size()) return {};
  return {QString::fromStdString(views::percent(share_E_[index]))};
}

void ExpertList::refresh() {
  const int experts = session_.run() ? session_.run()->num_experts : 0;
  const int layer = session_.selection().layer;
  update_shares();
  if (model_.rowCount() != experts) {
    model_.clear();
    for (int e = 0; e < experts; ++e) model_.appendRow(new QStandardItem(QStringLiteral("E%1").arg(e)));
    updateGeometry();
  }
  for (int e = 0; e < experts; ++e) {
    QStandardItem* item = model_.item(e);
    const auto index = static_cast<std::size_t>(e);
    const double share = index < share_E_.size() ? share_E_[index] : 0;
    const bool frozen = session_.expert_frozen(layer, e);
    item->setData(share, kShareRole);
    item->setData(words_of(e), kWordsRole);
    item->setData(frozen, kFrozenRole);
    item->setData(session_.selection().expert == e, kFollowedRole);
    const QString told = tr("E%1 · %2 of the tokens%3")
                             .arg(e)
                             .arg(QString::fromStdString(views::percent(share)), frozen ? tr(" · frozen") : QString());
    item->setData(told, Qt::AccessibleTextRole);
    item->setToolTip(told + tr("\nclick: follow · right click: freeze"));
  }
}

void ExpertList::contextMenuEvent(QContextMenuEvent* event) {
  const bool by_key = event->reason() == QContextMenuEvent::Keyboard;
  const QModelIndex index = by_key ? currentIndex() : indexAt(event->pos());
  const QPoint at = by_key ? viewport()->mapToGlobal(visualRect(index).center()) : event->globalPos();
  show_expert_menu(session_, session_.selection().layer, index.isValid() ? index.row() : -1, at, this);
}

}  // namespace moescope::app
