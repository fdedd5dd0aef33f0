#include "app/desktop/dock.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QTimer>
#include <QToolButton>
#include <QToolTip>

#include "app/desktop/icons.h"
#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

constexpr double kHeadHeight = 27;

class HeadButton : public QToolButton {
 public:
  HeadButton(Session& session, Icon icon, const QString& tip, QWidget* parent)
      : QToolButton(parent), session_(session), icon_(icon) {
    setObjectName(QStringLiteral("dockbutton"));
    setFixedSize(scaled(20), scaled(20));
    setToolTip(tip);
    setAccessibleName(tip);
    setFocusPolicy(Qt::NoFocus);
  }

 protected:
  void paintEvent(QPaintEvent* event) override {
    QToolButton::paintEvent(event);
    QPainter painter(this);
    const views::Palette& palette = session_.palette();
    const double side = scaled(12);
    paint_icon(painter, icon_, QRectF((width() - side) / 2, (height() - side) / 2, side, side),
               to_qt(underMouse() ? palette.text : palette.muted));
  }

 private:
  Session& session_;
  Icon icon_;
};

}  // namespace

Dock::Dock(Session& session, const QString& id, const QString& title, const QString& help, QWidget* content,
           QWidget* parent)
    : QDockWidget(title, parent), session_(session), content_(content) {
  setObjectName(id);
  setAllowedAreas(Qt::AllDockWidgetAreas);
  setTitleBarWidget(make_head(help));
  auto* body = new QFrame(this);
  body->setObjectName(QStringLiteral("dockbody"));
  auto* column = new QVBoxLayout(body);
  column->setContentsMargins(1, 0, 1, 3);
  column->addWidget(content);
  setWidget(body);
  // Back among tabs it would lie behind another one.
  connect(this, &QDockWidget::topLevelChanged, this, [this](bool floating) {
    if (!floating) QTimer::singleShot(0, this, &QWidget::raise);
  });
}

QWidget* Dock::make_head(const QString& help) {
  auto* head = new QFrame(this);
  head->setObjectName(QStringLiteral("dockhead"));
  head->setFixedHeight(scaled(kHeadHeight));
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(9, 0, 4, 0);
  row->setSpacing(2);
  title_label_ = new QLabel(windowTitle(), head);
  title_label_->setObjectName(QStringLiteral("docktitle"));
  subtitle_label_ = new QLabel(head);
  subtitle_label_->setObjectName(QStringLiteral("docksubtitle"));
  subtitle_label_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  row->addWidget(title_label_);
  row->addSpacing(8);
  row->addWidget(subtitle_label_, 1);
  HeadButton* help_button = nullptr;
  if (!help.isEmpty()) {
    const QString text = QStringLiteral("<p style='white-space:normal'>%1</p>").arg(help.toHtmlEscaped());
    auto* button = new HeadButton(session_, Icon::kHelp, text, head);
    button->setAccessibleName(tr("What %1 shows").arg(windowTitle()));
    button->setAccessibleDescription(help);
    connect(button, &QToolButton::clicked, button,
            [button, text] { QToolTip::showText(button->mapToGlobal(QPoint(0, button->height())), text, button); });
    help_button = button;
  }
  auto* floating = new HeadButton(session_, Icon::kFloat, tr("Take out of the window, or put back"), head);
  connect(floating, &QToolButton::clicked, this, [this] { setFloating(!isFloating()); });
  auto* closing = new HeadButton(session_, Icon::kClose, tr("Close; the View menu brings it back"), head);
  connect(closing, &QToolButton::clicked, this, &QDockWidget::close);
  for (QWidget* button : {static_cast<QWidget*>(floating), static_cast<QWidget*>(closing)}) {
    row->addWidget(button);
    buttons_.push_back(button);
  }
  if (help_button) row->addWidget(help_button);
  show_buttons(false);
  return head;
}

void Dock::set_subtitle(const QString& text) {
  if (text == subtitle_) return;
  subtitle_ = text;
  elide();
}

void Dock::show_buttons(bool shown) {
  for (QWidget* button : buttons_) button->setVisible(shown);
  elide();
}

void Dock::elide() {
  // Hidden buttons leave their room to the subtitle, at once.
  if (titleBarWidget()) titleBarWidget()->layout()->activate();
  subtitle_label_->setText(
      subtitle_label_->fontMetrics().elidedText(subtitle_, Qt::ElideRight, subtitle_label_->width()));
  subtitle_label_->setToolTip(subtitle_label_->text() == subtitle_ ? QString() : subtitle_);
}

void Dock::resizeEvent(QResizeEvent* event) {
  QDockWidget::resizeEvent(event);
  elide();
}

}  // namespace moescope::app
