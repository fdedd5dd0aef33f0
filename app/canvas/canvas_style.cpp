#include "app/canvas/canvas_style.h"

#include "views/panels/fonts.h"

namespace moescope::app {
namespace {

constexpr float kBodySize = 12;
constexpr float kRounding = 6;

void apply_measures(ImGuiStyle& style) {
  style.WindowPadding = {0, 0};
  style.WindowBorderSize = 0;
  style.WindowRounding = 0;
  style.FramePadding = {8, 5};
  style.FrameRounding = kRounding;
  style.FrameBorderSize = 1;
  style.PopupRounding = kRounding;
  style.GrabRounding = kRounding;
  style.ScrollbarRounding = kRounding;
  style.ScrollbarSize = 10;
  style.ItemSpacing = {8, 6};
  style.FontSizeBase = views::imgui_font_size(kBodySize);
}

}  // namespace

void apply_style(ImGuiStyle& style, const views::Palette& palette) {
  style = ImGuiStyle();
  apply_measures(style);
  const auto set = [&style](ImGuiCol index, views::Color color) { style.Colors[index] = views::to_imgui_vec(color); };
  for (ImVec4& color : style.Colors) color = views::to_imgui_vec(palette.dock);
  for (const ImGuiCol text : {ImGuiCol_Text, ImGuiCol_InputTextCursor}) set(text, palette.text);
  set(ImGuiCol_TextDisabled, palette.muted);
  set(ImGuiCol_PopupBg, palette.dock_head);
  for (const ImGuiCol line : {ImGuiCol_Border, ImGuiCol_Separator, ImGuiCol_ScrollbarGrab}) set(line, palette.line);
  set(ImGuiCol_BorderShadow, palette.dock.with_alpha(0));
  set(ImGuiCol_WindowBg, palette.dock.with_alpha(0));
  set(ImGuiCol_ChildBg, palette.dock.with_alpha(0));
  for (const ImGuiCol field : {ImGuiCol_FrameBg, ImGuiCol_FrameBgHovered, ImGuiCol_FrameBgActive, ImGuiCol_Button})
    set(field, palette.input);
  for (const ImGuiCol hovered : {ImGuiCol_ButtonHovered, ImGuiCol_HeaderHovered, ImGuiCol_ScrollbarGrabHovered})
    set(hovered, palette.line);
  set(ImGuiCol_Header, palette.input);
  for (const ImGuiCol active : {ImGuiCol_ButtonActive, ImGuiCol_HeaderActive, ImGuiCol_CheckMark, ImGuiCol_SliderGrab,
                                ImGuiCol_SliderGrabActive, ImGuiCol_ScrollbarGrabActive, ImGuiCol_NavCursor})
    set(active, palette.accent);
  set(ImGuiCol_TextSelectedBg, palette.accent.with_alpha(0.35));
}

}  // namespace moescope::app
