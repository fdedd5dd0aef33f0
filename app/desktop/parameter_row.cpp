#include "app/desktop/parameter_row.h"

#include <QLabel>
#include <QLocale>
#include <QStyle>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "app/desktop/theme.h"
#include "core/base/text.h"

namespace moescope::app {
namespace {

constexpr int kPositions = 1000;
constexpr int kSettleMs = 250;

double number(const config::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  return 0;
}

QString pretty(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name == "lr" ? QObject::tr("learning rate") : QString::fromStdString(name);
}

/// A slider to a range's far end would leave no room where people move; so it spans a few times the value in use.
std::pair<double, double> slider_range(const config::FieldSpec& spec, double used) {
  double low = spec.minimum, high = spec.maximum;
  if (spec.logarithmic) {
    const double middle = used > 0 ? used : 1e-3;
    return {middle / 100, std::isfinite(high) ? std::min(high, middle * 10) : middle * 10};
  }
  if (!std::isfinite(low)) low = 0;
  const double roomy = std::max(4 * std::abs(used), spec.type == config::ValueType::kInteger ? 8.0 : 1.0);
  high = std::isfinite(high) ? std::min(high, std::max(roomy, low + 1)) : roomy;
  return {low, std::max(high, low + 1e-9)};
}

}  // namespace

ParameterRow::ParameterRow(Session& session, std::string key, config::FieldSpec spec, QWidget* parent)
    : QWidget(parent), session_(session), key_(std::move(key)), spec_(std::move(spec)) {
  setToolTip(in_words());
  if (spec_.type == config::ValueType::kBool) {
    make_check();
  } else {
    make_slider();
  }
  for (QWidget* widget : {static_cast<QWidget*>(box_), static_cast<QWidget*>(slider_), static_cast<QWidget*>(check_)}) {
    if (!widget) continue;
    widget->setAccessibleName(pretty(spec_.key));
    widget->setAccessibleDescription(in_words());
  }
  show_value(spec_.default_value);
}

void ParameterRow::make_check() {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 3, 4, 3);
  auto* name = new QLabel(pretty(spec_.key), this);
  name->setProperty("role", "muted");
  check_ = new QCheckBox(this);
  name->setBuddy(check_);
  row->addWidget(name, 1);
  row->addWidget(check_);
  connect(check_, &QCheckBox::clicked, this, [this](bool on) { send(on ? 1 : 0); });
}

void ParameterRow::make_slider() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* top = new QHBoxLayout;
  auto* name = new QLabel(pretty(spec_.key), this);
  name->setProperty("role", "muted");
  box_ = new QLineEdit(this);
  box_->setProperty("role", "value");
  box_->setAlignment(Qt::AlignRight);
  box_->setFixedWidth(scaled(84));
  name->setBuddy(box_);
  top->addWidget(name, 1);
  top->addWidget(box_);
  column->addLayout(top);
  slider_ = new QSlider(Qt::Horizontal, this);
  slider_->setRange(0, kPositions);
  slider_->setPageStep(kPositions / 10);
  slider_->setSingleStep(kPositions / 100);
  column->addWidget(slider_);
  settle_.setSingleShot(true);
  settle_.setInterval(kSettleMs);
  connect(slider_, &QSlider::valueChanged, this, [this](int position) {
    show_value(typed(value_at(position)));
    if (!slider_->isSliderDown()) settle_.start();
  });
  connect(slider_, &QSlider::sliderReleased, &settle_, qOverload<>(&QTimer::start));
  connect(&settle_, &QTimer::timeout, this, [this] { send(value_at(slider_->value())); });
  connect(box_, &QLineEdit::returnPressed, this, &ParameterRow::send_box);
  connect(box_, &QLineEdit::editingFinished, this, [this] {
    if (box_->isModified()) send_box();
  });
  std::tie(low_, high_) = slider_range(spec_, number(spec_.default_value));
}

bool ParameterRow::held_by_hand() const {
  return slider_ && (slider_->isSliderDown() || settle_.isActive() || box_->isModified());
}

QString ParameterRow::in_words() const {
  QString text = QString::fromStdString(spec_.help);
  const QString allowed = QString::fromStdString(config::range_text(spec_));
  if (!allowed.isEmpty()) text += tr(" · allowed: %1").arg(allowed);
  return text;
}

config::Value ParameterRow::typed(double value) const {
  if (spec_.type == config::ValueType::kInteger) return static_cast<std::int64_t>(std::llround(value));
  if (spec_.type == config::ValueType::kBool) return value >= 0.5;
  return value;
}

double ParameterRow::value_at(int position) const {
  const double share = static_cast<double>(position) / kPositions;
  const double raw = spec_.logarithmic ? low_ * std::pow(high_ / low_, share) : low_ + (high_ - low_) * share;
  if (raw == 0 || spec_.type != config::ValueType::kNumber) return raw;
  // Two significant digits: a slider promises no more, and the journal stays readable.
  const double unit = std::pow(10, std::floor(std::log10(std::abs(raw))) - 1);
  return std::clamp(std::round(raw / unit) * unit, spec_.minimum, spec_.maximum);
}

int ParameterRow::position_of(double value) const {
  double share = (value - low_) / (high_ - low_);
  if (spec_.logarithmic) share = value > 0 ? std::log(value / low_) / std::log(high_ / low_) : 0;
  return static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kPositions));
}

void ParameterRow::show_value(const config::Value& value) {
  const double real = number(value);
  if (check_) {
    check_->setChecked(real != 0);
    return;
  }
  box_->setText(QString::fromStdString(shortest(std::stod(QString::number(real, 'g', 4).toStdString()))));
  box_->setModified(false);
}

void ParameterRow::send(double value) {
  const config::Value wanted = typed(value);
  if (wanted == shown_) return;
  session_.set_value(key_, wanted);
  refresh();
}

void ParameterRow::send_box() {
  bool good = false;
  const double value = QLocale::c().toDouble(box_->text().trimmed(), &good);
  box_->setModified(false);
  const QString wrong = good ? QString::fromStdString(config::check_value(spec_, typed(value)))
                             : tr("'%1' is not a number").arg(box_->text());
  box_->setProperty("wrong", !wrong.isEmpty());
  box_->style()->polish(box_);
  box_->setToolTip(wrong.isEmpty() ? in_words() : wrong);
  if (wrong.isEmpty()) {
    send(value);
  } else {
    Q_EMIT session_.noticed(wrong);
  }
}

void ParameterRow::refresh() {
  const bool pending = session_.pending(bus::CommandKind::kSet, bus::kAllLayers, -1, key_);
  QWidget* shown_in = check_ ? static_cast<QWidget*>(check_) : box_;
  const bool was_pending = shown_in->property("pending").toBool();
  const bool answered = was_pending && !pending;  // maybe refused: the confirmed value comes back
  if (was_pending != pending) {
    shown_in->setProperty("pending", pending);
    shown_in->style()->polish(shown_in);
  }
  setEnabled(session_.unfinished());
  const auto& values = session_.bench().live_values();
  const auto found = values.find(key_);
  if (held_by_hand() || pending || found == values.end() || (found->second == shown_ && !answered)) return;
  shown_ = found->second;
  const double value = number(shown_);
  if (slider_) {
    if (value > high_ || (spec_.logarithmic && value > 0 && value < low_))
      std::tie(low_, high_) = slider_range(spec_, value);
    const QSignalBlocker quiet(slider_);
    slider_->setValue(position_of(value));
  }
  show_value(shown_);
}

}  // namespace moescope::app
