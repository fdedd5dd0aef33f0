#include "views/scene/sphere_scene.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/views/scene/probe_run.h"

namespace moescope::views {
namespace {

telemetry::RouterSpace space_of(int dim, std::vector<float> vectors, std::vector<float> rows,
                                std::vector<std::int16_t> experts) {
  telemetry::RouterSpace space;
  space.dim = dim;
  space.vectors_SR = std::move(vectors);
  space.rows_ER = std::move(rows);
  space.expert_S = std::move(experts);
  for (std::size_t s = 0; s < space.expert_S.size(); ++s) space.token_S.push_back(static_cast<std::int32_t>(s));
  return space;
}

TEST(SphereBasisTest, IsExactInThreeDimensions) {
  const auto space = space_of(3, {1, 2, 3}, {1, 0, 0, 0, 1, 0}, {0});
  const SphereBasis basis = sphere_basis(space, nullptr);
  EXPECT_TRUE(basis.exact());
  EXPECT_EQ(basis.axes, (std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_NEAR(sphere_figures(space, basis).norm_kept, 1, 1e-12);
}

TEST(SphereBasisTest, StaysWhereItWasWhenTheRowsBarelyMove) {
  auto space = space_of(4, {1, 0, 0, 0}, {1, 0, 0, 0, 0, 1.001F, 0, 0, 0, 0, 0.999F, 0}, {0});
  const SphereBasis before = sphere_basis(space, nullptr);
  space.rows_ER = {1, 0, 0, 0, 0, 0.999F, 0, 0, 0, 0, 1.001F, 0};  // two main directions change places
  const SphereBasis after = sphere_basis(space, &before);
  for (std::size_t i = 0; i < before.axes.size(); ++i) EXPECT_NEAR(after.axes[i], before.axes[i], 1e-2) << i;
}

TEST(SphereFiguresTest, TellTheClosestRowsAndTheCosineToTheOwnRow) {
  const auto space = space_of(3, {2, 0, 0, 0, 3, 0}, {1, 0, 0, 0, 1, 0, 1, 1, 0}, {0, 1});
  const SphereFigures figures = sphere_figures(space, sphere_basis(space, nullptr));
  EXPECT_NEAR(figures.closest_angle_degrees, 45, 1e-6);
  EXPECT_NEAR(figures.own_cosine, 1, 1e-6);
  EXPECT_NEAR(figures.runner_up_cosine, std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(figures.mean_resultant_length, std::sqrt(0.5), 1e-6);
}

TEST(SphereSceneTest, NamesEveryRowAndSaysWhetherItIsExact) {
  ProbeScene scene;
  scene.history.start(probe_run_info());
  ViewContext context = scene.context();
  const auto exact = space_of(3, {1, 0, 0, 0, 1, 0}, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 1});
  const Scene drawn = sphere_scene(context, {560, 300}, exact, sphere_basis(exact, nullptr), {});
  EXPECT_NE(drawn.find_hit("expert L1·E2"), nullptr);
  EXPECT_EQ(count_text(drawn, "exact"), 1);
  const auto wide = space_of(4, {1, 0, 0, 1, 0, 1, 0, 0}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {0, 1});
  const Scene projected = sphere_scene(context, {560, 300}, wide, sphere_basis(wide, nullptr), {});
  EXPECT_EQ(count_text(projected, "projected"), 1);
  EXPECT_EQ(count_text(projected, "of the norm"), 1);
}

TEST(SphereSceneTest, PutsATokenAsDeepAsTheProjectionKeepsOfIt) {
  ProbeScene scene;
  scene.history.start(probe_run_info());
  ViewContext context = scene.context();
  // The second token lies half outside the space of the rows: it must sit inside the ball, nearer to the centre.
  const auto space = space_of(4, {1, 0, 0, 0, 1, 0, 0, 1}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {0, 0});
  const SphereBasis basis = sphere_basis(space, nullptr);
  const auto distance = [&](bool snap, std::size_t which) {
    SphereCamera camera{0, 0, 1, snap};
    const Scene drawn = sphere_scene(context, {300, 300}, space, basis, camera);
    for (const Shape& shape : drawn.shapes)
      if (const Dots* dots = std::get_if<Dots>(&shape)) {
        std::vector<double> radii;
        for (const Vec2 at : dots->centers) radii.push_back(std::hypot(at.x - 150, at.y - 150));
        std::sort(radii.begin(), radii.end());
        return radii[which];
      }
    return -1.0;
  };
  EXPECT_NEAR(distance(false, 0) / distance(false, 1), std::sqrt(0.5), 1e-3);
  EXPECT_NEAR(distance(true, 0) / distance(true, 1), 1, 1e-3);
}

}  // namespace
}  // namespace moescope::views
