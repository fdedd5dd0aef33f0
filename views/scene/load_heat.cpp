#include "views/scene/load_heat.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/seed.h"
#include "views/scene/layer_load.h"
#include "views/scene/time_axis.h"

namespace moescope::views {
namespace {

constexpr std::size_t kShades = 256;

std::array<std::uint32_t, kShades> shades(const Palette& palette) {
  std::array<std::uint32_t, kShades> all{};
  for (std::size_t i = 0; i < kShades; ++i) all[i] = packed(palette.heat(static_cast<double>(i) / (kShades - 1)));
  return all;
}

// The columns under each pixel column: [first, last), never empty once a column lies at or before it.
struct Span {
  std::size_t first = 0, last = 0;
};

std::vector<Span> spans(const std::vector<telemetry::LoadColumn>& columns, const TimeAxis& axis, int width) {
  std::vector<Span> all(static_cast<std::size_t>(width));
  const double steps_per_pixel = static_cast<double>(axis.last - axis.first) / width;
  std::size_t first = 0;
  for (int x = 0; x < width; ++x) {
    // The step s fills the axis from s − 1 to s, so that the newest step ends at the right edge.
    const double begin = static_cast<double>(axis.first) + x * steps_per_pixel, end = begin + steps_per_pixel;
    while (first < columns.size() && static_cast<double>(columns[first].last_step) <= begin) ++first;
    std::size_t last = first;
    while (last < columns.size() && static_cast<double>(columns[last].first_step - 1) < end) ++last;
    all[static_cast<std::size_t>(x)] = {first, last};
  }
  return all;
}

double shown_share(const std::vector<telemetry::LoadColumn>& columns, Span span, std::size_t index, double starving) {
  double sum = 0, frames = 0, least = 1;
  for (std::size_t c = span.first; c < span.last; ++c) {
    sum += columns[c].frames * static_cast<double>(columns[c].share_LE[index]);
    frames += columns[c].frames;
    least = std::min(least, static_cast<double>(columns[c].min_LE[index]));
  }
  return least < starving ? least : sum / frames;
}

}  // namespace

std::uint32_t packed(Color color) {
  return static_cast<std::uint32_t>(color.r) | static_cast<std::uint32_t>(color.g) << 8 |
         static_cast<std::uint32_t>(color.b) << 16 | static_cast<std::uint32_t>(color.a) << 24;
}

Picture load_heat(const ViewContext& context, int layer, Rect rect) {
  const auto& columns = context.history.loads();
  const int experts = context.history.run()->num_experts;
  const int width = std::max(1, static_cast<int>(std::lround(rect.w)));
  Picture picture{rect, width, experts, {}, 0, kHeatId};
  const auto row = static_cast<std::size_t>(width);
  const auto offset = static_cast<std::size_t>(layer * experts);
  picture.rgba.assign(row * static_cast<std::size_t>(experts), 0);
  const auto shade = shades(context.palette);
  const double scale = experts / kHeatTop * (kShades - 1);
  const TimeAxis axis = time_axis(context, rect);
  const auto under = spans(columns, axis, width);
  for (std::size_t e = 0; e < static_cast<std::size_t>(experts); ++e)
    for (std::size_t x = 0; x < row; ++x) {
      if (under[x].first == under[x].last) continue;
      const double share = shown_share(columns, under[x], offset + e, kStarvingShare / experts);
      picture.rgba[e * row + x] = shade[static_cast<std::size_t>(std::clamp(share * scale, 0.0, kShades - 1.0))];
    }
  picture.version =
      mix_bits(mix_bits(context.history.version() * 64 + static_cast<std::uint64_t>(layer)) +
               2 * static_cast<std::uint64_t>(axis.last) + static_cast<std::uint64_t>(context.palette.theme));
  return picture;
}

Picture heat_ramp(const Palette& palette, Rect rect) {
  const int width = std::max(2, static_cast<int>(std::lround(rect.w)));
  Picture picture{rect, width, 1, {}, 1 + static_cast<std::uint64_t>(palette.theme), kRampId};
  for (int x = 0; x < width; ++x) picture.rgba.push_back(packed(palette.heat(static_cast<double>(x) / (width - 1))));
  return picture;
}

}  // namespace moescope::views
