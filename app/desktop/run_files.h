#pragma once
// From files to runs: samples, recent files, where runs and the cache live. Threads: UI thread only.

#include <QString>
#include <QStringList>

#include <string>
#include <vector>

#include "app/desktop/methods.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

/// One card of the gallery.
struct Sample {
  QString path;
  QString title;   ///< "two stage workshop"
  QString method;  ///< title of the method; empty when it is the title already
  QString line;    ///< the file's leading comment
};

/// Sorted by name, the default run first. Files that cannot be read are left out.
std::vector<Sample> read_samples(const QString& folder, const Methods& methods);

inline constexpr const char* kDefaultSample = "two_stage_workshop.toml";

QStringList recent_files();
void remember_file(const QString& path);

/// A run folder under ./runs; nothing is recorded (empty) where that cannot be written.
train::RunRequest make_request(config::RunConfig config, std::string source_text, const Methods& methods);

/// A configuration as one message: reads the file, then asks the method. All errors at once.
Result<config::RunConfig> read_config(const QString& path, const Methods& methods);

/// Writes `config` as TOML, whole or not at all; an empty text, or why it could not.
QString write_config(const QString& path, const config::RunConfig& config, const Methods& methods);

/// Empty when the file cannot be read.
std::string read_text(const QString& path);

/// ./runs where it exists, else the working folder.
QString runs_folder();

/// A run's folder or its run.db; also a folder that a run has left without its record.
bool is_run(const QString& path);

/// Takes away a run folder whose run never made a step: only the files a run leaves, and the folder if then empty.
void remove_untouched(const std::string& folder);

bool is_config_file(const QString& path);

}  // namespace moescope::app
