#include "views/scene/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/views/made_up_run.h"
#include "views/scene/load_scene.h"
#include "views/scene/png.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Scene canvas() {
  Scene scene;
  scene.size = {200, 100};
  return scene;
}

/// What one shape becomes.
template <class Shape>
std::string svg_of(Shape shape) {
  Scene scene = canvas();
  scene.add(std::move(shape));
  return to_svg(scene);
}

/// Python's parser reads the file and prints how many elements of each kind it has; "" when it refuses.
std::string elements(const std::string& svg) {
  const std::string path = (std::filesystem::temp_directory_path() / "moescope_svg_XXXXXX").string();
  std::string name = path;
  const int descriptor = ::mkstemp(name.data());
  EXPECT_GE(descriptor, 0);
  std::ofstream(name, std::ios::binary) << svg;
  const std::string script =
      "import sys, collections, xml.etree.ElementTree as e; "
      "c = collections.Counter(x.tag.split('}')[1] for x in e.parse(sys.argv[1]).iter()); "
      "print(' '.join(f'{k}={c[k]}' for k in sorted(c)))";
  FILE* python = ::popen((MOESCOPE_PYTHON " -c \"" + script + "\" " + name + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), python)) output += buffer.data();
  const bool good = ::pclose(python) == 0;
  std::filesystem::remove(name);
  EXPECT_TRUE(good) << output << svg.substr(0, 2000);
  return good ? output : "";
}

TEST(Svg, AnEmptySceneIsAGroundOfItsSize) {
  Scene scene = canvas();
  scene.summary = "nothing yet";
  const std::string svg = to_svg(scene);
  EXPECT_THAT(svg, HasSubstr("width=\"200\" height=\"100\" viewBox=\"0 0 200 100\" role=\"img\""));
  EXPECT_THAT(svg, HasSubstr("<title>nothing yet</title>"));
  EXPECT_THAT(svg, HasSubstr("fill=\"#FFFFFF\""));
  EXPECT_THAT(to_svg(scene, palette(Theme::kDark)), HasSubstr("fill=\"#1C1F25\""));
  EXPECT_EQ(elements(svg), "clipPath=1 defs=1 g=1 rect=2 svg=1 title=1\n");
}

TEST(Svg, ABoxHasItsOutlineInside) {
  EXPECT_THAT(svg_of(Box{{10, 20, 30, 40}, {1, 2, 3}, {0, 0, 0, 0}, 2}),
              HasSubstr("<rect x=\"10\" y=\"20\" width=\"30\" height=\"40\" rx=\"2\" fill=\"#010203\"/>"));
  EXPECT_THAT(svg_of(Box{{10, 20, 30, 40}, {1, 2, 3, 51}, {255, 0, 0}}),
              HasSubstr("<rect x=\"10.5\" y=\"20.5\" width=\"29\" height=\"39\" fill=\"#010203\" fill-opacity=\"0.2\" "
                        "stroke=\"#FF0000\" stroke-width=\"1\"/>"));
  EXPECT_THAT(svg_of(Box{{0, 0, 5, 5}, {0, 0, 0, 0}, {9, 9, 9}}), HasSubstr("fill=\"none\""));
}

TEST(Svg, PatternsSayAStateWithoutColour) {
  const Box plain{{10, 20, 30, 40}, {200, 200, 200}};
  Box box = plain;
  box.pattern = Box::Pattern::kHatched;
  const std::string hatched = svg_of(box);
  EXPECT_THAT(hatched, HasSubstr("<pattern id=\"hatch-000000-160\""));
  EXPECT_THAT(hatched, HasSubstr("fill=\"url(#hatch-000000-160)\""));
  box.pattern = Box::Pattern::kDotted;
  EXPECT_THAT(svg_of(box), HasSubstr("stroke-dasharray=\"1.5 1.5\""));
  box.pattern = Box::Pattern::kCrossed;
  EXPECT_THAT(svg_of(box), HasSubstr("<path d=\"M10,20L40,60M10,60L40,20\""));
  EXPECT_EQ(elements(hatched), "clipPath=1 defs=1 g=1 path=1 pattern=1 rect=4 svg=1\n");
}

TEST(Svg, APatternIsDefinedOnce) {
  Scene scene = canvas();
  for (int i = 0; i < 3; ++i) scene.add(Box{{0, 0, 9, 9}, {1, 1, 1}, {0, 0, 0, 0}, 0, 1, Box::Pattern::kHatched});
  EXPECT_THAT(elements(to_svg(scene)), HasSubstr("pattern=1"));
}

