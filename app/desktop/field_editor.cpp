#include "app/desktop/field_editor.h"

#include <QFileDialog>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QStyle>

#include <algorithm>
#include <cmath>

#include "app/desktop/icons.h"
#include "app/desktop/theme.h"
#include "core/base/text.h"

namespace moescope::app {
namespace {

enum Column { kName, kEditor, kUnit, kReset, kError };

/// A combo box with an arrow; style sheets can only show one from a picture file.
class Combo : public QComboBox {
 public:
  using QComboBox::QComboBox;

 protected:
  void paintEvent(QPaintEvent* event) override {
    QComboBox::paintEvent(event);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QComboBox::palette().color(QPalette::PlaceholderText));
    const double x = width() - 13.0, y = height() / 2.0;
    painter.drawPolygon(QPolygonF({{x - 4, y - 2}, {x + 4, y - 2}, {x, y + 3}}));
  }
};

/// Fields that name a file: what its dialog is called.
QString browse_title(const std::string& key) {
  if (key == "data.corpus") return FieldEditor::tr("Text to train on");
  if (key == "data.source") return FieldEditor::tr("Sentences in the language to translate from");
  if (key == "data.target") return FieldEditor::tr("The same sentences in the language to translate to");
  if (key == "model.init_from") return FieldEditor::tr("Weights to start from");
  return {};
}

QIcon folder_icon(const QColor& color) {
  QPixmap pixmap(28, 28);
  pixmap.fill(Qt::transparent);
  pixmap.setDevicePixelRatio(2);
  QPainter painter(&pixmap);
  paint_icon(painter, Icon::kFolder, QRectF(0, 0, 14, 14), color);
  return pixmap;
}

QString plain(const config::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return QString::fromStdString(*text);
  if (const auto* number = std::get_if<double>(&value)) return QString::fromStdString(shortest(*number));
  return QString::fromStdString(config::to_text(value));
}

}  // namespace

FieldEditor::FieldEditor(std::string key, config::FieldSpec spec, const std::optional<QString>& typed,
                         QGridLayout& grid, QWidget* parent)
    : QObject(parent), key_(std::move(key)), spec_(std::move(spec)) {
  const int row = grid.rowCount();
  QString words = QString::fromStdString(spec_.key);
  words.replace(QLatin1Char('_'), QLatin1Char(' '));
  QString tip = QString::fromStdString(spec_.help);
  if (const std::string allowed = config::range_text(spec_); !allowed.empty())
    tip += tr("\nallowed: %1").arg(QString::fromStdString(allowed));
  auto* name = new QLabel(words, parent);
  name->setToolTip(tip);
  editor_ = make_editor(parent);
  editor_->setToolTip(tip);
  editor_->setAccessibleName(words);
  editor_->setAccessibleDescription(tip);
  editor_->setObjectName(QString::fromStdString(key_));
  name->setBuddy(editor_);
  auto* unit = new QLabel(QString::fromStdString(spec_.unit), parent);
  unit->setProperty("role", "small");
  reset_ = new QPushButton(QStringLiteral("↺"), parent);
  reset_->setProperty("role", "reset");
  reset_->setToolTip(tr("Back to the default: %1").arg(default_text()));
  reset_->setAccessibleName(tr("Reset %1").arg(words));
  reset_->setAutoDefault(false);
  error_ = new QLabel(parent);
  error_->setProperty("role", "small");
  error_->setWordWrap(true);
  error_->setText(QString::fromStdString(spec_.help));
  grid.addWidget(name, row, kName);
  grid.addWidget(editor_, row, kEditor);
  grid.addWidget(unit, row, kUnit);
  grid.addWidget(reset_, row, kReset);
  grid.addWidget(error_, row, kError);
  connect(reset_, &QPushButton::clicked, this, [this] { set_text(default_text()); });
  set_text(typed.value_or(default_text()));
}

QWidget* FieldEditor::make_editor(QWidget* parent) {
  if (spec_.type == config::ValueType::kBool) {
    check_ = new QCheckBox(parent);
    connect(check_, &QCheckBox::toggled, this, &FieldEditor::after_edit);
    return check_;
  }
  QStringList choices;
  for (const std::string& choice : spec_.choices) choices << QString::fromStdString(choice);
  if (!choices.isEmpty()) {
    combo_ = new Combo(parent);
    combo_->addItems(choices);
    combo_->setFocusPolicy(Qt::StrongFocus);
    combo_->installEventFilter(this);
    connect(combo_, &QComboBox::currentTextChanged, this, &FieldEditor::after_edit);
    combo_->setFixedWidth(scaled(190));
    return combo_;
  }
  line_ = new QLineEdit(parent);
  line_->setFixedWidth(scaled(190));
  if (spec_.type != config::ValueType::kText) line_->installEventFilter(this);
  connect(line_, &QLineEdit::textChanged, this, &FieldEditor::after_edit);
  if (!browse_title(key_).isEmpty()) add_browse();
  return line_;
}

