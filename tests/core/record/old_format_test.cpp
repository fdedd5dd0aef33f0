// Runs recorded in every format there ever was, kept as they were written: they open, whole.
#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdlib>
#include <iostream>

#include "core/record/run_writer.h"
#include "tests/core/record/read_back.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {
namespace {

constexpr std::int64_t kSteps = 120;

std::string fixture(int format) {
  return MOESCOPE_SOURCE_DIR "/tests/core/record/fixtures/format-" + std::to_string(format) + ".db.zst";
}

// Before a format is given up its last writer leaves a run here:
//   run_reader_test --gtest_also_run_disabled_tests --gtest_filter=OldFormats.DISABLED_WriteOneOfNow
TEST(OldFormats, DISABLED_WriteOneOfNow) {
  const ScratchFolder scratch;
  {
    auto writer = RunWriter::create(scratch.path(), test_facts(), {});
    ASSERT_TRUE(writer) << format(writer.error());
    ASSERT_TRUE((*writer)->set_run_info(test_info()));
    for (std::int64_t step = 1; step <= kSteps; step += 40) ASSERT_TRUE((*writer)->commit(test_batch(step, step + 39)));
  }
  const std::string bytes = content_of(scratch / "run.db");
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), ZSTD_maxCLevel()));
  std::ofstream(fixture(1), std::ios::binary) << packed;
  std::cout << fixture(1) << ": " << packed.size() << " bytes of " << bytes.size() << "\n";
}

TEST(OldFormats, TheFirstStillOpensWhole) {
  const ScratchFolder scratch;
  const std::string packed = content_of(fixture(1));
  std::string bytes(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
  ASSERT_EQ(ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size()), bytes.size());
  fill(scratch / "run.db", bytes);
  EXPECT_EQ(number_in(scratch / "run.db", "PRAGMA user_version"), 1);
  EXPECT_EQ(fault_of_run(scratch.path(), kSteps), "");
  auto run = RunReader::open(scratch.path());
  ASSERT_TRUE(run) << format(run.error());
  EXPECT_EQ((*run)->last_step(), kSteps);
  EXPECT_EQ((*run)->facts().id, test_facts().id);
  EXPECT_EQ((*run)->info().num_experts, test_info().num_experts);
  EXPECT_EQ(content_of(scratch / "run.db"), bytes) << "looking changes nothing";
}

}  // namespace
}  // namespace moescope::record