TEST(Svg, ARibbonIsACurveWithItsColoursBlended) {
  const std::string one = svg_of(Ribbon{0, 10, 20, 100, 30, 50, {1, 2, 3}, {1, 2, 3}});
  EXPECT_THAT(one, HasSubstr("<path d=\"M0,10C50,10 50,30 100,30L100,50C50,50 50,20 0,20Z\" fill=\"#010203\"/>"));
  const std::string two = svg_of(Ribbon{0, 10, 20, 100, 30, 50, {1, 2, 3}, {4, 5, 6, 0}});
  EXPECT_THAT(two, HasSubstr("<stop offset=\"1\" stop-color=\"#040506\" stop-opacity=\"0\"/>"));
  EXPECT_EQ(elements(two), "clipPath=1 defs=1 g=1 linearGradient=1 path=1 rect=2 stop=2 svg=1\n");
}

TEST(Svg, LinesBandsAndDots) {
  EXPECT_THAT(svg_of(Line{{{0, 1}, {2.5F, 3.126F}}, {0, 0, 255}, 2}),
              HasSubstr("<polyline points=\"0,1 2.5,3.13\" fill=\"none\" stroke=\"#0000FF\" stroke-width=\"2\""));
  EXPECT_THAT(svg_of(Line{{{0, 1}, {2, 3}}, {0, 0, 255}, 1, true}), HasSubstr("stroke-dasharray=\"4 3\""));
  EXPECT_THAT(svg_of(Line{{{0, 1}}, {0, 0, 255}}), Not(HasSubstr("polyline"))) << "one point is no line";
  EXPECT_THAT(svg_of(Band{{0, 10}, {50, 60}, {30, 40}, {1, 1, 1}}),
              HasSubstr("<polygon points=\"0,30 10,40 10,60 0,50\" fill=\"#010101\"/>"));
  EXPECT_THAT(svg_of(Dots{{{3, 4}}, {{255, 255, 0}}, 2.5F}),
              HasSubstr("<circle cx=\"3\" cy=\"4\" r=\"2.5\" fill=\"#FFFF00\"/>"));
}

TEST(Svg, TextStandsOnItsBaseline) {
  EXPECT_THAT(svg_of(Text{{10, 20}, "loss", {0, 0, 0}, 10}),
              HasSubstr("<text x=\"10\" y=\"29.69\" font-size=\"10\" fill=\"#000000\" font-family=\"Inter, "
                        "'Helvetica Neue', Arial, sans-serif\" xml:space=\"preserve\">loss</text>"));
  EXPECT_THAT(svg_of(Text{{10, 20}, "a", {}, 10, Text::Align::kCenter, Text::Font::kStrong}),
              HasSubstr("font-weight=\"600\" text-anchor=\"middle\""));
  EXPECT_THAT(svg_of(Text{{10, 20}, "a", {}, 10, Text::Align::kRight, Text::Font::kMono}),
              HasSubstr("monospace\" text-anchor=\"end\""));
  EXPECT_THAT(svg_of(Text{{10, 20}, "a", {}, 10, Text::Align::kLeft, Text::Font::kRegular, -90}),
              HasSubstr("x=\"19.69\" y=\"20\" font-size=\"10\" fill=\"#000000\" font-family=\"Inter, 'Helvetica Neue', "
                        "Arial, sans-serif\" transform=\"rotate(-90 19.69 20)\""));
}

TEST(Svg, APictureIsAnEmbeddedPng) {
  Picture picture{{0, 0, 20, 10}, 2, 1, {0xFF0000FF, 0x80FF0000}};
  const std::string svg = svg_of(picture);
  EXPECT_THAT(svg, HasSubstr("<image x=\"0\" y=\"0\" width=\"20\" height=\"10\" preserveAspectRatio=\"none\""));
  EXPECT_THAT(svg, HasSubstr("href=\"data:image/png;base64,iVBORw0KGgo"));
  elements(svg);
  // Rows that become high stand apart: a reader that smooths would let one expert's row run into the next.
  Picture heat{{0, 0, 20, 60}, 1, 3, {0xFF0000FF, 0x80FF0000, 0xFF00FF00}};
  EXPECT_THAT(svg_of(heat), HasSubstr("<image x=\"0\" y=\"40\" width=\"20\" height=\"20\""));
  heat.rect.h = 9;
  EXPECT_THAT(svg_of(heat), HasSubstr("<image x=\"0\" y=\"0\" width=\"20\" height=\"9\""));

  picture.rgba.pop_back();
  EXPECT_THAT(svg_of(picture), Not(HasSubstr("<image"))) << "a picture with pixels missing is left out";
}

