#include "views/scene/load_heat.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>

#include "core/base/seed.h"
#include "views/scene/difference.h"
#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/load_difference.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

using telemetry::LoadColumn;

constexpr std::size_t kShades = 256;
constexpr double kShadesPerSide = 127;  // of a difference; the one between is zero
using Shades = std::array<std::uint32_t, kShades>;

/// Looked up rather than mixed for every pixel; `part` from 0 to 1.
std::uint32_t shade(const Shades& shades, double part) {
  return shades[static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * (kShades - 1))];
}

Shades heat_shades(const Palette& palette) {
  Shades all{};
  for (std::size_t i = 0; i < kShades; ++i) all[i] = packed(palette.heat(static_cast<double>(i) / (kShades - 1)));
  return all;
}

/// Zero has a shade of its own: 255 of them, from −1 to 1.
std::uint32_t difference_shade(const Shades& shades, double difference) {
  return shades[static_cast<std::size_t>(std::lround((std::clamp(difference, -1.0, 1.0) + 1) * kShadesPerSide))];
}

Shades difference_shades(const Palette& palette) {
  Shades all{};
  for (std::size_t i = 0; i < kShades; ++i)
    all[i] = packed(palette.difference(static_cast<double>(i) / kShadesPerSide - 1));
  return all;
}

double shown_share(std::span<const LoadColumn> columns, std::size_t index, double starving) {
  double sum = 0, frames = 0, least = 1;
  for (const LoadColumn& column : columns) {
    sum += column.frames * static_cast<double>(column.share_LE[index]);
    frames += column.frames;
    least = std::min(least, static_cast<double>(column.min_LE[index]));
  }
  return least < starving ? least : sum / frames;
}

/// Without a pixel yet.
Picture empty_heat(const ViewContext& context, int layer, Rect rect, const TimeAxis& axis) {
  Picture picture{rect, heat_width(rect), context.history.run()->num_experts, {}, 0, kHeatId};
  picture.rgba.assign(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height), 0);
  picture.version =
      mix_bits(mix_bits(context.history.version() * 64 + static_cast<std::uint64_t>(layer)) +
               2 * static_cast<std::uint64_t>(axis.last) + static_cast<std::uint64_t>(context.palette.theme));
  return picture;
}

}  // namespace

int heat_width(Rect rect) { return std::max(1, static_cast<int>(std::lround(rect.w))); }

StepStretch steps_under(const TimeAxis& axis, int width, int x) {
  const double steps_per_pixel = static_cast<double>(axis.last - axis.first) / width;
  const double begin = static_cast<double>(axis.first) + x * steps_per_pixel;
  return {begin, begin + steps_per_pixel};
}

Picture load_heat(const ViewContext& context, int layer, Rect rect) {
  const TimeAxis axis = time_axis(context, rect);
  Picture picture = empty_heat(context, layer, rect, axis);
  const int experts = picture.height;
  const auto shades = heat_shades(context.palette);
  for (int x = 0; x < picture.width; ++x) {
    const auto columns = columns_under(context.history.loads(), steps_under(axis, picture.width, x));
    for (int e = 0; e < experts && !columns.empty(); ++e) {
      const double share =
          shown_share(columns, static_cast<std::size_t>(layer * experts + e), kStarvingShare / experts);
      picture.rgba[static_cast<std::size_t>(e * picture.width + x)] = shade(shades, share * experts / kHeatTop);
    }
  }
  return picture;
}

Picture difference_heat(const ViewContext& context, const telemetry::Ghost& ghost, int layer, Rect rect) {
  const TimeAxis axis = time_axis(context, rect);
  Picture picture = empty_heat(context, layer, rect, axis);
  picture.version = mix_bits(picture.version + difference_version(context));
  const auto shades = difference_shades(context.palette);
  for (int x = 0; x < picture.width; ++x) {
    const auto pair = share_pair(context.history, *ghost.history, layer, steps_under(axis, picture.width, x));
    for (int e = 0; e < picture.height && pair; ++e)
      picture.rgba[static_cast<std::size_t>(e * picture.width + x)] =
          difference_shade(shades, pair->difference(static_cast<std::size_t>(e)));
  }
  return picture;
}

void add_heat(Scene& scene, const ViewContext& context, const LoadLayout& layout, int layer) {
  const Rect& rect = layout.heat;
  const Palette& colors = context.palette;
  const telemetry::Ghost* ghost = difference_ghost(context);
  if (ghost) {
    add_no_data_ground(scene, colors, rect);
    scene.add(difference_heat(context, *ghost, layer, rect));
  } else {
    scene.add(load_heat(context, layer, rect));
  }
  const float gap = layout.row >= 10 ? 2.0F : layout.row >= 5 ? 1.0F : 0.0F;
  for (int e = 1; e < layout.num_experts && gap > 0; ++e) {
    const float y = rect.y + layout.row * static_cast<float>(e);
    // "No difference" may be the dock's own white, and rows are to stay rows.
    scene.add(Box{{rect.x, y - gap / 2, rect.w, gap}, ghost ? colors.grid : colors.dock});
  }
  for (int e = 0; e < layout.num_experts; ++e)
    if (is_faded(context.selection, layer, e))
      scene.add(
          Box{{rect.x, rect.y + layout.row * static_cast<float>(e), rect.w, layout.row}, colors.dock.with_alpha(0.6)});
}

float add_heat_legend(Scene& scene, const ViewContext& context, Vec2 top_right, float from) {
  const Palette& colors = context.palette;
  if (difference_ghost(context)) return add_difference_legend(scene, colors, top_right, from, kDifferenceRampId);
  constexpr float kBar = 60;
  const std::string end = "3 × fair share";
  const float zero_width = text_width("0", kSmallSize);
  const float left = top_right.x - text_width(end, kSmallSize) - 6 - kBar - 6 - zero_width;
  if (left < from) return top_right.x;
  const float x = left + zero_width + 6;
  scene.add(Text{{left, top_right.y}, "0", colors.muted, kSmallSize});
  scene.add(Box{{x - 1, top_right.y + 1.5F, kBar + 2, 9}, {0, 0, 0, 0}, colors.line});
  scene.add(
      color_ramp(colors, {x, top_right.y + 2.5F, kBar, 7}, kRampId, [&](double part) { return colors.heat(part); }));
  scene.add(Text{top_right, end, colors.muted, kSmallSize, Text::Align::kRight});
  return left;
}

}  // namespace moescope::views
