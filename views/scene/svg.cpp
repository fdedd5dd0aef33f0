#include "views/scene/svg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <span>
#include <string_view>

#include "core/base/text.h"
#include "views/scene/png.h"

namespace moescope::views {
namespace {

// Ascent of each font over its size, from the tops of the boxes that Text::position means down to the baseline.
constexpr float kAscent = 0.96875F;   // Inter
constexpr float kMonoAscent = 1.02F;  // JetBrains Mono

/// Two decimals, so that files stay small; one coordinate that is not finite must not cost the whole file.
std::string number(float value) {
  constexpr float kFar = 1e6F;
  const float kept = std::isfinite(value) ? std::clamp(value, -kFar, kFar) : 0;
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), kept, std::chars_format::fixed, 2).ptr;
  std::string text(digits.data(), end);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

/// Also in attributes. Control characters and broken UTF-8, which XML forbids, are shown escaped as \xNN.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  for (const std::string_view forbidden : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})  // U+FFFE, U+FFFF
    for (std::size_t at = 0; (at = safe.find(forbidden, at)) != std::string::npos;)
      safe.replace(at, forbidden.size(), "\xEF\xBF\xBD");
  return safe;
}

std::string escaped_lines(std::string_view text) {
  std::string all;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    all += (begin == 0 ? "" : "\n") + escaped(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

std::string attribute(const char* name, float value) { return std::string(" ") + name + "=\"" + number(value) + '"'; }

/// ` fill="#RRGGBB" fill-opacity="0.5"`; `role` is fill, stroke or stop-color.
std::string paint(const std::string& role, Color color) {
  if (color.a == 0 && role != "stop-color") return ' ' + role + "=\"none\"";
  std::string text = ' ' + role + "=\"" + to_hex(color) + '"';
  const std::string opacity = role == "stop-color" ? "stop-opacity" : role + "-opacity";
  if (color.a < 255) text += attribute(opacity.c_str(), static_cast<float>(color.a) / 255);
  return text;
}

std::string rect(const Rect& r) {
  return "<rect" + attribute("x", r.x) + attribute("y", r.y) + attribute("width", std::max(0.0F, r.w)) +
         attribute("height", std::max(0.0F, r.h));
}

std::string point(float x, float y) { return number(x) + ',' + number(y); }

class Writer {
 public:
  explicit Writer(const Scene& scene) : scene_(scene) {}

  std::string file(const Palette& colors) {
    for (const Shape& shape : scene_.shapes) std::visit([this](const auto& one) { draw(one); }, shape);
    for (const HitBox& box : scene_.hits) add_hit(box);
    const Rect all{0, 0, scene_.size.w, scene_.size.h};
    const std::string size = attribute("width", all.w) + attribute("height", all.h);
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + size + " viewBox=\"0 0 " + number(all.w) + ' ' +
                       number(all.h) + "\" role=\"img\">\n";
    if (!scene_.summary.empty()) text += "<title>" + escaped_lines(scene_.summary) + "</title>\n";
    text += "<defs>\n<clipPath id=\"canvas\">" + rect(all) + "/></clipPath>\n" + definitions_ + "</defs>\n";
    text += rect(all) + paint("fill", colors.dock) + "/>\n<g clip-path=\"url(#canvas)\">\n" + body_ + "</g>\n";
    if (!hits_.empty()) text += "<g fill=\"none\" pointer-events=\"all\">\n" + hits_ + "</g>\n";
    return text + "</svg>\n";
  }

 private:
  void draw(const Box& box) {
    // A pattern without an outline colour still has to be seen on its fill.
    const Color ink = box.outline.a > 0 ? box.outline : Color{0, 0, 0, 160};
    const bool outlined = box.outline.a > 0 || box.pattern == Box::Pattern::kDotted;
    // The outline lies inside the rectangle, as on screen.
    const float inset = outlined ? box.outline_width / 2 : 0;
    const Rect r{box.rect.x + inset, box.rect.y + inset, box.rect.w - 2 * inset, box.rect.h - 2 * inset};
    const std::string place = rect(r) + (box.rounding > 0 ? attribute("rx", box.rounding) : "");
    std::string stroke = outlined ? paint("stroke", ink) + attribute("stroke-width", box.outline_width) : "";
    if (box.pattern == Box::Pattern::kDotted) stroke += " stroke-dasharray=\"1.5 1.5\"";
    body_ += place + paint("fill", box.fill) + stroke + "/>\n";
    if (box.pattern == Box::Pattern::kHatched) body_ += place + " fill=\"url(#" + hatch(ink) + ")\"/>\n";
    if (box.pattern == Box::Pattern::kCrossed) cross(box.rect, ink);
  }

  void cross(const Rect& r, Color ink) {
    body_ += "<path d=\"M" + point(r.x, r.y) + 'L' + point(r.right(), r.bottom()) + 'M' + point(r.x, r.bottom()) + 'L' +
             point(r.right(), r.y) + "\" fill=\"none\"" + paint("stroke", ink) + "/>\n";
  }

  /// The name of a pattern of diagonals 5 px apart.
  std::string hatch(Color ink) {
    std::string id = "hatch-" + to_hex(ink).substr(1) + '-' + std::to_string(ink.a);
    if (patterns_.insert(id).second) {
      definitions_ += "<pattern id=\"" + id +
                      "\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
                      "<path d=\"M-1,1L1,-1M0,5L5,0M4,6L6,4\" fill=\"none\"" +
                      paint("stroke", ink) + "/></pattern>\n";
    }
    return id;
  }

  void draw(const Ribbon& r) {
    const float middle = (r.x0 + r.x1) / 2;
    std::string fill = paint("fill", r.color0);
    if (!(r.color0 == r.color1)) {
      const std::string id = "ribbon-" + std::to_string(++gradients_);
      definitions_ += "<linearGradient id=\"" + id + "\" gradientUnits=\"userSpaceOnUse\"" + attribute("x1", r.x0) +
                      attribute("x2", r.x1) + " y1=\"0\" y2=\"0\"><stop offset=\"0\"" + paint("stop-color", r.color0) +
                      "/><stop offset=\"1\"" + paint("stop-color", r.color1) + "/></linearGradient>\n";
      fill = " fill=\"url(#" + id + ")\"";
    }
    body_ += "<path d=\"M" + point(r.x0, r.top0) + 'C' + point(middle, r.top0) + ' ' + point(middle, r.top1) + ' ' +
             point(r.x1, r.top1) + 'L' + point(r.x1, r.bottom1) + 'C' + point(middle, r.bottom1) + ' ' +
             point(middle, r.bottom0) + ' ' + point(r.x0, r.bottom0) + "Z\"" + fill + "/>\n";
  }

  void draw(const Line& line) {
    if (line.points.size() < 2) return;
    std::string points;
    for (const Vec2& p : line.points) points += (points.empty() ? "" : " ") + point(p.x, p.y);
    body_ += "<polyline points=\"" + points + "\" fill=\"none\"" + paint("stroke", line.color) +
             attribute("stroke-width", line.width) + " stroke-linejoin=\"round\"" +
             (line.dashed ? " stroke-dasharray=\"4 3\"" : "") + "/>\n";
  }

  void draw(const Band& band) {
    const std::size_t columns = std::min({band.x.size(), band.low.size(), band.high.size()});
    if (columns < 2) return;
    std::string points;
    for (std::size_t i = 0; i < columns; ++i) points += point(band.x[i], band.high[i]) + ' ';
    for (std::size_t i = columns; i-- > 0;) points += point(band.x[i], band.low[i]) + (i > 0 ? " " : "");
    body_ += "<polygon points=\"" + points + '"' + paint("fill", band.color) + "/>\n";
  }

  void draw(const Dots& dots) {
    for (std::size_t i = 0; i < std::min(dots.centers.size(), dots.colors.size()); ++i)
      body_ += "<circle" + attribute("cx", dots.centers[i].x) + attribute("cy", dots.centers[i].y) +
               attribute("r", dots.radius) + paint("fill", dots.colors[i]) + "/>\n";
  }

  void draw(const Text& text) {
    const bool mono = text.font == Text::Font::kMono, turned = text.rotation_degrees != 0;
    const float down = (mono ? kMonoAscent : kAscent) * text.size;
    const float x = text.position.x, y = text.position.y;
    // Turned, the line runs upwards and its top edge is its left edge.
    const float base_x = turned ? x + down : x, base_y = turned ? y : y + down;
    body_ += "<text" + attribute("x", base_x) + attribute("y", base_y) + attribute("font-size", text.size) +
             paint("fill", text.color);
    body_ += mono ? " font-family=\"'JetBrains Mono', Menlo, Consolas, monospace\""
                  : " font-family=\"Inter, 'Helvetica Neue', Arial, sans-serif\"";
    if (text.font == Text::Font::kStrong) body_ += " font-weight=\"600\"";
    if (text.align != Text::Align::kLeft)
      body_ += text.align == Text::Align::kCenter ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
    if (turned)
      body_ +=
          " transform=\"rotate(" + number(text.rotation_degrees) + ' ' + number(base_x) + ' ' + number(base_y) + ")\"";
    body_ += " xml:space=\"preserve\">" + escaped(text.text) + "</text>\n";
  }

  void draw(const Picture& picture) {
    const auto pixels =
        static_cast<std::size_t>(std::max(0, picture.width)) * static_cast<std::size_t>(std::max(0, picture.height));
    if (pixels == 0 || picture.rgba.size() != pixels) return;
    // Some readers smooth what they stretch whatever is asked of them. Rows that become much higher than a pixel, one
    // per expert, are pictures of their own, so that none runs into the next.
    const bool apart = picture.rect.h > 4 * static_cast<float>(picture.height);
    const int rows = apart ? 1 : picture.height;
    const auto row_pixels = static_cast<std::size_t>(rows) * static_cast<std::size_t>(picture.width);
    const float height = picture.rect.h * static_cast<float>(rows) / static_cast<float>(picture.height);
    for (int i = 0; i * rows < picture.height; ++i) {
      const Rect& r = picture.rect;
      const auto pixels_of_row = std::span(picture.rgba).subspan(static_cast<std::size_t>(i) * row_pixels, row_pixels);
      body_ += "<image" + attribute("x", r.x) + attribute("y", r.y + static_cast<float>(i) * height) +
               attribute("width", r.w) + attribute("height", height) +
               " preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
               base64(png_of(picture.width, rows, pixels_of_row)) + "\"/>\n";
    }
  }

  void add_hit(const HitBox& box) {
    const std::string& words = box.hit.tooltip.empty() ? box.hit.name : box.hit.tooltip;
    if (!words.empty()) hits_ += rect(box.rect) + "><title>" + escaped_lines(words) + "</title></rect>\n";
  }

  const Scene& scene_;
  std::string definitions_, body_, hits_;
  std::set<std::string> patterns_;
  int gradients_ = 0;
};

}  // namespace

std::string to_svg(const Scene& scene, const Palette& colors) { return Writer(scene).file(colors); }

}  // namespace moescope::views
