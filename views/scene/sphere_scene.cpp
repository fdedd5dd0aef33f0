#include "views/scene/sphere_scene.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "views/scene/chips.h"
#include "views/scene/labels.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kPanelWidth = 128;  // the figures on the right, when there is room
constexpr double kPi = 3.14159265358979323846;

struct Point3 {
  double x = 0, y = 0, z = 0;
};

Point3 turned(Point3 p, const SphereCamera& camera) {
  const double cy = std::cos(camera.yaw), sy = std::sin(camera.yaw);
  const double cp = std::cos(camera.pitch), sp = std::sin(camera.pitch);
  const Point3 a{cy * p.x + sy * p.z, p.y, -sy * p.x + cy * p.z};
  return {a.x, cp * a.y - sp * a.z, sp * a.y + cp * a.z};  // z points at the viewer
}

// v / ‖v‖ in the basis: inside the unit ball, at depth = share of the norm that is kept.
Point3 project(const float* v, const SphereBasis& basis, bool snap) {
  double norm = 0;
  std::array<double, 3> along{};
  for (int i = 0; i < basis.dim; ++i) {
    const double x = v[i];
    norm += x * x;
    for (std::size_t axis = 0; axis < 3; ++axis)
      along[axis] += x * basis.axes[axis * static_cast<std::size_t>(basis.dim) + static_cast<std::size_t>(i)];
  }
  norm = std::sqrt(norm);
  const double kept = std::sqrt(along[0] * along[0] + along[1] * along[1] + along[2] * along[2]);
  const double divide = snap ? kept : norm;
  if (divide <= 1e-12) return {};
  return {along[0] / divide, along[1] / divide, along[2] / divide};
}

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const telemetry::RouterSpace& space, const SphereBasis& basis,
          const SphereCamera& camera)
      : context_(context), space_(space), basis_(basis), camera_(camera) {
    scene_.size = size;
    has_panel_ = size.w > 330 && size.h > 110;
    const float room = has_panel_ ? size.w - kPanelWidth : size.w;
    center_ = {room / 2, size.h / 2};
    radius_ = std::max(20.0F, std::min(room, size.h) / 2 - 18) * camera.zoom;
    num_experts_ = static_cast<int>(space.rows_ER.size()) / std::max(1, space.dim);
  }

  Scene paint() {
    ball();
    rows(false);
    tokens();
    rows(true);
    figures();
    return std::move(scene_);
  }

 private:
  Vec2 on_canvas(Point3 p) const {
    return {center_.x + radius_ * static_cast<float>(p.x), center_.y - radius_ * static_cast<float>(p.y)};
  }

  void ball() {
    Line outline{{}, context_.palette.line, 1};
    for (int i = 0; i <= 72; ++i) {
      const double a = 2 * kPi * i / 72;
      outline.points.push_back({center_.x + radius_ * static_cast<float>(std::cos(a)),
                                center_.y + radius_ * static_cast<float>(std::sin(a))});
    }
    scene_.add(std::move(outline));
    for (int i = -2; i <= 2; ++i) circle(i * 30.0, true);
    for (int i = 0; i < 6; ++i) circle(i * 30.0, false);
  }

  // A parallel at that latitude or a meridian at that longitude; only the half in front.
  void circle(double degrees, bool parallel) {
    Line line{{}, context_.palette.grid, 1};
    const double fixed = degrees * kPi / 180;
    for (int i = 0; i <= 72; ++i) {
      const double a = 2 * kPi * i / 72;
      const Point3 p = parallel ? Point3{std::cos(fixed) * std::cos(a), std::sin(fixed), std::cos(fixed) * std::sin(a)}
                                : Point3{std::cos(a) * std::cos(fixed), std::sin(a), std::cos(a) * std::sin(fixed)};
      const Point3 t = turned(p, camera_);
      if (t.z >= 0) {
        line.points.push_back(on_canvas(t));
      } else if (line.points.size() > 1) {
        scene_.add(std::exchange(line, Line{{}, context_.palette.grid, 1}));
      } else {
        line.points.clear();
      }
    }
    if (line.points.size() > 1) scene_.add(std::move(line));
  }

  bool lit(std::size_t sample) const {
    const Selection& selection = context_.selection;
    const auto token = static_cast<std::size_t>(space_.token_S[sample]);
    if (selection.expert && selection.layer == space_.layer && space_.expert_S[sample] != *selection.expert)
      return false;
    const telemetry::RunInfo* run = context_.history.run();
    return !(selection.token_class && run && token < run->probe.size() &&
             run->probe[token].label != *selection.token_class);
  }

  void tokens() {
    struct Placed {
      Point3 at;
      std::size_t sample;
    };
    std::vector<Placed> placed;
    for (std::size_t s = 0; s < space_.token_S.size(); ++s)
      placed.push_back(
          {turned(project(&space_.vectors_SR[s * static_cast<std::size_t>(space_.dim)], basis_, camera_.snap), camera_),
           s});
    std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.at.z < b.at.z; });
    Dots dots{{}, {}, 2.1F};
    for (const Placed& one : placed) {
      const int expert = space_.expert_S[one.sample];
      const double depth = 0.30 + 0.65 * (one.at.z + 1) / 2;
      const Color color = expert < 0 || !lit(one.sample)
                              ? context_.palette.muted.with_alpha(0.18)
                              : context_.palette.expert(expert, num_experts_).with_alpha(depth);
      const Vec2 at = on_canvas(one.at);
      dots.centers.push_back(at);
      dots.colors.push_back(color);
      if (one.at.z > -0.2) scene_.hits.push_back({{at.x - 3, at.y - 3, 6, 6}, token_hit(one.sample)});
    }
    scene_.add(std::move(dots));
    followed_token();
  }

  void followed_token() {
    if (!context_.selection.token) return;
    for (std::size_t s = 0; s < space_.token_S.size(); ++s) {
      if (space_.token_S[s] != *context_.selection.token) continue;
      const Vec2 at = on_canvas(
          turned(project(&space_.vectors_SR[s * static_cast<std::size_t>(space_.dim)], basis_, camera_.snap), camera_));
      scene_.add(Box{{at.x - 5, at.y - 5, 10, 10}, {0, 0, 0, 0}, context_.palette.text, 5, 2});
    }
  }

  Hit token_hit(std::size_t sample) const {
    const telemetry::RunInfo* run = context_.history.run();
    const auto token = static_cast<std::size_t>(space_.token_S[sample]);
    Hit hit{Hit::Kind::kToken,
            space_.layer,
            space_.expert_S[sample],
            static_cast<std::int64_t>(token),
            "token " + std::to_string(token),
            {}};
    if (run && token < run->probe.size()) {
      const telemetry::ProbeToken& one = run->probe[token];
      const auto label = static_cast<std::size_t>(one.label);
      hit.tooltip = "“" + with_signs(one.text) + "” → E" + std::to_string(space_.expert_S[sample]) + "\n" +
                    (label < run->labels.size() ? run->labels[label] : std::string()) + " · " + one.document +
                    "\nclick to follow it";
    }
    return hit;
  }

  // Arrows behind the ball's centre are drawn before the tokens, those in front after them.
  void rows(bool front) {
    for (int e = 0; e < num_experts_; ++e) {
      const Point3 tip =
          turned(project(&space_.rows_ER[static_cast<std::size_t>(e * space_.dim)], basis_, false), camera_);
      if ((tip.z >= 0) != front) continue;
      const bool faded =
          context_.selection.expert && context_.selection.layer == space_.layer && *context_.selection.expert != e;
      const Color color = context_.palette.expert(e, num_experts_).with_alpha(faded ? 0.25 : front ? 1.0 : 0.5);
      scene_.add(Line{{center_, on_canvas(tip)}, color, 2});
      const Vec2 label = label_place(tip);
      const std::string name = expert_name(e);
      if (num_experts_ <= 24) {
        scene_.add(Text{label, name, faded || !front ? context_.palette.muted : context_.palette.text, 11,
                        Text::Align::kCenter, Text::Font::kStrong});
      }
      Hit hit{Hit::Kind::kExpert, space_.layer, e, -1, "expert " + mark_name(space_.layer, e), {}};
      hit.tooltip = "router row of " + mark_name(space_.layer, e) + "\nclick to follow its tokens";
      scene_.hits.push_back({{label.x - 9, label.y - 1, 18, 15}, hit});
    }
  }

  // Beyond the arrow's tip; where rows lie close together, further out until their names no longer touch.
  Vec2 label_place(Point3 tip) {
    const double length = std::max(1e-6, std::sqrt(tip.x * tip.x + tip.y * tip.y));
    const Vec2 end = on_canvas(tip);
    Rect place;
    for (int step = 0; step < 8; ++step) {
      const double out = (13.0 + 9.0 * step) / length;
      place = {end.x + static_cast<float>(tip.x * out) - 9, end.y - static_cast<float>(tip.y * out) - 8, 18, 15};
      const auto touches = [&](const Rect& other) { return overlap(place, other); };
      if (std::none_of(labels_.begin(), labels_.end(), touches)) break;
    }
    labels_.push_back(place);
    return {place.x + 9, place.y + 1};
  }

  void figures() {
    const SphereFigures f = sphere_figures(space_, basis_);
    scene_.summary = std::string(basis_.exact() ? "Exact" : "Projected") + " router space of layer " +
                     std::to_string(space_.layer + 1) + ", mean resultant length " +
                     number("%.2f", f.mean_resultant_length) + ", effective rank " + number("%.1f", f.effective_rank);
    if (!has_panel_) return;
    const float x = scene_.size.w - kPanelWidth + 8;
    float y = 12;
    scene_.add(Text{{x, y},
                    basis_.exact() ? "exact" : "projected",
                    context_.palette.accent,
                    12,
                    Text::Align::kLeft,
                    Text::Font::kStrong});
    scene_.add(Text{{x, y + 15},
                    basis_.exact() ? "3-D router space" : "3 of " + std::to_string(basis_.dim) + " dims keep",
                    context_.palette.muted,
                    10.5F});
    if (!basis_.exact())
      scene_.add(Text{{x, y + 28}, number("%.0f %% of the norm", 100 * f.norm_kept), context_.palette.muted, 10.5F});
    y += basis_.exact() ? 36.0F : 48.0F;
    figure(x, y, "resultant, 1 collapsed", number("%.2f", f.mean_resultant_length));
    figure(x, y, "effective rank", number("%.1f", f.effective_rank) + " of " + std::to_string(basis_.dim));
    if (f.closest_a >= 0)
      figure(
          x, y, "closest rows",
          number("%.0f°", f.closest_angle_degrees) + "  " + expert_name(f.closest_a) + "–" + expert_name(f.closest_b));
    figure(x, y, "cosine to own row", number("%.2f", f.own_cosine));
    figure(x, y, "… to the runner-up", number("%.2f", f.runner_up_cosine));
  }

  void figure(float x, float& y, const std::string& name, const std::string& value) {
    if (y + 30 > scene_.size.h) return;
    scene_.add(Text{{x, y}, name, context_.palette.muted, 10.5F});
    scene_.add(Text{{x, y + 13}, value, context_.palette.text, 13, Text::Align::kLeft, Text::Font::kStrong});
    y += 34;
  }

  const ViewContext& context_;
  const telemetry::RouterSpace& space_;
  const SphereBasis& basis_;
  const SphereCamera& camera_;
  Scene scene_;
  Vec2 center_;
  std::vector<Rect> labels_;  // of rows, already placed
  float radius_ = 1;
  bool has_panel_ = false;
  int num_experts_ = 0;
};

}  // namespace

Scene sphere_scene(const ViewContext& context, Size size, const telemetry::RouterSpace& space, const SphereBasis& basis,
                   const SphereCamera& camera) {
  return Painter(context, size, space, basis, camera).paint();
}

}  // namespace moescope::views
