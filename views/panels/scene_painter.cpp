#include "views/panels/scene_painter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "views/panels/fonts.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr int kRibbonSegments = 16;
constexpr float kDash = 4, kGap = 3;

bool visible(Color color) { return color.a > 0; }

ImU32 between(Color a, Color b, float t) {
  const auto mix = [t](std::uint8_t from, std::uint8_t to) {
    return static_cast<int>(std::lround(static_cast<float>(from) + static_cast<float>(to - from) * t));
  };
  return IM_COL32(mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), mix(a.a, b.a));
}

// Rows of `per_column` vertices from left to right, joined to quads: one reservation for a whole ribbon or band.
class Strip {
 public:
  Strip(ImDrawList& list, int columns, int per_column) : list_(list), per_column_(per_column) {
    const int quads = (columns - 1) * (per_column - 1);
    list.PrimReserve(quads * 6, columns * per_column);
    base_ = list._VtxCurrentIdx;
    white_ = ImGui::GetFontTexUvWhitePixel();
    for (int c = 0; c + 1 < columns; ++c)
      for (int r = 0; r + 1 < per_column; ++r) quad(c, r);
  }
  void vertex(ImVec2 at, ImU32 color) { list_.PrimWriteVtx(at, white_, color); }

 private:
  ImDrawIdx index(int column, int row) const {
    return static_cast<ImDrawIdx>(base_ + static_cast<unsigned>(column * per_column_ + row));
  }
  void quad(int c, int r) {
    const std::array<ImDrawIdx, 4> corner{index(c, r), index(c + 1, r), index(c + 1, r + 1), index(c, r + 1)};
    for (const std::size_t i : {0U, 1U, 2U, 0U, 2U, 3U}) list_.PrimWriteIdx(corner[i]);
  }

  ImDrawList& list_;
  int per_column_;
  unsigned base_ = 0;
  ImVec2 white_;
};

// Diagonals every 5 px, clipped to the rectangle by hand: a clip rectangle would cost a draw call per box.
void hatch(ImDrawList& list, ImVec2 a, ImVec2 b, ImU32 color) {
  const float w = b.x - a.x, h = b.y - a.y;
  for (float offset = 2.5F; offset < w + h; offset += 5) {
    const ImVec2 from{a.x + std::min(offset, w), a.y + std::max(0.0F, offset - w)};
    const ImVec2 to{a.x + std::max(0.0F, offset - h), a.y + std::min(offset, h)};
    list.AddLine(from, to, color, 1);
  }
}

void dotted_edge(ImDrawList& list, ImVec2 a, ImVec2 b, ImU32 color) {
  const auto dot = [&](float x, float y) { list.AddRectFilled({x, y}, {x + 1.5F, y + 1.5F}, color); };
  for (float x = a.x; x < b.x; x += 3) {
    dot(x, a.y);
    dot(x, b.y - 1.5F);
  }
  for (float y = a.y; y < b.y; y += 3) {
    dot(a.x, y);
    dot(b.x - 1.5F, y);
  }
}

void dashed(ImDrawList& list, const ImVector<ImVec2>& points, ImU32 color, float width) {
  float at = 0;  // along the current dash and gap
  for (int i = 0; i + 1 < points.Size; ++i) {
    const ImVec2 a = points[i], b = points[i + 1];
    const float length = std::hypot(b.x - a.x, b.y - a.y);
    for (float done = 0; done < length;) {
      const bool on = at < kDash;
      const float part = std::min((on ? kDash : kDash + kGap) - at, length - done);
      const auto point = [&](float s) {
        return ImVec2{a.x + (b.x - a.x) * s / length, a.y + (b.y - a.y) * s / length};
      };
      if (on) list.AddLine(point(done), point(done + part), color, width);
      done += part;
      at = std::fmod(at + part, kDash + kGap);
      if (part <= 0) break;
    }
  }
}

}  // namespace

void ScenePainter::paint(const Scene& scene, ImVec2 origin) {
  list_ = ImGui::GetWindowDrawList();
  origin_ = origin;
  for (const Shape& shape : scene.shapes) std::visit([this](const auto& one) { draw(one); }, shape);
}

