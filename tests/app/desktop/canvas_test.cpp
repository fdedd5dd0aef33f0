// Inside the pictures: real clicks through ImGui's test engine, keys and wheel through Qt.
#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

/// The test engine of one canvas.
class Engine {
 public:
  explicit Engine(app::CanvasWidget& canvas) : canvas_(canvas), engine_(ImGuiTestEngine_CreateContext()) {
    ImGuiTestEngineIO& io = ImGuiTestEngine_GetIO(engine_);
    io.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
    io.ConfigVerboseLevel = ImGuiTestVerboseLevel_Error;
    io.ConfigLogToTTY = true;
    ImGui::SetCurrentContext(canvas.canvas().imgui_context());
    ImGuiTestEngine_Start(engine_, canvas.canvas().imgui_context());
    canvas.canvas().after_draw = [this] { ImGuiTestEngine_PostSwap(engine_); };
  }
  ~Engine() {
    canvas_.canvas().after_draw = {};
    ImGui::SetCurrentContext(canvas_.canvas().imgui_context());
    ImGuiTestEngine_Stop(engine_);
    ImGuiTestEngine_DestroyContext(engine_);
  }
  ImGuiTestEngine* get() { return engine_; }
  bool idle() {
    canvas_.touch();  // while the engine has work its canvas must draw
    return ImGuiTestEngine_IsTestQueueEmpty(engine_);
  }

 private:
  app::CanvasWidget& canvas_;
  ImGuiTestEngine* engine_;
};

class Canvases : public WindowTest {
 protected:
  /// Clicks at a canvas point as a hand would; true when the engine's test passed.
  bool click_at(app::CanvasWidget& canvas, views::Vec2 at) {
    Engine engine(canvas);
    // An engine that joins a running context first has to see a frame of it.
    const std::uint64_t before = canvas.frames_drawn();
    EXPECT_TRUE(wait_for([&] {
      canvas.touch();
      return canvas.frames_drawn() > before + 2;
    }));
    ImGuiTest* test = ImGuiTestEngine_RegisterTest(engine.get(), "canvas", "click", __FILE__, __LINE__);
    static views::Vec2 place;
    place = at;
    test->TestFunc = [](ImGuiTestContext* context) {
      context->MouseMoveToPos({place.x, place.y});
      context->MouseClick(0);
    };
    ImGuiTestEngine_QueueTest(engine.get(), test, ImGuiTestRunFlags_RunFromCommandLine);
    EXPECT_TRUE(wait_for([&] { return engine.idle(); }, 20'000));
    EXPECT_EQ(test->Output.Status, ImGuiTestStatus_Success) << test->Output.Log.Buffer.c_str();
    return test->Output.Status == ImGuiTestStatus_Success;
  }
};

views::Vec2 middle(const views::Rect& rect) { return {rect.x + rect.w / 2, rect.y + rect.h / 2}; }

TEST_F(Canvases, AClickOnAnExpertFollowsItInAllViews) {
  run(true);
  step(10);
  app::CanvasWidget* flow = window_->lab().canvas("flow");
  ASSERT_NE(flow, nullptr);
  const views::HitBox* box = nullptr;
  ASSERT_TRUE(wait_for([&] {
    for (const views::HitBox& one : flow->view().scene().hits)
      if (one.hit.kind == views::Hit::Kind::kExpert && one.rect.h > 12) box = &one;
    return box != nullptr;
  }));
  const views::Hit hit = box->hit;
  EXPECT_TRUE(click_at(*flow, middle(box->rect)));
  EXPECT_TRUE(
      wait_for([&] { return session().selection().expert == hit.expert && session().selection().layer == hit.layer; }));
}

TEST_F(Canvases, AMouseClickThroughQtReachesTheView) {
  run(true);
  step(10);
  app::CanvasWidget* load = window_->lab().canvas("load");
  const views::HitBox* box = nullptr;
  ASSERT_TRUE(wait_for([&] {
    box = nullptr;
    for (const views::HitBox& one : load->view().scene().hits)
      if (one.hit.kind == views::Hit::Kind::kExpert) box = &one;
    return box != nullptr;
  }));
  const views::Hit hit = box->hit;
  const views::Vec2 at = middle(box->rect);
  const QPoint place(static_cast<int>(at.x), static_cast<int>(at.y));
  QTest::mouseMove(load, place);
  QTest::qWait(80);
  QTest::mousePress(load, Qt::LeftButton, {}, place);
  QTest::qWait(80);
  QTest::mouseRelease(load, Qt::LeftButton, {}, place);
  EXPECT_TRUE(wait_for([&] { return session().selection().expert == hit.expert; }));
}

TEST_F(Canvases, ArrowsMoveTheMarkAndEnterFollowsIt) {
  run(true);
  step(10);
  app::CanvasWidget* load = window_->lab().canvas("load");
  ASSERT_TRUE(wait_for([&] { return !load->view().scene().hits.empty(); }));
  load->setFocus();
  QTest::keyClick(load, Qt::Key_Down);
  QTest::keyClick(load, Qt::Key_Return);
  EXPECT_TRUE(wait_for([&] { return session().selection().expert.has_value(); }));
}

TEST_F(Canvases, ASentenceIsTypedIntoItsField) {
  run();
  window_->actions().sentence->trigger();
  app::CanvasWidget* canvas = window_->lab().canvas("sentence");
  ASSERT_NE(canvas, nullptr);
  ASSERT_TRUE(wait_for([&] { return canvas->shown() && canvas->frames_drawn() > 2; }));
  EXPECT_TRUE(click_at(*canvas, {static_cast<float>(canvas->width()) / 2, 20}));
  ASSERT_TRUE(wait_for([&] { return canvas->canvas().wants_text(); })) << "the click did not reach the text field";
  for (const char c : std::string("a b N.")) QTest::keyClick(canvas, c);
  QTest::keyClick(canvas, Qt::Key_Return);
  EXPECT_TRUE(answered("probe \"a b N.\""));
  EXPECT_EQ(session().live().stage, 0) << "the letter N was taken for a shortcut";
  ASSERT_NE(session().bench().sentence(), nullptr);
  EXPECT_EQ(session().bench().sentence()->tokens.size(), 3U);
}

TEST_F(Canvases, EachTellsAScreenReaderWhatItShows) {
  run();
  for (const char* id : {"flow", "fluctuation", "load", "sphere", "loss"}) {
    app::CanvasWidget* canvas = window_->lab().canvas(id);
    ASSERT_NE(canvas, nullptr) << id;
    EXPECT_FALSE(canvas->accessibleName().isEmpty()) << id;
    EXPECT_TRUE(wait_for([&] { return !canvas->accessibleDescription().isEmpty(); })) << id;
  }
}

TEST_F(Canvases, WithoutNewsNothingIsDrawn) {
  run(true);
  QTest::qWait(800);
  std::vector<std::uint64_t> before;
  for (app::CanvasWidget* canvas : window_->lab().canvases()) before.push_back(canvas->frames_drawn());
  QTest::qWait(500);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(window_->lab().canvases()[i]->frames_drawn(), before[i]);
}

}  // namespace
}  // namespace moescope::test
