#include "app/export/csv_exporter.h"
#include "app/export/csv_table.h"
#include "tests/app/export/small_run.h"

namespace moescope::exports {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Csv : public testing::Test {
 protected:
  void SetUp() override {
    const auto exporter = csv_exporter(run_, files_);
    carry_through(*exporter, files_, small_frames());
  }
  std::string table(const std::string& name) const { return record::content_of(folder_ / name); }

  record::ScratchFolder folder_;
  ExportedRun run_ = small_run();
  ExportFiles files_{folder_.path()};
};

TEST(CsvCell, QuotesWhatTheFormatAsksForAndKeepsSpaces) {
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(csv_cell("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_cell(" the"), "\" the\"");
  EXPECT_EQ(csv_cell("a\xFF\xC3"), "a\uFFFD\uFFFD");
}

TEST_F(Csv, LoadsHaveOneRowPerStepLayerAndExpert) {
  EXPECT_THAT(table("loads.csv"), StartsWith("step,layer,expert,load,dropped,capacity,frozen\n"
                                             "1,1,0,3,1,2,0\n"
                                             "1,1,1,1,0,2,0\n"
                                             "1,2,0,4,0,,0\n"
                                             "1,2,1,0,0,,0\n"));
  EXPECT_THAT(table("loads.csv"), HasSubstr("\n2,2,1,0,0,,1\n"));
}

TEST_F(Csv, ScalarsAreExactAndWhatWasNotMeasuredHasNoRow) {
  const std::string text = table("scalars.csv");
  EXPECT_THAT(text, StartsWith("run,step,name,value\n"
                               "0123456789abcdef,1,task,0.3333333333333333\n"
                               "0123456789abcdef,1,total,0.5\n"
                               "0123456789abcdef,1,lr,0.004\n"));
  EXPECT_THAT(text, HasSubstr(",2,validation,1.5\n"));
  EXPECT_THAT(text, Not(HasSubstr(",1,validation")));
  EXPECT_THAT(text, HasSubstr(",3,task,nan\n")) << "a loss that is not a number was computed";
  EXPECT_THAT(text, HasSubstr(",3,stage,2\n"));
}

TEST_F(Csv, LayersLeaveEmptyWhatWasNotMeasured) {
  EXPECT_THAT(table("layers.csv"), HasSubstr("\n1,1,2,0.1,0.75,,,,0,0\n1,2,,,1,,,,0,0\n"));
  EXPECT_THAT(table("layers.csv"), HasSubstr("\n2,1,2,0.1,0.75,,0.5,,0,0\n2,2,,,1,,,,1,0\n"));
}

TEST_F(Csv, ProbesHaveOneRowPerTokenAndChoice) {
  EXPECT_EQ(table("probes.csv"),
            "step,layer,token,choice,expert,gate,margin,student\n"
            "2,1,0,1,0,0.75,0.5,1\n"
            "2,1,0,2,1,0.25,0.5,1\n"
            "2,1,1,1,1,1,,\n"
            "2,1,1,2,,,,\n");
  EXPECT_EQ(table("probe_tokens.csv"),
            "token,text,id,label,sequence,position,document\n"
            "0,\" the\",5,English,0,0,\"a, \"\"b\"\"\"\n"
            "1,\uFFFD,300,Deutsch,0,1,c\n");
}

TEST_F(Csv, JournalEventsAndGapsAreWhole) {
  EXPECT_EQ(table("journal.csv"),
            "number,step,who,command,layer,expert,stage,count,key,value,text,answer,effect,hash\n"
            "1,1,you,set,,,,,train.lr,0.002,,done,lr 0.004 → 0.002,hash1\n"
            "2,2,you,freeze_expert,2,0,,,,,,refused,no,hash2\n"
            "3,3,you,freeze_router,all,,,,,,,,,hash3\n");
  EXPECT_EQ(table("events.csv"), "step,kind,who,text\n1,command,you,lr 0.004→0.002\n");
  EXPECT_EQ(table("gaps.csv"), "stream,first_step,last_step,dropped,reason\nspace,1,3,2,the disk was full\n");
}

TEST(CsvOfADamagedRun, ShortArraysGiveEmptyCells) {
  record::ScratchFolder folder;
  const ExportedRun run = small_run();
  ExportFiles files(folder.path());
  const auto exporter = csv_exporter(run, files);
  const auto frame = small_frame(1);
  frame->controls.clear();
  frame->layers[0].dropped_E.clear();
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = 1;
  probe->layers.resize(1);
  probe->layers[0].top_k = 0;
  probe->layers[0].expert_TK = {1};
  frame->probe = probe;
  carry_through(*exporter, files, {frame});
  EXPECT_THAT(record::content_of(folder / "loads.csv"), HasSubstr("\n1,1,0,3,,2,0\n"));
  EXPECT_THAT(record::content_of(folder / "probes.csv"), HasSubstr("\n1,1,0,1,1,,,\n"));
}

}  // namespace
}  // namespace moescope::exports
