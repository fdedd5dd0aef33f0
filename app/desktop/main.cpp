// The desktop lab: options, the display, the window, Ctrl-C.
#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QScreen>
#include <QSettings>

#include <csignal>
#include <cstdio>
#include <optional>

#include "app/desktop/display.h"
#include "app/desktop/main_window.h"
#include "app/desktop/run_files.h"
#include "app/desktop/screenshot.h"
#include "app/workbench/child_trainer.h"
#include "app/workbench/real_trainer.h"
#include "core/train/trainer_thread.h"
#include "moescope_version.h"

namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void on_interrupt(int) {
  g_interrupted = 1;
  std::signal(SIGINT, SIG_DFL);  // a second one ends the program at once
}

struct Options {
  QString path;
  QString theme;
  QString layout;
  QString screenshot;
  QSize size;
  std::optional<std::int64_t> after_steps;
  bool isolate = false;
};

constexpr int kBadInput = 2;
constexpr int kInterrupted = 130;

/// What the window would open its form for.
bool is_text(const QString& path) {
  return QFileInfo::exists(path) && !moescope::app::is_run(path) && !moescope::app::is_config_file(path);
}

/// Fills `options`; an empty text, or what is wrong.
QString read_options(QCoreApplication& application, Options& options) {
  QCommandLineParser parser;
  parser.setApplicationDescription(QApplication::tr("A desktop lab for Mixture-of-Experts routing."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument(
      "run",
      QApplication::tr(
          "A configuration (.toml) to start, a recorded run to open, or a text file or folder to train on."),
      "[run]");
  parser.addOptions(
      {{"theme", QApplication::tr("follow, dark or light."), "theme"},
       {"layout", QApplication::tr("watch or steer."), "layout"},
       {"size", QApplication::tr("Size of the window, like 1366x768."), "size"},
       {"screenshot", QApplication::tr("Starts the run, writes a picture of the window and quits."), "file"},
       {"isolate", QApplication::tr("Trains in a process of its own, whose crash leaves the window alive.")},
       {"after-steps",
        QApplication::tr("The step at which the picture is taken; without it 20, or a recorded run's last."),
        "steps"}});
  parser.process(application);
  options.path = parser.positionalArguments().value(0);
  options.theme = parser.value("theme");
  options.layout = parser.value("layout");
  options.screenshot = parser.value("screenshot");
  options.isolate = parser.isSet("isolate");
  if (parser.isSet("after-steps")) {
    bool good = true;
    options.after_steps = parser.value("after-steps").toLongLong(&good);
    if (!good || *options.after_steps < 0) return QApplication::tr("--after-steps takes a number of steps");
  }
  if (parser.isSet("size")) {
    const QStringList parts = parser.value("size").split('x');
    options.size = QSize(parts.value(0).toInt(), parts.value(1).toInt());
    if (options.size.isEmpty()) return QApplication::tr("--size takes a size like 1366x768");
  }
  if (!QStringList{"", "follow", "dark", "light"}.contains(options.theme))
    return QApplication::tr("--theme takes follow, dark or light");
  if (!QStringList{"", "watch", "steer"}.contains(options.layout))
    return QApplication::tr("--layout takes watch or steer");
  if (!options.screenshot.isEmpty() && !options.path.isEmpty() && is_text(options.path))
    return QApplication::tr(
               "--screenshot takes a picture of a run, and %1 is a text: name it in a configuration as "
               "[data] corpus and give that")
        .arg(options.path);
  return {};
}

/// As chosen at the start of each run: on the command line for all, else in the menu.
moescope::app::StartTrainer start_trainer(bool isolate) {
  using namespace moescope::app;
  return [isolate](moescope::train::RunRequest request, std::shared_ptr<moescope::bus::Channels> channels) {
    const bool apart = isolate || QSettings().value("isolate").toBool();
    return (apart ? start_child_trainer : start_real_trainer)(std::move(request), std::move(channels));
  };
}

void arrange(moescope::app::MainWindow& window, const Options& options) {
  using namespace moescope::app;
  if (options.theme == "follow") window.set_theme(ThemeChoice::kFollow);
  if (options.theme == "dark") window.set_theme(ThemeChoice::kDark);
  if (options.theme == "light") window.set_theme(ThemeChoice::kLight);
  const QSize screen = window.screen()->availableSize();
  const bool chosen = !options.size.isEmpty();
  if (chosen || !window.restoreGeometry(QSettings().value("geometry").toByteArray()))
    window.resize(chosen ? options.size : QSize(1600, 1000).boundedTo(screen));
  window.show();
  if (options.layout.isEmpty() && !chosen && window.lab().restore_layout()) return;
  window.lab().apply_layout(options.layout == "watch" ? Layout::kWatch : Layout::kSteer);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace moescope::app;
  moescope::train::initialise_process();
  const bool words_only = asks_for_words(argc, argv);
  if (const std::string problem = words_only ? std::string() : display_problem(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return kBadInput;
  }
  if (words_only) qputenv("QT_QPA_PLATFORM", "offscreen");
  QGuiApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
  QApplication application(argc, argv);
  QApplication::setOrganizationName("MoEScope");
  QApplication::setApplicationName("moescope");
  QApplication::setApplicationVersion(MOESCOPE_VERSION);
  QApplication::setQuitOnLastWindowClosed(false);
  Options options;
  if (const QString wrong = read_options(application, options); !wrong.isEmpty()) {
    std::fprintf(stderr, "error: %s\n", qPrintable(wrong));
    return kBadInput;
  }
  MainWindow window(registered_methods(), start_trainer(options.isolate), moescope::views::make_views());
  arrange(window, options);
  if (options.path.isEmpty()) {
    window.prepare_default();
  } else if (const moescope::Status opened = window.open(options.path); !opened) {
    std::fputs(format(opened.error()).c_str(), stderr);
    return kBadInput;
  }
  std::signal(SIGINT, on_interrupt);
  bool stopping = false;
  QObject::connect(&window.session(), &Session::ticked, &window, [&] {
    if (!g_interrupted || stopping) return;
    stopping = true;
    window.close_when_stopped();
  });
  if (!options.screenshot.isEmpty()) take_screenshot(window, options.screenshot, options.after_steps);
  window.session().start_ticking();
  const int code = QApplication::exec();
  return g_interrupted ? kInterrupted : code;
}
