#include "views/scene/palette.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace moescope::views {
namespace {

using Vec3 = std::array<double, 3>;
using Matrix = std::array<Vec3, 3>;

// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
constexpr Matrix kProtanopia{
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeuteranopia{
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kTritanopia{
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};

Vec3 times(const Matrix& m, const Vec3& v) {
  Vec3 out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[i] += m[i][j] * v[j];
  return out;
}

Vec3 linear(Color color) {
  const auto one = [](std::uint8_t channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return {one(color.r), one(color.g), one(color.b)};
}

// OKLab (Ottosson 2020): distances of about 0.02 are just seen side by side.
Vec3 oklab(const Vec3& rgb) {
  constexpr Matrix kToLms{{{0.4122214708, 0.5363325363, 0.0514459929},
                           {0.2119034982, 0.6806995451, 0.1073969566},
                           {0.0883024619, 0.2817188376, 0.6299787005}}};
  constexpr Matrix kToLab{{{0.2104542553, 0.7936177850, -0.0040720468},
                           {1.9779984951, -2.4285922050, 0.4505937099},
                           {0.0259040371, 0.7827717662, -0.8086757660}}};
  Vec3 lms = times(kToLms, rgb);
  for (double& x : lms) x = std::cbrt(std::max(0.0, x));
  return times(kToLab, lms);
}

double distance(const Vec3& a, const Vec3& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

Vec3 clamped(Vec3 v) {
  for (double& x : v) x = std::min(1.0, std::max(0.0, x));
  return v;
}

double seen_distance(const Matrix& vision, Color a, Color b) {
  return distance(oklab(clamped(times(vision, linear(a)))), oklab(clamped(times(vision, linear(b)))));
}

const Theme kThemes[] = {Theme::kDark, Theme::kLight};

TEST(Palette, IsTheTableOfTheLook) {
  const Palette& dark = palette(Theme::kDark);
  EXPECT_EQ(to_hex(dark.ground), "#14161A");
  EXPECT_EQ(to_hex(dark.dock), "#1C1F25");
  EXPECT_EQ(to_hex(dark.accent), "#56B4E9");
  const Palette& light = palette(Theme::kLight);
  EXPECT_EQ(to_hex(light.text), "#1D2230");
  EXPECT_EQ(to_hex(light.accent), "#0072B2");
  const char* experts[] = {"#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999"};
  for (const Theme theme : kThemes)
    for (int e = 0; e < 8; ++e) EXPECT_EQ(to_hex(palette(theme).expert(e, 8)), experts[e]);
}

TEST(Palette, ContrastIsThatOfTheStandard) {
  EXPECT_NEAR(contrast({0, 0, 0}, {255, 255, 255}), 21.0, 1e-9);
  EXPECT_NEAR(contrast({0xE6, 0x9F, 0x00}, {255, 255, 255}), 2.3, 0.06);
  EXPECT_NEAR(contrast({0xE6, 0x9F, 0x00}, {0x1e, 0x1e, 0x1e}), 7.4, 0.06);
}

TEST(Palette, TextIsReadableOnEveryDock) {
  for (const Theme theme : kThemes) {
    const Palette& colors = palette(theme);
    EXPECT_GE(contrast(colors.text, colors.dock), 7.0);
    EXPECT_GE(contrast(colors.muted, colors.dock), 4.5);
    EXPECT_GE(contrast(colors.accent, colors.dock), 4.5);
    EXPECT_GE(contrast(colors.warning, colors.dock), 3.0);
    EXPECT_GE(contrast(colors.text, colors.input), 7.0);
  }
}

TEST(Palette, TextOnAnyExpertColourIsReadable) {
  for (const Theme theme : kThemes)
    for (const int experts : {8, 24, 64})
      for (int e = 0; e < experts; ++e) {
        const Color ground = palette(theme).expert(e, experts);
        EXPECT_GE(contrast(palette(theme).text_on(ground), ground), 4.5) << "expert " << e << " of " << experts;
      }
}

TEST(Palette, PaleColoursGetAnOutline) {
  const Palette& light = palette(Theme::kLight);
  for (const int e : {0, 1, 3, 7}) EXPECT_EQ(light.expert_outline(e, 8), light.text) << "E" << e;
  for (const int e : {2, 4, 5}) EXPECT_EQ(light.expert_outline(e, 8).a, 0) << "E" << e;
  const Palette& dark = palette(Theme::kDark);
  for (const int e : {0, 1, 2, 3, 5, 6, 7}) EXPECT_EQ(dark.expert_outline(e, 8).a, 0) << "E" << e;
}

TEST(Palette, ExpertsStayApartForColourBlindEyes) {
  const Palette& colors = palette(Theme::kDark);
  for (const Matrix* vision : {&kProtanopia, &kDeuteranopia, &kTritanopia})
    for (int a = 0; a < 8; ++a)
      for (int b = a + 1; b < 8; ++b) {
        // Purple and the added grey are one colour to a deuteranope; name, row and position tell E6 from E7.
        if (vision == &kDeuteranopia && a == 6 && b == 7) continue;
        EXPECT_GE(seen_distance(*vision, colors.expert(a, 8), colors.expert(b, 8)), 0.05) << "E" << a << " and E" << b;
      }
}

TEST(Palette, TwentyFourExpertsAreAllDifferent) {
  const Palette& colors = palette(Theme::kLight);
  for (int a = 0; a < 24; ++a)
    for (int b = a + 1; b < 24; ++b)
      EXPECT_GE(distance(oklab(linear(colors.expert(a, 24))), oklab(linear(colors.expert(b, 24)))), 0.07)
          << a << " and " << b;
}

TEST(Palette, HeatGrowsSteadilyAwayFromTheGround) {
  for (const Theme theme : kThemes) {
    const Palette& colors = palette(theme);
    double before = oklab(linear(colors.heat(0)))[0];
    for (int i = 1; i <= 64; ++i) {
      const double lightness = oklab(linear(colors.heat(i / 64.0)))[0];
      if (theme == Theme::kDark) {
        EXPECT_GT(lightness, before) << i;
      } else {
        EXPECT_LT(lightness, before) << i;
      }
      before = lightness;
    }
    EXPECT_EQ(to_hex(colors.heat(0.5)), to_hex(colors.accent));
    EXPECT_EQ(to_hex(colors.heat(-1)), to_hex(colors.heat(0)));
    EXPECT_EQ(to_hex(colors.heat(2)), to_hex(colors.heat(1)));
  }
}

TEST(Palette, DifferenceGrowsAlikeOnBothSidesOfTheNeutralColour) {
  for (const Theme theme : kThemes) {
    const Palette& colors = palette(theme);
    const Vec3 zero = oklab(linear(colors.difference(0)));
    double before = 0;
    for (int i = 1; i <= 32; ++i) {
      const double x = i / 32.0;
      const Vec3 fewer = oklab(linear(colors.difference(-x))), more = oklab(linear(colors.difference(x)));
      EXPECT_NEAR(fewer[0], more[0], 0.03) << "one side looks like more than the other at " << x;
      EXPECT_GT(distance(more, zero), before) << x;
      before = distance(more, zero);
      if (i < 8) continue;
      for (const Matrix* vision : {&kProtanopia, &kDeuteranopia, &kTritanopia})
        EXPECT_GE(seen_distance(*vision, colors.difference(-x), colors.difference(x)), 0.05) << x;
    }
    EXPECT_EQ(to_hex(colors.difference(-2)), to_hex(colors.difference(-1)));
    EXPECT_EQ(to_hex(colors.difference(2)), to_hex(colors.difference(1)));
  }
  EXPECT_EQ(to_hex(palette(Theme::kLight).difference(0)), "#FFFFFF");
  EXPECT_EQ(palette(Theme::kDark).difference(0), palette(Theme::kDark).ground);
}

TEST(Palette, ManyExpertsShareHuesByNeighbourhood) {
  const Palette& colors = palette(Theme::kDark);
  for (int e = 0; e < 64; ++e)
    for (int other = 0; other < e; ++other)
      EXPECT_NE(to_hex(colors.expert(e, 64)), to_hex(colors.expert(other, 64))) << e << " " << other;
}

}  // namespace
}  // namespace moescope::views
