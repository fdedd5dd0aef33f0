#pragma once
// Qt's colours, fonts and style sheet from the palette, and from nothing else. Threads: UI thread only.

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>

#include "views/scene/palette.h"

class QApplication;

namespace moescope::app {

QColor to_qt(views::Color color);

/// Inter in em pixels, before the text scale.
QFont text_font(double pixels, bool strong = false);
QFont mono_font(double pixels);

/// The user's text size; 1 is the designed one. Applies to fonts asked for later and, through apply_theme(), to all.
double text_scale();
void set_text_scale(double scale);
/// Logical pixels that grow with the text.
int scaled(double pixels);

QPalette qt_palette(const views::Palette& palette);
QString style_sheet(const views::Palette& palette);
void apply_theme(QApplication& application, const views::Palette& palette);

/// What the desktop uses now, by the lightness of its windows. Requires: called before apply_theme().
views::Theme desktop_theme(const QPalette& desktop);

}  // namespace moescope::app
