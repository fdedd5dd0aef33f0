#include "app/desktop/words.h"

#include <QFileInfo>
#include <QObject>
#include <QRegularExpression>

#include <algorithm>

namespace moescope::app {
namespace {

constexpr std::size_t kMostSentences = 8;  // a dialog taller than the screen shows no button

QString sentence(QString text) {
  text = text.trimmed();
  if (text.isEmpty()) return text;
  text[0] = text[0].toUpper();
  return text.endsWith(QLatin1Char('.')) ? text : text + QLatin1Char('.');
}

/// A file is the subject of what is said about it as a whole: "run.db is no SQLite file".
bool is_predicate(const QString& message) {
  static const QRegularExpression verb(QStringLiteral("^(is|has|cannot|could) "));
  return verb.match(message).hasMatch();
}

QString sentence_of(const Diagnostic& one) {
  const QString message = QString::fromStdString(one.message);
  if (one.place.file.empty()) return sentence(message);
  const QString file = QFileInfo(QString::fromStdString(one.place.file)).fileName();
  // A name keeps its letters.
  const QString end = message.endsWith(QLatin1Char('.')) ? QString() : QStringLiteral(".");
  if (one.place.line > 0) return QObject::tr("%1, line %2: %3").arg(file).arg(one.place.line).arg(message) + end;
  return file + QLatin1String(is_predicate(message) ? " " : ": ") + message + end;
}

}  // namespace

Message message_of(const Diagnostics& diagnostics) {
  QStringList said, remedies, places;
  const std::size_t shown = std::min(diagnostics.size(), kMostSentences);
  for (std::size_t i = 0; i < shown; ++i) {
    const Diagnostic& one = diagnostics[i];
    said << sentence_of(one);
    if (!one.hint.empty()) remedies << sentence(QString::fromStdString(one.hint));
    if (one.place.file.find('/') != std::string::npos) places << QString::fromStdString(one.place.file);
  }
  if (shown < diagnostics.size()) said << QObject::tr("And %1 more.").arg(diagnostics.size() - shown);
  remedies.removeDuplicates();
  places.removeDuplicates();
  return {said.join(QLatin1Char('\n')), (remedies + places).join(QLatin1Char('\n'))};
}

}  // namespace moescope::app
