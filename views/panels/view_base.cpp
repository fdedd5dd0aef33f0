#include "views/panels/view_base.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "views/panels/fonts.h"
#include "views/scene/difference.h"
#include "views/scene/ghosts.h"

namespace moescope::views {
namespace {

constexpr float kDragThreshold = 3;

template <class T>
void toggle(std::optional<T>& chosen, T value) {
  if (chosen == value)
    chosen.reset();
  else
    chosen = value;
}

Vec2 center(const Rect& rect) { return {rect.x + rect.w / 2, rect.y + rect.h / 2}; }

}  // namespace

void ViewBase::draw(const ViewContext& context, Size size) {
  scene_ = make_scene(context, size);
  const ImVec2 origin = ImGui::GetCursorScreenPos();
  painter_.paint(scene_, origin);
  pointer(context, size, origin);
  if (const HitBox* focused = focus_.empty() ? nullptr : scene_.find_hit(focus_))
    draw_focus_mark(context.palette, origin, focused->rect);
  controls(context, size, origin);
}

void ViewBase::pointer(const ViewContext& context, Size size, ImVec2 origin) {
  if (size.w < 1 || size.h < 1) return;
  // Widgets of controls() lie on top of this one and win where they overlap.
  ImGui::SetNextItemAllowOverlap();
  ImGui::InvisibleButton(id().c_str(), {size.w, size.h});
  const ImVec2 mouse = ImGui::GetMousePos();
  const Vec2 at{mouse.x - origin.x, mouse.y - origin.y};
  const std::optional<TimeAxis> axis = time_axis_of(context, size);
  drag_or_click(context, axis, at, origin);
  if (ImGui::IsItemHovered()) {
    const float turns = ImGui::GetIO().MouseWheel;
    if (turns != 0) wheel(context, at, turns);
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) double_click(context, at);
    hover(context, axis, at, origin);
  }
  shortcuts(context);
}

void ViewBase::drag_or_click(const ViewContext& context, const std::optional<TimeAxis>& axis, Vec2 at, ImVec2 origin) {
  if (ImGui::IsItemActivated()) {
    // The place of the press, not of the pointer now: a fast click may have moved on within the frame.
    const ImVec2 clicked = ImGui::GetIO().MouseClickedPos[ImGuiMouseButton_Left];
    press_ = ImGui::IsMouseDown(ImGuiMouseButton_Left) ? Vec2{clicked.x - origin.x, clicked.y - origin.y} : at;
    dragging_ = false;
    scrubbing_ = axis && axis->plot.contains(press_);
  }
  if (ImGui::IsItemActive()) {
    if (std::hypot(at.x - press_.x, at.y - press_.y) > kDragThreshold) dragging_ = true;
    if (dragging_ && scrubbing_) {
      context.selection.step = axis ? axis->step_at(at.x) : context.selection.step;
    } else if (dragging_) {
      const ImVec2 delta = ImGui::GetIO().MouseDelta;
      drag(context, press_, {delta.x, delta.y});
    }
  }
  if (ImGui::IsItemDeactivated() && !dragging_) {
    const HitBox* hit = scene_.hit_at(press_);
    focus_ = hit ? hit->hit.name : std::string();
    if (hit) click(context, hit->hit);
  }
}

void ViewBase::hover(const ViewContext& context, const std::optional<TimeAxis>& axis, Vec2 at, ImVec2 origin) {
  const HitBox* hit = scene_.hit_at(at);
  const bool on_mark = hit && hit->hit.kind == Hit::Kind::kStep;
  std::string text;
  if (axis && axis->plot.contains(at) && !on_mark) {
    text = readout(context, axis->step_at(at.x), at);
    const float x = std::round(origin.x + at.x) + 0.5F;
    if (!text.empty())
      ImGui::GetWindowDrawList()->AddLine({x, origin.y + axis->plot.y}, {x, origin.y + axis->plot.bottom()},
                                          to_imgui(context.palette.text.with_alpha(0.45)), 1);
  }
  if (text.empty() && hit) text = hit->hit.tooltip;
  if (hit && !on_mark && hit->hit.kind != Hit::Kind::kNone) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  show_tooltip(context.palette, text);
}

void ViewBase::shortcuts(const ViewContext& context) {
  if (!ImGui::IsWindowFocused() || ImGui::GetIO().WantTextInput) return;
  Selection& selection = context.selection;
  if (ImGui::IsKeyPressed(ImGuiKey_End)) selection.step.reset();
  if (ImGui::IsKeyPressed(ImGuiKey_Escape)) {
    selection.expert.reset();
    selection.token_class.reset();
    selection.token.reset();
    focus_.clear();
  }
}

void ViewBase::double_click(const ViewContext& context, Vec2) { context.selection.step.reset(); }

void ViewBase::click(const ViewContext& context, const Hit& hit) {
  Selection& selection = context.selection;
  const bool other_layer = hit.layer >= 0 && hit.layer != selection.layer;
  switch (hit.kind) {
    case Hit::Kind::kExpert:
      if (other_layer) selection.expert.reset();
      if (hit.layer >= 0) selection.layer = hit.layer;
      toggle(selection.expert, hit.expert);
      break;
    case Hit::Kind::kLayer:
      // An expert belongs to its layer; the number alone would mean another one.
      if (other_layer) selection.expert.reset();
      selection.layer = hit.layer;
      break;
    case Hit::Kind::kClass: toggle(selection.token_class, static_cast<int>(hit.index)); break;
    case Hit::Kind::kToken: toggle(selection.token, static_cast<int>(hit.index)); break;
    case Hit::Kind::kStep: toggle(selection.step, hit.index); break;
    case Hit::Kind::kControl:
      if (hit.name == kDifferenceSwitch) selection.against = next_against(context);
      break;
    case Hit::Kind::kNone: break;
  }
}

const HitBox* ViewBase::nearest(const Rect& from, int dx, int dy) const {
  const HitBox* best = nullptr;
  float best_cost = std::numeric_limits<float>::max();
  const Vec2 start = center(from);
  for (const HitBox& box : scene_.hits) {
    if (box.hit.name.empty() || box.hit.name == focus_) continue;
    const Vec2 to = center(box.rect);
    const float along = (to.x - start.x) * static_cast<float>(dx) + (to.y - start.y) * static_cast<float>(dy);
    const float aside =
        std::fabs((to.x - start.x) * static_cast<float>(dy)) + std::fabs((to.y - start.y) * static_cast<float>(dx));
    // Straight ahead counts before near: a box beside the line is as far as three times its offset.
    const float cost = along + 3 * aside;
    if (along < 1 || cost >= best_cost) continue;
    best = &box;
    best_cost = cost;
  }
  return best;
}

bool ViewBase::key(const ViewContext& context, int dx, int dy, bool enter) {
  const HitBox* focused = focus_.empty() ? nullptr : scene_.find_hit(focus_);
  if (enter) {
    if (!focused) return false;
    const Hit hit = focused->hit;  // click() may change the scene's owner state
    click(context, hit);
    return true;
  }
  const HitBox* next = nullptr;
  if (focused) {
    next = nearest(focused->rect, dx, dy);
  } else {
    for (const HitBox& box : scene_.hits)
      if (!box.hit.name.empty() && (!next || box.hit.kind == Hit::Kind::kExpert)) {
        next = &box;
        if (box.hit.kind == Hit::Kind::kExpert) break;
      }
  }
  if (!next) return false;
  focus_ = next->hit.name;
  return true;
}

}  // namespace moescope::views
