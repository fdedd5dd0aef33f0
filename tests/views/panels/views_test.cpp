// Every view in a headless ImGui context with a back end that only pretends to upload textures.
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <imgui.h>

#include "tests/views/made_up_run.h"
#include "tests/views/scene/probe_run.h"
#include "views/panels/picture_textures.h"
#include "views/scene/difference.h"
#include "views/scene/still.h"
#include "views/view.h"

namespace moescope::views {
namespace {

using testing::Stage;

class Canvas {
 public:
  explicit Canvas(Size size = {560, 360}) : size_(size), context_(ImGui::CreateContext()) {
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.DisplaySize = {size.w, size.h};
    io.BackendFlags |= ImGuiBackendFlags_RendererHasTextures;
    io.AddFocusEvent(true);
  }
  ~Canvas() {
    // What a back end does at its end: give up every texture it still holds.
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures)
      if (texture->RefCount == 1) {
        texture->SetTexID(ImTextureID_Invalid);
        texture->SetStatus(ImTextureStatus_Destroyed);
      }
    ImGui::DestroyContext(context_);
  }
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  template <class Body>
  void frame(Body body) {
    ImGuiIO& io = ImGui::GetIO();
    io.DeltaTime = 1.0F / 30;
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize({size_.w, size_.h});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::Begin("canvas", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoMove);
    body();
    ImGui::End();
    ImGui::PopStyleVar();
    ImGui::Render();
    upload();
  }
  void draw(View& view, Stage& stage) {
    frame([&] { view.draw(stage.context(), size_); });
  }
  int vertices() const { return ImGui::GetDrawData()->TotalVtxCount; }
  int live_textures() const {
    int live = 0;
    for (const ImTextureData* texture : ImGui::GetPlatformIO().Textures)
      live += texture->TexID != ImTextureID_Invalid ? 1 : 0;
    return live;
  }
  void move(float x, float y) { ImGui::GetIO().AddMousePosEvent(x, y); }
  void button(bool down) { ImGui::GetIO().AddMouseButtonEvent(0, down); }
  void click(View& view, Stage& stage, Vec2 at) {
    move(at.x, at.y);
    draw(view, stage);
    button(true);
    draw(view, stage);
    button(false);
    draw(view, stage);
    draw(view, stage);
  }

 private:
  static void upload() {
    for (ImTextureData* texture : ImGui::GetPlatformIO().Textures) {
      if (texture->Status == ImTextureStatus_WantCreate) {
        texture->SetTexID(1);
        texture->SetStatus(ImTextureStatus_OK);
      } else if (texture->Status == ImTextureStatus_WantUpdates) {
        texture->SetStatus(ImTextureStatus_OK);
      } else if (texture->Status == ImTextureStatus_WantDestroy && texture->UnusedFrames > 0) {
        texture->SetTexID(ImTextureID_Invalid);
        texture->SetStatus(ImTextureStatus_Destroyed);
      }
    }
  }

  Size size_;
  ImGuiContext* context_;
};

Vec2 middle(const Rect& rect) { return {rect.x + rect.w / 2, rect.y + rect.h / 2}; }

std::unique_ptr<View> view_named(const std::string& id) {
  for (auto& view : make_views())
    if (view->id() == id) return std::move(view);
  return nullptr;
}

TEST(Views, ComeInTheOrderOfTheLayoutWithDistinctNames) {
  std::vector<std::string> ids;
  for (const auto& view : make_views()) {
    ids.push_back(view->id());
    EXPECT_FALSE(view->title().empty());
    EXPECT_GT(view->help().size(), 80U) << view->id();
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_THAT(ids, ::testing::IsSupersetOf({"load", "loss", "tokens", "sentence"}));
}

TEST(Views, CanAllBeDrawnFromARecordButTheSentence) {
  std::vector<std::string> names;
  for (const auto& view : make_views())
    if (view->id() != "sentence") names.push_back(view->id());
  EXPECT_EQ(names, still_names()) << "views/scene/still.cpp has a line per view";
}

TEST(Views, DrawEmptyAndFullHistoriesAtAnySize) {
  for (const Theme theme : {Theme::kDark, Theme::kLight})
    for (const Size size : {Size{560, 360}, Size{300, 160}, Size{1200, 700}, Size{40, 20}}) {
      Canvas canvas(size);
      for (auto& view : make_views()) {
        Stage empty{telemetry::History{}, theme};
        canvas.draw(*view, empty);
        EXPECT_FALSE(view->scene().summary.empty()) << view->id();
        Stage full(testing::made_up_history(), theme);
        canvas.draw(*view, full);
        canvas.draw(*view, full);
        EXPECT_GT(canvas.vertices(), 0) << view->id();
        EXPECT_FALSE(view->subtitle(full.context()).empty()) << view->id();
      }
    }
}

TEST(LoadView, ClickFollowsAnExpertAndASecondClickLetsGo) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  const auto view = view_named("load");
  canvas.draw(*view, stage);
  const Vec2 at = middle(view->scene().find_hit("expert L2·E3")->rect);
  canvas.click(*view, stage, at);
  EXPECT_EQ(stage.selection.expert, 3);
  canvas.click(*view, stage, at);
  EXPECT_FALSE(stage.selection.expert);
}

TEST(LoadView, LayerChooserChangesTheLayerAndDropsItsExpert) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  stage.selection.expert = 3;
  const auto view = view_named("load");
  canvas.draw(*view, stage);
  canvas.click(*view, stage, middle(view->scene().find_hit("layer L3")->rect));
  EXPECT_EQ(stage.selection.layer, 2);
  EXPECT_FALSE(stage.selection.expert);
}