void FieldEditor::add_browse() {
  QAction* browse = line_->addAction(folder_icon(line_->palette().color(QPalette::Text)), QLineEdit::TrailingPosition);
  browse->setObjectName(QStringLiteral("browse"));
  browse->setToolTip(tr("Choose a file"));
  connect(browse, &QAction::triggered, this, [this] {
    const QString path = QFileDialog::getOpenFileName(line_, browse_title(key_));
    if (!path.isEmpty()) set_text(path);
  });
}

QString FieldEditor::text() const {
  if (check_) return check_->isChecked() ? QStringLiteral("true") : QStringLiteral("false");
  return combo_ ? combo_->currentText() : line_->text();
}
QString FieldEditor::default_text() const { return plain(spec_.default_value); }

void FieldEditor::set_text(const QString& text) {
  if (check_) {
    check_->setChecked(text == QLatin1String("true"));
  } else if (line_) {
    line_->setText(text);
  } else {
    if (combo_->findText(text) < 0)
      combo_->addItem(text);  // a wrong word of a file stays visible and is complained about
    combo_->setCurrentText(text);
  }
  after_edit();
}

std::optional<QString> FieldEditor::typed() const {
  return text() == default_text() ? std::nullopt : std::optional<QString>(text());
}

config::Value FieldEditor::value() const {
  const QString written = text().trimmed();
  bool good = false;
  switch (spec_.type) {
    case config::ValueType::kBool: return written == QLatin1String("true");
    case config::ValueType::kInteger: {
      const qlonglong whole = QString(written).remove(QLatin1Char(',')).toLongLong(&good);
      if (good) return static_cast<std::int64_t>(whole);
      [[fallthrough]];
    }
    case config::ValueType::kNumber: {
      const double number = QLocale::c().toDouble(written, &good);
      if (good) return number;
      break;
    }
    case config::ValueType::kText: break;
  }
  return text().toStdString();
}

void FieldEditor::after_edit() {
  reset_->setVisible(typed().has_value());
  Q_EMIT edited();
}

void FieldEditor::set_error(const QString& error, const QString& hint) {
  const bool wrong = !error.isEmpty();
  error_->setText(wrong ? error + (hint.isEmpty() ? QString() : QStringLiteral(" · ") + hint)
                        : QString::fromStdString(spec_.help));
  const QString role = wrong ? QStringLiteral("error") : QStringLiteral("small");
  if (error_->property("role").toString() == role) return;
  error_->setProperty("role", role);
  error_->style()->polish(error_);
  editor_->setProperty("wrong", wrong);
  editor_->style()->polish(editor_);
}

/// Up and Down move a number by one unit of its first digit, within what is allowed.
void FieldEditor::nudge(int direction) {
  bool good = false;
  const double now = QLocale::c().toDouble(text(), &good);
  if (!good) return;
  const bool whole = spec_.type == config::ValueType::kInteger;
  double unit = now == 0 ? (whole ? 1 : 0.01) : std::pow(10, std::floor(std::log10(std::abs(now))) - (whole ? 1 : 0));
  if (whole) unit = std::max(1.0, unit);
  const double next = std::clamp(now + direction * unit, spec_.minimum, spec_.maximum);
  set_text(whole ? QString::number(std::llround(next)) : QString::number(next, 'g', 6));
}

bool FieldEditor::eventFilter(QObject* watched, QEvent* event) {
  // A wheel meant to scroll the form must not change what lies under the pointer.
  if (event->type() == QEvent::Wheel && watched == combo_ && !combo_->hasFocus()) {
    event->ignore();
    return true;
  }
  if (event->type() == QEvent::KeyPress && watched == line_) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    if (key == Qt::Key_Up || key == Qt::Key_Down) {
      nudge(key == Qt::Key_Up ? 1 : -1);
      return true;
    }
  }
  return QObject::eventFilter(watched, event);
}

}  // namespace moescope::app
