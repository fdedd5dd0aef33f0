#include "app/desktop/theme.h"

#include <QApplication>
#include <QFile>
#include <QProxyStyle>

#include <cmath>
#include <utility>

// Outside of any namespace, as Qt asks. The file lies in a static library, so nothing else would pull it in.
static void load_resources() { Q_INIT_RESOURCE(style); }

namespace moescope::app {
namespace {

/// Fusion without underlined letters in menus; Alt and the letter still work.
class Style : public QProxyStyle {
 public:
  Style() : QProxyStyle(QStringLiteral("Fusion")) {}
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* more) const override {
    return hint == SH_UnderlineShortcut ? 0 : QProxyStyle::styleHint(hint, option, widget, more);
  }
};

double g_text_scale = 1;  // UI thread only; one per process, as the style sheet is

constexpr double kBody = 12;

}  // namespace

QColor to_qt(views::Color color) { return {color.r, color.g, color.b, color.a}; }

double text_scale() { return g_text_scale; }
void set_text_scale(double scale) { g_text_scale = scale; }
int scaled(double pixels) { return static_cast<int>(std::lround(pixels * g_text_scale)); }

QFont text_font(double pixels, bool strong) {
  QFont font(QStringLiteral("Inter"));
  font.setPixelSize(scaled(pixels));
  font.setWeight(strong ? QFont::DemiBold : QFont::Normal);
  return font;
}

QFont mono_font(double pixels) {
  QFont font(QStringLiteral("JetBrains Mono"));
  font.setStyleHint(QFont::Monospace);
  font.setPixelSize(scaled(pixels));
  return font;
}

QPalette qt_palette(const views::Palette& palette) {
  QPalette made;
  const QColor text = to_qt(palette.text), muted = to_qt(palette.muted), dock = to_qt(palette.dock);
  made.setColor(QPalette::Window, to_qt(palette.ground));
  made.setColor(QPalette::WindowText, text);
  made.setColor(QPalette::Base, dock);
  made.setColor(QPalette::AlternateBase, to_qt(palette.dock_head));
  made.setColor(QPalette::Text, text);
  made.setColor(QPalette::PlaceholderText, muted);
  made.setColor(QPalette::Button, to_qt(palette.input));
  made.setColor(QPalette::ButtonText, text);
  made.setColor(QPalette::BrightText, to_qt(palette.warning));
  made.setColor(QPalette::ToolTipBase, to_qt(palette.dock_head));
  made.setColor(QPalette::ToolTipText, text);
  made.setColor(QPalette::Link, to_qt(palette.accent));
  made.setColor(QPalette::Highlight, to_qt(palette.accent));
  made.setColor(QPalette::HighlightedText, to_qt(palette.text_on(palette.accent)));
  made.setColor(QPalette::Light, to_qt(palette.line));
  made.setColor(QPalette::Midlight, to_qt(palette.line));
  made.setColor(QPalette::Mid, to_qt(palette.line));
  made.setColor(QPalette::Dark, to_qt(palette.line));
  made.setColor(QPalette::Shadow, to_qt(palette.ground));
  for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    made.setColor(QPalette::Disabled, role, muted);
  return made;
}

QString style_sheet(const views::Palette& palette) {
  load_resources();
  QFile file(QStringLiteral(":/moescope/style.qss"));
  if (!file.open(QIODevice::ReadOnly)) return {};
  QString sheet = QString::fromUtf8(file.readAll());
  const auto color = [](views::Color c) { return QString::fromStdString(views::to_hex(c)); };
  const std::pair<const char*, views::Color> names[] = {
      {"@ground", palette.ground},  {"@dockhead", palette.dock_head},
      {"@dock", palette.dock},      {"@line", palette.line},
      {"@grid", palette.grid},      {"@input", palette.input},
      {"@text", palette.text},      {"@muted", palette.muted},
      {"@accent", palette.accent},  {"@onaccent", palette.text_on(palette.accent)},
      {"@warning", palette.warning}};
  // Longer names first where one begins like another ("@dockhead" before "@dock").
  for (const auto& [name, value] : names) sheet.replace(QLatin1String(name), color(value));
  for (const int pixels : {10, 11, 12, 13, 15, 22})
    sheet.replace(QStringLiteral("@px%1").arg(pixels), QStringLiteral("%1px").arg(scaled(pixels)));
  return sheet;
}

void apply_theme(QApplication& application, const views::Palette& palette) {
  static bool styled = false;
  if (!std::exchange(styled, true)) QApplication::setStyle(new Style);
  application.setFont(text_font(kBody));
  application.setPalette(qt_palette(palette));
  application.setStyleSheet(style_sheet(palette));
}

views::Theme desktop_theme(const QPalette& desktop) {
  return desktop.color(QPalette::Window).lightness() < 128 ? views::Theme::kDark : views::Theme::kLight;
}

}  // namespace moescope::app
