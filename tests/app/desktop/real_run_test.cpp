// The window with the real trainer: a run is left for its own past, closed, opened again and gone on with.
#include <QDir>
#include <QElapsedTimer>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "app/desktop/main_window.h"
#include "app/workbench/paths.h"

namespace moescope::test {
namespace {

bool wait_for(const std::function<bool()>& what, int ms = 60'000) {
  QElapsedTimer timer;
  timer.start();
  while (!what()) {
    if (timer.elapsed() > ms) return false;
    QTest::qWait(5);
  }
  return true;
}

class RealRun : public ::testing::Test {
 protected:
  void SetUp() override {
    QSettings().clear();
    ASSERT_TRUE(QDir::setCurrent(scratch_.path()));
    window_ = std::make_unique<app::MainWindow>(app::registered_methods(), app::StartTrainer{}, views::make_views());
    window_->resize(1366, 768);
    window_->show();
    session().start_ticking();
  }
  void TearDown() override {
    window_->close_when_stopped();
    EXPECT_TRUE(wait_for([&] { return !session().bench().active(); }));
    window_.reset();
    QDir::setCurrent(QDir::rootPath());
  }
  app::Session& session() { return window_->session(); }
  config::RunConfig config() const {
    return config::run_config_from({{"moe.method", std::string("stablemoe")},
                                    {"name", std::string("real")},
                                    {"data.corpus", std::string("synthetic")},
                                    {"data.tokenizer", std::string("bytes")},
                                    {"model.num_layers", std::int64_t{2}},
                                    {"model.d_model", std::int64_t{32}},
                                    {"model.context", std::int64_t{32}},
                                    {"moe.num_experts", std::int64_t{4}},
                                    {"moe.expert_hidden", std::int64_t{32}},
                                    {"train.steps", std::int64_t{4000}},
                                    {"train.batch_size", std::int64_t{4}},
                                    {"record.checkpoint_every", std::int64_t{40}},
                                    {"probe.tokens", std::int64_t{64}}},
                                   window_->session().methods().catalogue)
        .value();
  }
  static double task_at(const telemetry::History& history, std::int64_t step) {
    const telemetry::ScalarSeries* task = history.series("task");
    for (std::size_t i = 0; task && i < task->step.size(); ++i)
      if (task->step[i] == step) return task->value[i];
    return -1;
  }

  /// Every step from `first` to the newest once and in order, and so the probes; what happened is told once.
  void expect_whole_curve(std::int64_t first) {
    const telemetry::History& history = session().bench().history();
    const telemetry::ScalarSeries* task = history.series("task");
    ASSERT_NE(task, nullptr);
    for (std::size_t i = 0; i < task->step.size(); ++i)
      ASSERT_EQ(task->step[i], first + static_cast<std::int64_t>(i)) << "a step is missing or there twice";
    for (std::size_t i = 1; i < history.probes().size(); ++i)
      EXPECT_EQ(history.probes()[i]->step, history.probes()[i - 1]->step + history.probes()[i]->spacing);
    std::set<std::pair<std::int64_t, std::string>> told;
    for (const telemetry::Event& event : history.events())
      EXPECT_TRUE(told.emplace(event.step, event.text).second) << event.text << " at step " << event.step;
    std::set<std::pair<std::string, std::int64_t>> rows;
    for (const app::JournalEntry& entry : session().bench().journal())
      EXPECT_TRUE(entry.number == 0 || rows.emplace(entry.folder, entry.number).second) << entry.what;
  }
  /// The recorded run goes on in another recorder, as if in another process, until `step`, and stops there.
  void train_elsewhere(const std::string& folder, std::int64_t step) {
    app::Workbench other;
    train::RunRequest request;
    request.config = *session().bench().config();
    request.folder = folder;
    request.origin = train::Origin{train::Origin::Use::kContinue, folder};
    request.cache_folder = app::cache_folder();
    other.start(std::move(request));
    const auto at_step = [&] { return other.history().latest() && other.history().latest()->step >= step; };
    EXPECT_TRUE(wait_for([&] { return other.pump(), at_step() || !other.active(); })) << other.status().failure.message;
    other.stop();
    EXPECT_TRUE(wait_for([&] { return other.pump(), !other.active(); }));
  }

