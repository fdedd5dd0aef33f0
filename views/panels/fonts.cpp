#include "views/panels/fonts.h"

#include "views/scene/text_metrics.h"

namespace moescope::views {

void set_fonts(const Fonts* fonts) { ImGui::GetIO().UserData = const_cast<Fonts*>(fonts); }

ImFont* font_of(Text::Font font) {
  const auto* fonts = static_cast<const Fonts*>(ImGui::GetIO().UserData);
  ImFont* chosen = nullptr;
  if (fonts)
    chosen = font == Text::Font::kStrong ? fonts->strong : font == Text::Font::kMono ? fonts->mono : fonts->regular;
  return chosen ? chosen : ImGui::GetFont();
}

float imgui_font_size(float em_size, Text::Font font) { return line_height(em_size, font); }

void push_font(float em_size, Text::Font font) { ImGui::PushFont(font_of(font), imgui_font_size(em_size, font)); }

ImU32 to_imgui(Color color) { return IM_COL32(color.r, color.g, color.b, color.a); }

ImVec4 to_imgui_vec(Color color) {
  constexpr float kScale = 1 / 255.0F;
  return {static_cast<float>(color.r) * kScale, static_cast<float>(color.g) * kScale,
          static_cast<float>(color.b) * kScale, static_cast<float>(color.a) * kScale};
}

}  // namespace moescope::views