telemetry::History probed_history() {
  telemetry::History history;
  history.start(probe_run_info());
  for (const int step : {10, 20, 30}) history.add(probe_frame(step, {probe_layer({0, 1, 2, 0})}));
  return history;
}

TEST(DifferenceSwitch, ActsInEveryViewThatHasIt) {
  for (const char* id : {"load", "fluctuation"}) {
    Canvas canvas;
    Stage stage(probed_history());
    stage.selection.layer = 0;
    stage.ghosts = {{"parent", std::make_shared<telemetry::History>(probed_history()), true}};
    const auto view = view_named(id);
    canvas.draw(*view, stage);
    const std::uint64_t before = testing::shapes_of<Picture>(view->scene()).front()->version;
    canvas.click(*view, stage, middle(view->scene().find_hit(kDifferenceSwitch)->rect));
    EXPECT_EQ(stage.selection.against, "parent") << id;
    EXPECT_NE(testing::shapes_of<Picture>(view->scene()).front()->version, before) << id << " shows a stale texture";
    EXPECT_THAT(view->subtitle(stage.context()), ::testing::HasSubstr("parent"));
    EXPECT_THAT(view->scene().summary, ::testing::HasSubstr("parent")) << id;
    canvas.click(*view, stage, middle(view->scene().find_hit(kDifferenceSwitch)->rect));
    EXPECT_FALSE(stage.selection.against) << id;
  }
}

TEST(LossView, DragSetsTheTimeCursorAndDoubleClickClearsIt) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  const auto view = view_named("loss");
  canvas.move(150, 150);
  canvas.draw(*view, stage);  // the window appears
  canvas.draw(*view, stage);
  canvas.button(true);
  canvas.draw(*view, stage);
  canvas.move(250, 150);
  canvas.draw(*view, stage);
  canvas.draw(*view, stage);
  ASSERT_TRUE(stage.selection.step);
  const std::int64_t first = *stage.selection.step;
  canvas.move(300, 150);
  canvas.draw(*view, stage);
  canvas.draw(*view, stage);
  EXPECT_GT(*stage.selection.step, first);
  canvas.button(false);
  canvas.draw(*view, stage);
  for (int i = 0; i < 30; ++i) canvas.draw(*view, stage);
  for (const bool down : {true, false, true, false}) {
    canvas.button(down);
    canvas.draw(*view, stage);
  }
  canvas.draw(*view, stage);
  EXPECT_FALSE(stage.selection.step);
}

TEST(LossView, ClickOnAMarkGoesToItsStep) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  const auto view = view_named("loss");
  canvas.draw(*view, stage);
  canvas.click(*view, stage, middle(view->scene().find_hit("mark text 240")->rect));
  EXPECT_EQ(stage.selection.step, 240);
}

TEST(Keyboard, ArrowsWalkOverExpertsAndEnterSelects) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  const auto view = view_named("load");
  canvas.draw(*view, stage);
  const ViewContext context = stage.context();
  EXPECT_TRUE(view->key(context, 0, 1, false));
  EXPECT_TRUE(view->key(context, 0, 1, false));
  EXPECT_TRUE(view->key(context, 0, 0, true));
  EXPECT_EQ(stage.selection.expert, 1);
  EXPECT_TRUE(view->key(context, 0, -1, false));
  EXPECT_TRUE(view->key(context, 0, 0, true));
  EXPECT_EQ(stage.selection.expert, 0);
}