TEST(Svg, HitBoxesCarryTheirTooltips) {
  Scene scene = canvas();
  scene.hits.push_back({{1, 2, 3, 4}, {Hit::Kind::kExpert, 0, 3, -1, "expert L1·E3", "L1·E3\n12 % < fair & \"fine\""}});
  scene.hits.push_back({{1, 2, 3, 4}, {Hit::Kind::kLayer, 0, 0, -1, "layer L2", ""}});
  const std::string svg = to_svg(scene);
  EXPECT_THAT(svg, HasSubstr("<title>L1·E3\n12 % &lt; fair &amp; &quot;fine&quot;</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>layer L2</title>"));
  EXPECT_THAT(elements(svg), HasSubstr("title=2"));
}

TEST(Svg, IsWellFormedWhateverTheSceneHolds) {
  Scene scene = canvas();
  scene.summary = "</title><script>]]>\x01\xFF";
  scene.add(Text{{1, 1}, "<b>&amp;\"'\x1B\xEF\xBF\xBF\xC0 \xE2\x82", {}, 10});
  scene.add(Box{{std::numeric_limits<float>::quiet_NaN(), 0, -5, std::numeric_limits<float>::infinity()}, {}});
  scene.add(Line{{{0, std::numeric_limits<float>::infinity()}, {1e30F, 3}}, {}});
  EXPECT_EQ(elements(to_svg(scene)), "clipPath=1 defs=1 g=1 polyline=1 rect=3 svg=1 text=1 title=1\n");
  EXPECT_THAT(to_svg(scene), Not(::testing::ContainsRegex("nan|inf|[0-9]e")));
}

TEST(Svg, APictureOfTheLabKeepsItsHeatMapAndItsTexts) {
  testing::Stage stage(testing::made_up_history());
  LoadState load;
  load.update(stage.history);
  const Scene scene = load_scene(stage.context(), {560, 360}, load);
  ASSERT_FALSE(testing::shapes_of<Picture>(scene).empty());
  const std::string found = elements(to_svg(scene, stage.colors));
  EXPECT_THAT(found, HasSubstr("image="));
  EXPECT_THAT(found, HasSubstr("text=" + std::to_string(testing::texts_of(scene).size())));
}

TEST(Png, IsOneThatOthersRead) {
  std::vector<std::uint32_t> rgba(300 * 100);
  for (std::size_t i = 0; i < rgba.size(); ++i)
    rgba[i] = 0xFF000000U | static_cast<std::uint32_t>(i * 2654435761U >> 8);
  const std::string file = png_of(300, 100, rgba);  // more than one stored block
  const std::string name = (std::filesystem::temp_directory_path() / "moescope_png_test.png").string();
  std::ofstream(name, std::ios::binary) << file;
  const std::string script =
      "import sys, zlib, struct; b = open(sys.argv[1], 'rb').read(); assert b[:8] == b'\\x89PNG\\r\\n\\x1a\\n'; p = 8; "
      "d = b''\n"
      "while p < len(b):\n"
      "  n, = struct.unpack('>I', b[p:p+4]); t = b[p+4:p+8]; c, = struct.unpack('>I', b[p+8+n:p+12+n])\n"
      "  assert zlib.crc32(b[p+4:p+8+n]) == c; d += b[p+8:p+8+n] if t == b'IDAT' else b''; p += 12 + n\n"
      "r = zlib.decompress(d); print(len(r), *r[1201:1210])";
  std::ofstream(name + ".py") << script;
  FILE* python = ::popen((MOESCOPE_PYTHON " " + name + ".py " + name + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  std::string output;
  while (std::fgets(buffer.data(), buffer.size(), python)) output += buffer.data();
  EXPECT_EQ(::pclose(python), 0) << output;
  std::filesystem::remove(name);
  std::filesystem::remove(name + ".py");
  // The second row: its filter, then pixels 300 and 301 as R, G, B, A.
  const auto byte = [&](std::size_t i, int shift) { return std::to_string(rgba[i] >> shift & 0xFFU); };
  EXPECT_EQ(output, "120100 0 " + byte(300, 0) + ' ' + byte(300, 8) + ' ' + byte(300, 16) + " 255 " + byte(301, 0) +
                        ' ' + byte(301, 8) + ' ' + byte(301, 16) + " 255\n");
}

TEST(Png, Base64IsPadded) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace moescope::views