  QTemporaryDir scratch_;
  std::unique_ptr<app::MainWindow> window_;
};

TEST_F(RealRun, GoesBackInTimeAndIsThereTheRunItWas) {
  window_->start(config(), {}, false);
  ASSERT_TRUE(wait_for([&] { return session().frame() && session().frame()->step >= 120; }))
      << qPrintable(window_->banner().text());
  const std::string parent = session().run()->folder;
  session().set_value("train.lr", 0.0001);
  ASSERT_TRUE(wait_for([&] { return !session().bench().journal().back().pending; }));
  const app::JournalEntry change = session().bench().journal().back();
  ASSERT_FALSE(change.refused) << change.effect;
  ASSERT_GT(change.number, 0);
  ASSERT_TRUE(wait_for([&] { return session().frame()->step > change.step + 5; }));

  window_->restore(parent, 70);
  ASSERT_TRUE(wait_for([&] {
    return session().run() && session().run()->parent_step == 70 && session().frame() && session().frame()->step >= 110;
  })) << qPrintable(window_->banner().text());
  EXPECT_EQ(session().status().inexact, "");
  ASSERT_EQ(session().bench().ghosts().size(), 1U);
  const std::shared_ptr<const telemetry::History> was = session().bench().ghosts()[0].history;
  for (const std::int64_t step : {71, 90, 110})
    EXPECT_EQ(task_at(session().bench().history(), step), task_at(*was, step)) << "step " << step;

  // Closed and opened again, it goes on behind what is recorded.
  const std::string child = session().run()->folder;
  session().open_run(QString::fromStdString(child));
  ASSERT_TRUE(wait_for([&] { return session().viewing(); })) << qPrintable(window_->banner().text());
  const std::int64_t last = session().last_step();
  EXPECT_GE(last, 110);
  EXPECT_EQ(session().first_step(), 70);
  EXPECT_EQ(task_at(session().bench().history(), 71), task_at(*was, 71));
  window_->go_on();
  ASSERT_TRUE(wait_for([&] { return session().running() && session().frame()->step > last + 5; }))
      << qPrintable(window_->banner().text());
  EXPECT_EQ(session().status().inexact, "");
  EXPECT_GT(task_at(session().bench().history(), last), 0);
  EXPECT_GT(task_at(session().bench().history(), last + 1), 0) << "no step is missing between record and run";
}

TEST_F(RealRun, GoesBackToJustBeforeACommand) {
  window_->start(config(), {}, false);
  ASSERT_TRUE(wait_for([&] { return session().frame() && session().frame()->step >= 60; }));
  session().set_value("train.lr", 0.0001);
  ASSERT_TRUE(wait_for([&] { return !session().bench().journal().back().pending; }));
  const app::JournalEntry change = session().bench().journal().back();
  ASSERT_TRUE(wait_for([&] { return session().frame()->step > change.step + 3; }));
  window_->restore(change.folder, change.step, change.number - 1);
  ASSERT_TRUE(wait_for([&] {
    return session().run() && session().run()->parent_step == change.step && session().frame() &&
           session().frame()->step > change.step + 3;
  })) << qPrintable(window_->banner().text());
  // What happened by itself may have come along, the command has not.
  for (const app::JournalEntry& entry : session().bench().journal()) EXPECT_EQ(entry.number, 0) << entry.what;
  EXPECT_NE(std::get<double>(session().bench().live_values().at("train.lr")), 0.0001);
  const telemetry::History& was = *session().bench().ghosts()[0].history;
  EXPECT_EQ(task_at(session().bench().history(), change.step + 1), task_at(was, change.step + 1))
      << "the learning rate acts behind the loss of its first step";
  EXPECT_NE(task_at(session().bench().history(), change.step + 3), task_at(was, change.step + 3));
}

TEST_F(RealRun, ItsCheckpointsAreMarkedAsTheyComeAndGo) {
  config::RunConfig keeping = config();
  keeping.record.keep_last = 2;
  window_->start(keeping, {}, false);
  const auto kept = [&] { return session().bench().checkpoints(); };
  ASSERT_TRUE(wait_for([&] { return !kept().empty() && kept().front() >= 80; }))
      << qPrintable(window_->banner().text());
  session().toggle_pause();
  ASSERT_TRUE(wait_for([&] { return session().paused(); }));
  const QDir files(QString::fromStdString(session().run()->folder) + "/checkpoints");
  const app::TimeTrack& track = window_->time_strip().track();
  // One may still be being written.
  EXPECT_TRUE(wait_for([&] {
    QStringList names;
    for (const std::int64_t step : kept()) {
      names << QStringLiteral("step-%1.safetensors").arg(step, 9, 10, QLatin1Char('0'));
      if (!track.told_at(track.x_of(step)).contains(QStringLiteral("checkpoint at step %1").arg(step))) return false;
    }
    return names.size() == 2 && files.entryList(QDir::Files, QDir::Name) == names;
  })) << qPrintable(files.entryList(QDir::Files).join(' '));
}

TEST_F(RealRun, GoneOnWithItsCurveIsWhole) {
  window_->start(config(), {}, false);
  ASSERT_TRUE(wait_for([&] { return session().frame() && session().frame()->step >= 50; }))
      << qPrintable(window_->banner().text());
  const std::string folder = session().run()->folder;
  session().stop();
  ASSERT_TRUE(wait_for([&] { return session().status().state == bus::RunState::kFinished; }));
  for (const bool opened : {false, true}) {
    if (opened) session().open_run(QString::fromStdString(folder));
    ASSERT_TRUE(wait_for([&] { return session().viewing() == opened; })) << qPrintable(window_->banner().text());
    const std::int64_t last = session().last_step();
    window_->go_on();
    ASSERT_TRUE(wait_for([&] { return session().running() && session().frame()->step > last + 20; }))
        << qPrintable(window_->banner().text());
    expect_whole_curve(1);
    EXPECT_EQ(session().status().inexact, "");
    session().stop();
    ASSERT_TRUE(wait_for([&] { return session().status().state == bus::RunState::kFinished; }));
  }
}

TEST_F(RealRun, GoneOnWithItsCurveHasWhatWasTrainedElsewhereSinceItWasOpened) {
  window_->start(config(), {}, false);
  ASSERT_TRUE(wait_for([&] { return session().frame() && session().frame()->step >= 50; }))
      << qPrintable(window_->banner().text());
  const std::string folder = session().run()->folder;
  session().open_run(QString::fromStdString(folder));
  ASSERT_TRUE(wait_for([&] { return session().viewing(); })) << qPrintable(window_->banner().text());
  train_elsewhere(folder, session().last_step() + 60);
  window_->go_on();
  const std::int64_t last = session().last_step();
  ASSERT_TRUE(wait_for([&] { return session().running() && session().frame()->step > last + 100; }))
      << qPrintable(window_->banner().text());
  expect_whole_curve(1);
}

}  // namespace
}  // namespace moescope::test
