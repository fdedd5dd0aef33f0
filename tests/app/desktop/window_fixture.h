#pragma once
// A real window with a made-up trainer, ticking by itself. Threads: the test's.

#include <QApplication>
#include <QTest>

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "app/desktop/main_window.h"
#include "tests/app/desktop/fake_trainer.h"

namespace moescope::test {

class WindowTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// A run of the method "two_stage".
  config::RunConfig config(const std::string& method = "two_stage", std::int64_t steps = 100'000) const;
  /// Starts it, shows the pictures and waits for its first frame.
  void run(bool paused = false, const std::string& method = "two_stage");
  /// Lets the event loop turn until `what` holds; false after 5 s.
  static bool wait_for(const std::function<bool()>& what, int ms = 5000);
  /// Trains `count` steps of a paused run and waits for them.
  void step(std::int64_t count);
  /// The newest journal row, or an empty one.
  app::JournalEntry newest() const;
  bool answered(const std::string& what);
  void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier);
  void click(QWidget& widget);

  app::Session& session() { return window_->session(); }

  std::shared_ptr<FakeOptions> options_ = std::make_shared<FakeOptions>();
  std::unique_ptr<app::MainWindow> window_;
};

/// Distinct colours of an image, counted up to `enough`.
int distinct_colors(const QImage& image, int enough = 64);

}  // namespace moescope::test
