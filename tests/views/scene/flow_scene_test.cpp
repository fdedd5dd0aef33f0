#include "views/scene/flow_scene.h"

#include <gtest/gtest.h>

#include "tests/views/scene/probe_run.h"

namespace moescope::views {
namespace {

class Flow : public ::testing::Test {
 protected:
  Flow() {
    run_ = probe_run_info();
    scene_.history.start(run_);
    scene_.history.add(probe_frame(10, {probe_layer({0, 1, 0, 1}), probe_layer({1, 1, 0, 2})}));
  }
  const telemetry::ProbeSnapshot& probe() const { return *scene_.history.probes().back(); }

  std::shared_ptr<telemetry::RunInfo> run_;
  ProbeScene scene_;
};

TEST_F(Flow, CarriesEveryTokenOnceThroughEveryColumn) {
  const FlowMass mass = flow_mass(*run_, probe());
  EXPECT_EQ(mass.class_C, (std::vector<double>{2, 2}));
  EXPECT_EQ(mass.expert_LE[0], (std::vector<double>{2, 2, 0}));
  EXPECT_EQ(mass.expert_LE[1], (std::vector<double>{1, 2, 1}));
  EXPECT_EQ(mass.first_CE, (std::vector<double>{2, 0, 0, 0, 2, 0}));
  EXPECT_EQ(mass.next_LEE[0], (std::vector<double>{1, 1, 0, 0, 1, 1, 0, 0, 0}));
}

TEST_F(Flow, CountsATokenWithTwoExpertsOnceByItsGates) {
  telemetry::LayerProbe both = probe_layer({0, 1, 0, 1, 0, 1, 0, 1});
  both.top_k = 2;
  for (std::size_t i = 0; i < both.gate_TK.size(); ++i) both.gate_TK[i] = i % 2 == 0 ? 3.0F : 1.0F;
  telemetry::ProbeSnapshot twice;
  twice.layers = {both};
  EXPECT_EQ(flow_mass(*run_, twice).expert_LE[0], (std::vector<double>{3, 1, 0}));
}

TEST_F(Flow, FollowsOnlyTheTokensOfTheSelectedExpert) {
  scene_.selection.layer = 1;
  scene_.selection.expert = 1;
  EXPECT_EQ(followed_tokens(*run_, probe(), scene_.selection), (std::vector<char>{1, 1, 0, 0}));
  scene_.selection.token_class = 0;
  EXPECT_EQ(followed_tokens(*run_, probe(), scene_.selection), (std::vector<char>{1, 0, 0, 0}));
  scene_.selection = {};
  EXPECT_TRUE(followed_tokens(*run_, probe(), scene_.selection).empty());
}

TEST_F(Flow, DrawsTheHeaviestLinksUntilTheShareIsCovered) {
  const FlowMass mass = flow_mass(*run_, probe());
  const ChosenLinks half = choose_links(mass, 0.5, 300);
  EXPECT_EQ(half.links.size(), 2U);  // the two class links carry 2 of 8 each
  EXPECT_DOUBLE_EQ(half.covered, 0.5);
  EXPECT_EQ(choose_links(mass, 1.0, 3).links.size(), 3U);
}

TEST_F(Flow, TweensHalfWayBetweenTwoProbes) {
  const FlowMass from = flow_mass(*run_, probe());
  FlowMass to = from;
  to.expert_LE[0] = {0, 2, 2};
  EXPECT_EQ(blend(from, to, 0.5).expert_LE[0], (std::vector<double>{1, 2, 1}));
  to.num_experts = 4;
  EXPECT_EQ(blend(from, to, 0.5).num_experts, 4);
}

TEST_F(Flow, CountsTheStarvingWhereTheirNamesHaveNoRoom) {
  ViewContext context = scene_.context();
  FlowMass mass = flow_mass(*run_, probe());
  mass.expert_LE[0] = {2, 0, 0};
  EXPECT_EQ(count_text(flow_scene(context, {800, 360}, mass, nullptr), "E1, E2 starving"), 1);
  EXPECT_EQ(count_text(flow_scene(context, {340, 360}, mass, nullptr), "2 starving"), 1);
}

TEST_F(Flow, NamesEveryExpertAndClassAndMarksTheDead) {
  ViewContext context = scene_.context();
  const FlowMass mass = flow_mass(*run_, probe());
  const Scene scene = flow_scene(context, {600, 360}, mass, nullptr);
  EXPECT_NE(scene.find_hit("expert L1·E0"), nullptr);
  EXPECT_NE(scene.find_hit("expert L2·E2"), nullptr);
  EXPECT_NE(scene.find_hit("class Deutsch"), nullptr);
  EXPECT_EQ(count_text(scene, "E2 starving"), 1);
  bool hatched = false, dropped = false;
  for (const Shape& shape : scene.shapes) {
    const Box* box = std::get_if<Box>(&shape);
    hatched = hatched || (box && box->pattern == Box::Pattern::kHatched);
    dropped = dropped || (box && box->pattern == Box::Pattern::kDotted);
  }
  EXPECT_TRUE(hatched);  // layer 1, E2
  EXPECT_TRUE(dropped);  // half of E0's training tokens
}

TEST_F(Flow, StaysInsideSmallAndLargeCanvases) {
  ViewContext context = scene_.context();
  const FlowMass mass = flow_mass(*run_, probe());
  for (const Size size : {Size{300, 160}, Size{560, 360}, Size{1200, 700}}) {
    const Scene scene = flow_scene(context, size, mass, &mass);
    for (const HitBox& box : scene.hits) {
      EXPECT_GE(box.rect.x, -6) << box.hit.name;
      EXPECT_LE(box.rect.right(), size.w + 6) << box.hit.name;
      EXPECT_LE(box.rect.bottom(), size.h) << box.hit.name;
    }
  }
}

TEST_F(Flow, AClassThatTheProbeHasNothingOfTakesNoRoom) {
  run_->labels.insert(run_->labels.begin() + 1, "Latin");
  for (telemetry::ProbeToken& token : run_->probe) token.label = token.label == 0 ? 0 : 2;
  const Scene scene = flow_scene(scene_.context(), {900, 400}, flow_mass(*run_, probe()), nullptr);
  EXPECT_EQ(count_text(scene, "Latin"), 0);
  EXPECT_EQ(scene.find_hit("class Latin"), nullptr);
  const HitBox *first = scene.find_hit("class English"), *last = scene.find_hit("class Deutsch");
  ASSERT_TRUE(first && last);
  EXPECT_LT(last->rect.y - first->rect.bottom(), 10) << "one gap between them, not two";
}

}  // namespace
}  // namespace moescope::views