void ScenePainter::draw(const Box& box) {
  const ImVec2 a = place(box.rect.x, box.rect.y), b = place(box.rect.right(), box.rect.bottom());
  if (visible(box.fill)) list_->AddRectFilled(a, b, to_imgui(box.fill), box.rounding);
  // A pattern without an outline colour still has to be seen on its fill.
  const Color ink = visible(box.outline) ? box.outline : Color{0, 0, 0, 160};
  if (box.pattern == Box::Pattern::kHatched) hatch(*list_, a, b, to_imgui(ink));
  if (box.pattern == Box::Pattern::kCrossed) {
    list_->AddLine(a, b, to_imgui(ink), 1);
    list_->AddLine({a.x, b.y}, {b.x, a.y}, to_imgui(ink), 1);
  }
  if (box.pattern == Box::Pattern::kDotted) {
    dotted_edge(*list_, a, b, to_imgui(ink));
  } else if (visible(box.outline)) {
    list_->AddRect(a, b, to_imgui(box.outline), box.rounding, box.outline_width);
  }
}

void ScenePainter::draw(const Ribbon& ribbon) {
  // Smooth edges cost twice the triangles; with software GL the canvas turns them off.
  const bool smooth = (list_->Flags & ImDrawListFlags_AntiAliasedFill) != 0;
  Strip strip(*list_, kRibbonSegments + 1, smooth ? 4 : 2);
  for (int i = 0; i <= kRibbonSegments; ++i) {
    const float t = static_cast<float>(i) / kRibbonSegments;
    const float rise = t * t * (3 - 2 * t);
    // A cubic Bézier whose inner points stand half way: horizontal tangents at both ends.
    const float along = 1.5F * t * (1 - t) * (1 - t) + 1.5F * t * t * (1 - t) + t * t * t;
    const float x = ribbon.x0 + (ribbon.x1 - ribbon.x0) * along;
    const float top = ribbon.top0 + (ribbon.top1 - ribbon.top0) * rise;
    const float bottom = ribbon.bottom0 + (ribbon.bottom1 - ribbon.bottom0) * rise;
    const ImU32 color = between(ribbon.color0, ribbon.color1, t);
    if (!smooth) {
      strip.vertex(place(x, top), color);
      strip.vertex(place(x, bottom), color);
      continue;
    }
    const ImU32 clear = color & ~IM_COL32_A_MASK;
    const float inset = std::min(0.5F, (bottom - top) / 2);
    strip.vertex(place(x, top - 0.5F), clear);
    strip.vertex(place(x, top + inset), color);
    strip.vertex(place(x, bottom - inset), color);
    strip.vertex(place(x, bottom + 0.5F), clear);
  }
}

void ScenePainter::draw(const Line& line) {
  if (line.points.size() < 2) return;
  ImVector<ImVec2> points;
  points.reserve(static_cast<int>(line.points.size()));
  for (const Vec2& point : line.points) points.push_back(place(point.x, point.y));
  if (line.dashed)
    dashed(*list_, points, to_imgui(line.color), line.width);
  else
    list_->AddPolyline(points.Data, points.Size, to_imgui(line.color), line.width);
}

void ScenePainter::draw(const Band& band) {
  const std::size_t columns = std::min({band.x.size(), band.low.size(), band.high.size()});
  if (columns < 2) return;
  Strip strip(*list_, static_cast<int>(columns), 2);
  for (std::size_t i = 0; i < columns; ++i) {
    strip.vertex(place(band.x[i], band.high[i]), to_imgui(band.color));
    strip.vertex(place(band.x[i], band.low[i]), to_imgui(band.color));
  }
}

void ScenePainter::draw(const Dots& dots) {
  const std::size_t count = std::min(dots.centers.size(), dots.colors.size());
  const float r = dots.radius;
  for (std::size_t i = 0; i < count; ++i) {
    const ImVec2 at = place(dots.centers[i].x, dots.centers[i].y);
    const ImU32 color = to_imgui(dots.colors[i]);
    if (r < 1.5F)
      list_->AddRectFilled({at.x - r, at.y - r}, {at.x + r, at.y + r}, color);
    else
      list_->AddCircleFilled(at, r, color, r < 4 ? 10 : 0);
  }
}

