#include <QApplication>

#include <gtest/gtest.h>

#include <cstdio>

#include "app/desktop/display.h"
#include "core/base/log.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const std::string problem = moescope::app::display_problem(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  moescope::log::set_console(false);
  QApplication application(argc, argv);
  // Nobody's own settings are read or written.
  QApplication::setOrganizationName("MoEScope test");
  QApplication::setApplicationName("desktop_test");
  QApplication::setQuitOnLastWindowClosed(false);
  return RUN_ALL_TESTS();
}
