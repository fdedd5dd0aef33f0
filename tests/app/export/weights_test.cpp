#include "app/export/weights_export.h"

#include "core/record/safetensors.h"
#include "tests/app/export/small_run.h"
#include "tests/test_python.h"

namespace moescope::exports {
namespace {

using record::CheckpointKind;
using ::testing::HasSubstr;

record::CheckpointRow row(std::int64_t step, CheckpointKind kind = CheckpointKind::kRegular) {
  record::CheckpointRow made;
  made.step = step;
  made.kind = kind;
  return made;
}

TEST(ChosenCheckpoint, IsTheNewestGoodOneOrTheOneAskedFor) {
  const std::vector<record::CheckpointRow> rows{row(10), row(1200), row(1300, CheckpointKind::kTainted)};
  EXPECT_EQ(chosen_checkpoint(rows, std::nullopt)->step, 1200);
  EXPECT_EQ(chosen_checkpoint(rows, 10)->step, 10);
  EXPECT_EQ(chosen_checkpoint(rows, 1300)->kind, CheckpointKind::kTainted);
  EXPECT_EQ(format(chosen_checkpoint(rows, 11).error()),
            "error: the run has no checkpoint at step 11\nhint: there are checkpoints at 10, 1,200, 1,300\n");
  EXPECT_THAT(format(chosen_checkpoint({}, std::nullopt).error()), HasSubstr("the run has no checkpoint"));
  EXPECT_THAT(format(chosen_checkpoint({rows[2]}, std::nullopt).error()), HasSubstr("taken when a step failed"));
  // Two of one step: the good one.
  EXPECT_EQ(chosen_checkpoint({row(5), row(5, CheckpointKind::kTainted)}, 5)->kind, CheckpointKind::kRegular);
  EXPECT_EQ(chosen_checkpoint({row(5, CheckpointKind::kTainted), row(5)}, 5)->kind, CheckpointKind::kRegular);
}

std::vector<record::TensorBlock> checkpoint_blocks() {
  return {{"model/head.weight", "F32", {2}, {0, 0, 128, 63, 0, 0, 0, 64}},
          {"optim/head.weight/mean", "F32", {1}, {1, 2, 3, 4}},
          {"router/2/bias", "F32", {1}, {0, 0, 64, 64}},
          {"data/order", "U8", {1}, {7}}};
}

TEST(Weights, AreTheModelAloneUnderTheNamesThatInitFromReads) {
  record::ScratchFolder folder;
  ASSERT_TRUE(record::write_safetensors(folder / "checkpoint", checkpoint_blocks(), {{"secret", "x"}}));
  const Status written = export_weights(folder / "checkpoint", folder / "weights", "switch", 12);
  ASSERT_TRUE(written) << format(written.error());
  const auto file = record::read_safetensors(folder / "weights");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->blocks.size(), 2U);
  for (const record::TensorBlock& block : file->blocks)
    EXPECT_TRUE(block.name == "head.weight" || block.name == "moe.2.router.bias") << block.name;
  EXPECT_EQ(file->metadata,
            (std::map<std::string, std::string>{{"format", "moescope"}, {"method", "switch"}, {"step", "12"}}));
}

TEST(Weights, ThePythonLibraryReadsThem) {
  MOESCOPE_NEEDS_TEST_PYTHON();
  record::ScratchFolder folder;
  ASSERT_TRUE(record::write_safetensors(folder / "checkpoint", checkpoint_blocks(), {}));
  ASSERT_TRUE(export_weights(folder / "checkpoint", folder / "weights", "switch", 12));
  EXPECT_EQ(run_test_python("import sys\nfrom safetensors.numpy import load_file\n"
                            "for name, value in sorted(load_file(sys.argv[1]).items()): print(name, value.tolist())\n",
                            {folder / "weights"}),
            "head.weight [1.0, 2.0]\nmoe.2.router.bias [3.0]\n");
}

TEST(Weights, AFileWithoutAModelIsTold) {
  record::ScratchFolder folder;
  ASSERT_TRUE(record::write_safetensors(folder / "checkpoint", {{"a", "U8", {1}, {7}}}, {}));
  EXPECT_THAT(format(export_weights(folder / "checkpoint", folder / "weights", "switch", 1).error()),
              HasSubstr("holds no tensor of a model"));
}

}  // namespace
}  // namespace moescope::exports
