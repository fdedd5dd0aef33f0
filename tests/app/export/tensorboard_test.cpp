// The event file as TensorBoard itself reads it.
#include "app/export/tensorboard_exporter.h"
#include "tests/app/export/small_run.h"
#include "tests/test_python.h"

namespace moescope::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kReader = R"(
import sys
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util
for event in EventFileLoader(sys.argv[1]).Load():
    if event.HasField("file_version"):
        print("version", event.file_version)
    for value in event.summary.value:
        array = tensor_util.make_ndarray(value.tensor)
        print(f"{event.wall_time:.3f}", event.step, value.metadata.plugin_data.plugin_name, value.tag, array.tolist())
)";

TEST(Tensorboard, ItsOwnReaderSeesEveryValue) {
  MOESCOPE_NEEDS_TEST_PYTHON();
  record::ScratchFolder folder;
  const ExportedRun run = small_run();
  ExportFiles files(folder.path());
  const auto exporter = tensorboard_exporter(run, files);
  carry_through(*exporter, files, small_frames());
  ASSERT_EQ(files.paths().size(), 1U);
  EXPECT_THAT(files.paths()[0], HasSubstr("/tensorboard/events.out.tfevents.1700000000.moescope"));

  const std::string seen = run_test_python(kReader, {files.paths()[0]});
  EXPECT_THAT(seen, StartsWith("version brain.Event:2\n"));
  EXPECT_THAT(seen, HasSubstr("1700000000.750 1 scalars loss/total 0.5\n"));
  EXPECT_THAT(seen, HasSubstr("1700000001.000 2 scalars loss/validation 1.5\n"));
  EXPECT_THAT(seen, HasSubstr("1700000001.250 3 scalars loss/task nan\n"));
  EXPECT_THAT(seen, HasSubstr(" 3 scalars train/stage 2.0\n"));
  EXPECT_THAT(seen, HasSubstr(" 2 scalars L1/fluctuation 0.5\n"));
  EXPECT_THAT(seen, Not(HasSubstr("L2/fluctuation")));
  EXPECT_THAT(seen, HasSubstr(" 1 scalars L1/load_max_over_mean 1.5\n"));
  EXPECT_THAT(seen, HasSubstr(" 1 scalars L1/dropped_share 0.25\n"));
  EXPECT_THAT(seen, HasSubstr(" 1 histograms L1/load [[-0.5, 0.5, 3.0], [0.5, 1.5, 1.0]]\n"));
}

TEST(Tensorboard, LongRunsHaveSomeHundredHistograms) {
  MOESCOPE_NEEDS_TEST_PYTHON();
  record::ScratchFolder folder;
  ExportedRun run = small_run();
  run.last_step = 2001;
  ExportFiles files(folder.path());
  const auto exporter = tensorboard_exporter(run, files);
  std::vector<telemetry::FramePtr> frames;
  for (std::int64_t step = 1; step <= run.last_step; ++step) frames.push_back(small_frame(step));
  carry_through(*exporter, files, frames);
  const std::string count = run_test_python(
      "import sys\n"
      "from tensorboard.backend.event_processing.event_file_loader import EventFileLoader\n"
      "print(sum(v.tag == 'L1/load' for e in EventFileLoader(sys.argv[1]).Load() for v in e.summary.value))\n",
      {files.paths()[0]});
  EXPECT_EQ(count, "501\n") << "every fourth step, and the last";
}

}  // namespace
}  // namespace moescope::exports
