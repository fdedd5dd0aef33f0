#include "app/export/svg_exporter.h"
#include "tests/app/export/small_run.h"
#include "tests/views/made_up_run.h"

namespace moescope::exports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string problem(const Result<SvgRequest>& request) { return request ? "" : format(request.error()); }

TEST(SvgRequestTest, NamesSizesAndThemesAreChecked) {
  const auto request = read_svg_request("loss,load,loss", "900x500", "dark");
  ASSERT_TRUE(request);
  EXPECT_THAT(request->views, ElementsAre("loss", "load"));
  EXPECT_FLOAT_EQ(request->look.size.w, 900);
  EXPECT_FLOAT_EQ(request->look.size.h, 500);
  EXPECT_EQ(request->look.theme, views::Theme::kDark);
  EXPECT_EQ(read_svg_request("all", "760x440", "light")->views, views::still_names());

  EXPECT_EQ(problem(read_svg_request("lod", "900x500", "dark")),
            "error: there is no view 'lod' that a record is enough for\nhint: did you mean 'load'?\n");
  EXPECT_THAT(problem(read_svg_request("", "900x500", "dark")), HasSubstr("no view is named"));
  for (const char* size : {"900", "900x", "x500", "9x500", "900x500x2", "-900x500", "900x99999", ""})
    EXPECT_THAT(problem(read_svg_request("loss", size, "dark")), HasSubstr("is no size of a picture")) << size;
  EXPECT_THAT(problem(read_svg_request("loss", "900x500", "pink")), HasSubstr("there are dark and light"));
}

class Svg : public testing::Test {
 protected:
  Svg() {
    const views::testing::RunShape shape;
    run_.info = *views::testing::made_up_info(shape);
    run_.last_step = shape.steps;
    for (int step = 1; step <= shape.steps; ++step) frames_.push_back(views::testing::made_up_frame(shape, step));
  }
  SvgRequest request(const std::string& views) const {
    SvgRequest made = *read_svg_request(views, "760x440", "light");
    made.step = run_.last_step;
    return made;
  }

  bool drawn(const std::string& view, const std::string& text) const {
    return record::content_of(folder_ / (view + ".svg")).find(text) != std::string::npos;
  }

  record::ScratchFolder folder_;
  ExportedRun run_;
  std::vector<telemetry::FramePtr> frames_;
};

TEST_F(Svg, AllLeavesOutWhatTheRecordHasNothingFor) {
  ExportFiles files(folder_.path());
  const auto exporter = svg_exporter(run_, files, request("all"));
  carry_through(*exporter, files, frames_);
  EXPECT_THAT(files.paths(), ElementsAre(folder_ / "load.svg", folder_ / "loss.svg", folder_ / "tokens.svg"));
  EXPECT_THAT(exporter->notes(),
              ElementsAre(HasSubstr("flow.svg is left out: no probe is recorded"),
                          HasSubstr("fluctuation.svg is left out"), HasSubstr("sphere.svg is left out")));
  EXPECT_TRUE(drawn("load", "Layer 1 at step 416"));
}

TEST_F(Svg, AStepShowsWhatTheWindowShowedThen) {
  SvgRequest early = request("load");
  early.step = 240;
  early.look.layer = 1;
  ExportFiles files(folder_.path());
  const auto exporter = svg_exporter(run_, files, early);
  carry_through(*exporter, files, frames_);
  EXPECT_TRUE(drawn("load", "Layer 2 at step 240"));
  EXPECT_FALSE(drawn("load", "starves"));
}

TEST_F(Svg, WithoutAStepTheWholeRunIsDrawn) {
  SvgRequest late = request("load");
  late.look.layer = 1;
  ExportFiles files(folder_.path());
  const auto exporter = svg_exporter(run_, files, late);
  carry_through(*exporter, files, frames_);
  EXPECT_TRUE(drawn("load", "E7 starves since step 402"));
}

TEST_F(Svg, AnotherRunIsComparedWithOrStandsBehindAsCurves) {
  views::testing::RunShape longer;
  longer.steps = 430;
  SvgRequest asked = request("load");
  asked.look.ghosts = {{"parent", std::make_shared<telemetry::History>(views::testing::made_up_history(longer)), true}};
  asked.look.against = "parent";
  {
    ExportFiles files(folder_ / "same");
    const auto exporter = svg_exporter(run_, files, asked);
    carry_through(*exporter, files, frames_);
    EXPECT_THAT(record::content_of(folder_ / "same/load.svg"), HasSubstr("difference to parent, recent steps: none"));
    EXPECT_THAT(exporter->notes(), ElementsAre());
  }
  asked.look.ghosts[0].same_experts = false;
  ExportFiles files(folder_ / "other");
  const auto exporter = svg_exporter(run_, files, asked);
  carry_through(*exporter, files, frames_);
  EXPECT_THAT(record::content_of(folder_ / "other/load.svg"), Not(HasSubstr("difference")));
  EXPECT_THAT(exporter->notes(),
              ElementsAre("load.svg: no difference to parent: no run is known that both come from, so their experts "
                          "are not the same ones"));
}

TEST_F(Svg, ANoteNamesThePicturesThatShowNoDifferenceAndThoseWithACurve) {
  views::testing::RunShape wider;
  wider.experts = 6;
  SvgRequest asked = request("load,loss");
  asked.look.ghosts = {{"other", std::make_shared<telemetry::History>(views::testing::made_up_history(wider)), true}};
  asked.look.against = "other";
  ExportFiles files(folder_.path());
  const auto exporter = svg_exporter(run_, files, asked);
  carry_through(*exporter, files, frames_);
  EXPECT_THAT(exporter->notes(),
              ElementsAre("load.svg: no difference to other: it has 3 × 6 experts in its layers, this run 3 × 8; its "
                          "curve stands in loss.svg"));
}

TEST_F(Svg, ANamedViewThatHasNothingToDrawIsAnError) {
  ExportFiles files(folder_.path());
  const auto exporter = svg_exporter(run_, files, request("loss,flow"));
  ASSERT_TRUE(files.open(false));
  exporter->add(frames_);
  const Status finished = exporter->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(format(finished.error()),
            "error: the view 'flow' has nothing to draw: no probe is recorded up to this step\n");
}

}  // namespace
}  // namespace moescope::exports