TEST(Keyboard, EscapeLetsGoAndEndFollowsLive) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  stage.selection.expert = 2;
  stage.selection.step = 100;
  const auto view = view_named("load");
  canvas.draw(*view, stage);
  for (const ImGuiKey key : {ImGuiKey_Escape, ImGuiKey_End}) {
    ImGui::GetIO().AddKeyEvent(key, true);
    canvas.draw(*view, stage);
    ImGui::GetIO().AddKeyEvent(key, false);
    canvas.draw(*view, stage);
  }
  EXPECT_FALSE(stage.selection.expert);
  EXPECT_FALSE(stage.selection.step);
}

TEST(SentenceView, EnterPostsTheSentence) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  stage.status.state = bus::RunState::kPaused;
  const auto view = view_named("sentence");
  canvas.draw(*view, stage);
  canvas.click(*view, stage, {100, 20});
  ImGui::GetIO().AddInputCharactersUTF8("der Hund");
  canvas.draw(*view, stage);
  canvas.draw(*view, stage);
  ImGui::GetIO().AddKeyEvent(ImGuiKey_Enter, true);
  canvas.draw(*view, stage);
  ImGui::GetIO().AddKeyEvent(ImGuiKey_Enter, false);
  canvas.draw(*view, stage);
  ASSERT_EQ(stage.posted.size(), 1U);
  EXPECT_EQ(stage.posted[0].kind, bus::CommandKind::kProbeSentence);
  EXPECT_EQ(stage.posted[0].text, "der Hund");
  EXPECT_NE(testing::find_text(view->scene(), "Routing"), nullptr);
}

TEST(SentenceView, HasTheCursorInItsFieldOnceTheCanvasHasTheKeyboard) {
  Canvas canvas;
  Stage stage(testing::made_up_history());
  stage.status.state = bus::RunState::kPaused;
  const auto view = view_named("sentence");
  canvas.draw(*view, stage);
  EXPECT_FALSE(ImGui::GetIO().WantTextInput);
  view->take_focus();
  for (int i = 0; i < 3; ++i) canvas.draw(*view, stage);
  EXPECT_TRUE(ImGui::GetIO().WantTextInput);
}

TEST(TokensView, AsksForTokensOnlyItself) {
  Stage stage(testing::made_up_history());
  for (const auto& view : make_views())
    EXPECT_EQ(view->wants(stage.context()).expert_tokens, view->id() == "tokens") << view->id();
}

Picture picture_of(std::uint64_t version, int width = 4) {
  return {{0, 0, 10, 10}, width, 2, std::vector<std::uint32_t>(static_cast<std::size_t>(width) * 2, 0xFF0000FFU),
          version,        1};
}

TEST(PictureTextures, UploadOnlyWhatChanged) {
  Canvas canvas;
  PictureTextures textures;
  ImTextureData* first = nullptr;
  canvas.frame([&] { first = textures.texture(picture_of(1)); });
  EXPECT_EQ(first->Status, ImTextureStatus_OK);
  canvas.frame([&] { EXPECT_EQ(textures.texture(picture_of(1)), first); });
  canvas.frame([&] {
    EXPECT_EQ(textures.texture(picture_of(2)), first);
    EXPECT_EQ(first->Status, ImTextureStatus_WantUpdates);
    EXPECT_EQ(first->Updates.Size, 1);
  });
}

TEST(PictureTextures, AnotherSizeReplacesTheTexture) {
  Canvas canvas;
  PictureTextures textures;
  canvas.frame([&] { textures.texture(picture_of(1)); });
  const int before = canvas.live_textures();
  for (int width = 5; width < 60; ++width) canvas.frame([&] { textures.texture(picture_of(1, width)); });
  canvas.frame([] {});
  EXPECT_EQ(canvas.live_textures(), before);
}

TEST(PictureTextures, MayGoBeforeOrAfterTheirContext) {
  auto textures = std::make_unique<PictureTextures>();
  {
    Canvas canvas;
    canvas.frame([&] { textures->texture(picture_of(1)); });
    PictureTextures shorter;
    canvas.frame([&] { shorter.texture(picture_of(1)); });
  }
  {
    Canvas other;
    other.frame([&] { EXPECT_NE(textures->texture(picture_of(1)), nullptr); });
    const int before = other.live_textures();
    textures.reset();
    other.frame([] {});
    other.frame([] {});
    EXPECT_EQ(other.live_textures(), before - 1);
  }
}

}  // namespace
}  // namespace moescope::views
