#include "views/scene/tokens_scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"
#include "views/scene/sentence_scene.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Stage;

TEST(TokensScene, TextsNeverOverlapAtAnySize) {
  for (const int experts : {2, 8, 16, 64}) {
    Stage stage(testing::made_up_history({.steps = 50, .experts = experts}));
    for (const Size size : testing::canvas_sizes())
      EXPECT_THAT(testing::text_faults(tokens_scene(stage.context(), size)), IsEmpty())
          << experts << " experts, " << size.w << "×" << size.h;
  }
}

TEST(TokensScene, EachExpertShowsItsTokensOrSaysThatThereAreNone) {
  Stage stage(testing::made_up_history());
  const Scene scene = tokens_scene(stage.context(), {560, 360});
  for (const char* text : {"the", "der", "const", "↵", "no token is typical of it yet"})
    EXPECT_NE(testing::find_text(scene, text), nullptr) << text;
  EXPECT_NE(scene.find_hit("expert L2·E7"), nullptr);
  EXPECT_THAT(scene.summary, HasSubstr("E0 the"));
}

TEST(TokensScene, WaitsForTheFirstReport) {
  Stage stage(testing::made_up_history({.steps = 5, .tokens = false}));
  EXPECT_NE(testing::find_text(tokens_scene(stage.context(), {560, 360}), "being counted"), nullptr);
}

TEST(TokensScene, SmallCanvasSaysHowManyAreLeftOut) {
  Stage stage(testing::made_up_history({.experts = 64}));
  EXPECT_NE(testing::find_text(tokens_scene(stage.context(), {300, 160}), "more experts"), nullptr);
}

TEST(SentenceScene, TextsNeverOverlapAtAnySize) {
  for (const int layers : {1, 3, 12})
    for (const Size size : testing::canvas_sizes()) {
      Stage stage(testing::made_up_history({.steps = 3, .layers = layers}));
      stage.selection.layer = 0;
      const bus::SentenceResult sentence = testing::made_up_sentence({.layers = layers});
      ViewContext context = stage.context();
      context.sentence = &sentence;
      EXPECT_THAT(testing::text_faults(sentence_scene(context, size, {})), IsEmpty())
          << layers << " layers, " << size.w << "×" << size.h;
    }
}

TEST(SentenceScene, PiecesAreClickableAndTheContinuationIsMuted) {
  Stage stage(testing::made_up_history({.steps = 3}));
  const bus::SentenceResult sentence = testing::made_up_sentence();
  ViewContext context = stage.context();
  context.sentence = &sentence;
  const Scene scene = sentence_scene(context, {560, 360}, {});
  const HitBox* cat = scene.find_hit("piece 1");
  ASSERT_NE(cat, nullptr);
  EXPECT_EQ(cat->hit.kind, Hit::Kind::kExpert);
  EXPECT_THAT(cat->hit.tooltip, HasSubstr("“ cat”"));
  EXPECT_THAT(cat->hit.tooltip, HasSubstr("L3·E"));
  const Text* option = testing::find_text(scene, "option");
  ASSERT_NE(option, nullptr);
  EXPECT_EQ(option->color, stage.colors.muted);
}

TEST(SentenceScene, SaysWhatItWaitsFor) {
  Stage stage(testing::made_up_history({.steps = 3}));
  EXPECT_NE(testing::find_text(sentence_scene(stage.context(), {560, 360}, {}), "press Enter"), nullptr);
  EXPECT_NE(testing::find_text(sentence_scene(stage.context(), {560, 360}, {40, "hello"}), "Routing"), nullptr);
  stage.status.state = bus::RunState::kFinished;
  EXPECT_NE(testing::find_text(sentence_scene(stage.context(), {560, 360}, {40, "hello"}), "ended"), nullptr);
}

}  // namespace
}  // namespace moescope::views