void ScenePainter::draw(const Text& text) {
  const Rect box = text_box(text);
  ImFont* font = font_of(text.font);
  const float size = imgui_font_size(text.size, text.font);
  if (text.rotation_degrees == 0) {
    // The end of a right- or centre-aligned text must not depend on the table's estimate: measure with the font.
    float x = text.position.x;
    if (text.align != Text::Align::kLeft) {
      const float width = font->CalcTextSizeA(size, FLT_MAX, 0, text.text.c_str()).x;
      x -= text.align == Text::Align::kCenter ? width / 2 : width;
    }
    list_->AddText(font, size, place(x, text.position.y), to_imgui(text.color), text.text.c_str());
    return;
  }
  // Glyphs are laid out at the origin, then each vertex is turned by −90° about it. The clip rectangle is opened
  // meanwhile, because ImGui drops glyphs that lie outside of it before they are turned.
  list_->PushClipRect({-8192, -8192}, {8192, 8192});
  const int first = list_->VtxBuffer.Size;
  list_->AddText(font, size, {0, 0}, to_imgui(text.color), text.text.c_str());
  const ImVec2 foot = place(box.x, box.bottom());
  for (int i = first; i < list_->VtxBuffer.Size; ++i) {
    const ImVec2 at = list_->VtxBuffer[i].pos;
    list_->VtxBuffer[i].pos = {std::round(foot.x) + at.y, std::round(foot.y) - at.x};
  }
  list_->PopClipRect();
}

void ScenePainter::draw(const Picture& picture) {
  ImTextureData* texture = textures_.texture(picture);
  if (!texture) return;
  const ImGuiPlatformIO& platform = ImGui::GetPlatformIO();
  const bool switchable = platform.DrawCallback_SetSamplerNearest && platform.DrawCallback_SetSamplerLinear;
  if (switchable) list_->AddCallback(platform.DrawCallback_SetSamplerNearest, nullptr);
  list_->AddImage(texture->GetTexRef(), place(picture.rect.x, picture.rect.y),
                  place(picture.rect.right(), picture.rect.bottom()));
  if (switchable) list_->AddCallback(platform.DrawCallback_SetSamplerLinear, nullptr);
}

void show_tooltip(const Palette& palette, const std::string& lines) {
  if (lines.empty()) return;
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {8, 6});
  ImGui::PushStyleVar(ImGuiStyleVar_PopupRounding, 6);
  ImGui::PushStyleVar(ImGuiStyleVar_PopupBorderSize, 1);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {6, 2});
  ImGui::PushStyleColor(ImGuiCol_PopupBg, to_imgui_vec(palette.dock_head));
  ImGui::PushStyleColor(ImGuiCol_Border, to_imgui_vec(palette.line));
  if (ImGui::BeginTooltip()) {
    std::string_view rest = lines;
    for (bool first = true; !rest.empty(); first = false) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      push_font(first ? 11.5F : 11, first ? Text::Font::kStrong : Text::Font::kRegular);
      ImGui::PushStyleColor(ImGuiCol_Text, to_imgui_vec(first ? palette.text : palette.muted));
      ImGui::TextUnformatted(rest.data(), rest.data() + end);
      ImGui::PopStyleColor();
      ImGui::PopFont();
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    ImGui::EndTooltip();
  }
  ImGui::PopStyleColor(2);
  ImGui::PopStyleVar(4);
}

void draw_focus_mark(const Palette& palette, ImVec2 origin, const Rect& rect) {
  ImGui::GetWindowDrawList()->AddRect({origin.x + rect.x - 2, origin.y + rect.y - 2},
                                      {origin.x + rect.right() + 2, origin.y + rect.bottom() + 2},
                                      to_imgui(palette.accent), 4.0F, 2.0F);
}

}  // namespace moescope::views
