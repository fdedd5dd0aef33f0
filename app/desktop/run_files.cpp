#include "app/desktop/run_files.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QObject>
#include <QSaveFile>
#include <QSettings>
#include <QTextStream>

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "app/workbench/paths.h"
#include "core/record/run_folder.h"
#include "core/record/run_reader.h"

namespace moescope::app {
namespace {

constexpr int kRecent = 8;
const QString kRecentKey = QStringLiteral("recent");

QString leading_comment(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly | QIODevice::Text)) return {};
  QTextStream stream(&file);
  QStringList lines;
  for (QString line; stream.readLineInto(&line) && line.startsWith(QLatin1Char('#'));) lines << line.mid(1).trimmed();
  return lines.join(QLatin1Char(' ')).simplified();
}

}  // namespace

std::vector<Sample> read_samples(const QString& folder, const Methods& methods) {
  std::vector<Sample> samples;
  if (folder.isEmpty()) return samples;
  for (const QFileInfo& file : QDir(folder).entryInfoList({QStringLiteral("*.toml")}, QDir::Files, QDir::Name)) {
    const auto config = config::load_run_config(file.filePath().toStdString(), methods.catalogue);
    if (!config) continue;
    const config::MethodInfo* method = config::find_method(methods.catalogue, config->moe.method);
    QString title = file.completeBaseName().replace(QLatin1Char('_'), QLatin1Char(' '));
    title[0] = title[0].toUpper();
    QString method_title = method ? QString::fromStdString(method->title) : QString();
    // A file named after its method is titled like it, once.
    if (file.completeBaseName().toStdString() == config->moe.method) title = std::exchange(method_title, {});
    samples.push_back({file.filePath(), title, method_title, leading_comment(file.filePath())});
  }
  std::stable_partition(samples.begin(), samples.end(),
                        [](const Sample& sample) { return sample.path.endsWith(QLatin1String(kDefaultSample)); });
  return samples;
}

QStringList recent_files() {
  QStringList files = QSettings().value(kRecentKey).toStringList();
  files.removeIf([](const QString& path) { return !QFileInfo::exists(path); });
  return files;
}

void remember_file(const QString& path) {
  QStringList files = QSettings().value(kRecentKey).toStringList();
  const QString full = QFileInfo(path).absoluteFilePath();
  files.removeAll(full);
  files.prepend(full);
  QSettings().setValue(kRecentKey, files.mid(0, kRecent));
}

train::RunRequest make_request(config::RunConfig config, std::string source_text, const Methods& methods) {
  train::RunRequest request;
  const config::MethodInfo* method = config::find_method(methods.catalogue, config.moe.method);
  if (source_text.empty() && method) source_text = config::to_toml(config, *method);
  // The folder that must be writable.
  if (::access(QFile::encodeName(runs_folder()).constData(), W_OK | X_OK) == 0)
    request.folder = record::new_run_path({}, config.top.name);
  request.source_text = std::move(source_text);
  request.pause_when_disk_full = true;
  request.cache_folder = cache_folder();
  request.config = std::move(config);
  return request;
}

Result<config::RunConfig> read_config(const QString& path, const Methods& methods) {
  Result<config::RunConfig> config = config::load_run_config(path.toStdString(), methods.catalogue);
  if (!config || !methods.check) return config;
  Diagnostics found = methods.check(*config);
  if (has_errors(found)) return found;
  return config;
}

QString write_config(const QString& path, const config::RunConfig& config, const Methods& methods) {
  const config::MethodInfo* method = config::find_method(methods.catalogue, config.moe.method);
  if (!method) return QObject::tr("The method %1 is not known here.").arg(QString::fromStdString(config.moe.method));
  QSaveFile file(path);
  const std::string text = config::to_toml(config, *method);
  const bool written = file.open(QIODevice::WriteOnly) &&
                       file.write(text.data(), static_cast<qint64>(text.size())) == static_cast<qint64>(text.size()) &&
                       file.commit();
  if (!written) return QObject::tr("%1 could not be written: %2").arg(path, file.errorString());
  remember_file(path);
  return {};
}

std::string read_text(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

QString runs_folder() {
  const QString runs = QDir::current().filePath(QStringLiteral("runs"));
  return QFileInfo::exists(runs) ? runs : QDir::currentPath();
}

bool is_run(const QString& path) {
  const QFileInfo file(path);
  if (!file.isDir()) return file.fileName() == QLatin1String("run.db");
  const QDir dir(path);
  return dir.exists(QStringLiteral("run.db")) ||
         (dir.exists(QStringLiteral("config.toml")) && dir.exists(QStringLiteral("log.txt")));
}

void remove_untouched(const std::string& folder) {
  if (folder.empty()) return;
  QDir dir(QString::fromStdString(folder));
  if (dir.exists(QStringLiteral("run.db"))) {
    const auto run = record::RunReader::open(folder);
    if (!run || (*run)->last_step() > 0) return;  // it made a step after all, or is not ours to judge
  }
  record::remove_empty_record(folder);
  dir.remove(QStringLiteral("final.safetensors"));
  dir.rmdir(QStringLiteral("checkpoints"));
  // Fails, as it should, where anything else lies.
  QDir().rmdir(dir.path());
}

bool is_config_file(const QString& path) { return path.endsWith(QLatin1String(".toml"), Qt::CaseInsensitive); }

}  // namespace moescope::app
