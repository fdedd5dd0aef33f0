#include "app/desktop/segmented.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace moescope::app {

Segmented::Segmented(const QString& accessible_name, QWidget* parent) : QFrame(parent) {
  setObjectName(QStringLiteral("strip"));
  setAccessibleName(accessible_name);
  row_ = new QHBoxLayout(this);
  row_->setContentsMargins(1, 1, 1, 1);
  row_->setSpacing(0);
}

void Segmented::set_titles(const QStringList& titles, const QStringList& tips) {
  if (titles == titles_) return;
  titles_ = titles;
  current_ = -1;
  qDeleteAll(buttons_);
  buttons_.clear();
  for (int i = 0; i < titles.size(); ++i) {
    auto* button = new QPushButton(titles[i], this);
    button->setObjectName(QStringLiteral("segment"));
    button->setProperty("quiet", quiet_);
    button->setCheckable(true);
    button->setFocusPolicy(Qt::TabFocus);
    button->setCursor(Qt::PointingHandCursor);
    if (i < tips.size()) button->setToolTip(tips[i]);
    button->setAccessibleName(accessibleName() + QStringLiteral(": ") + titles[i]);
    connect(button, &QPushButton::clicked, this, [this, i] {
      // What is filled follows the answer, not the click.
      const int shown = current_;
      current_ = -2;
      set_current(shown);
      Q_EMIT picked(i);
    });
    row_->addWidget(button);
    buttons_.push_back(button);
  }
}

void Segmented::set_current(int index) {
  if (index == current_) return;
  current_ = index;
  for (int i = 0; i < count(); ++i) buttons_[static_cast<std::size_t>(i)]->setChecked(i == index);
}

}  // namespace moescope::app
