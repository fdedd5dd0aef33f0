#include "views/scene/flow_scene.h"

#include <algorithm>
#include <cmath>

#include "views/scene/labels.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {
namespace {

constexpr float kHeader = 22;  // layer names above the columns
constexpr float kFooter = 18;  // the one line of words below
constexpr float kColumnWidth = 26;
constexpr float kGap = 4;          // between two nodes of a column
constexpr float kLeastHeight = 3;  // an expert without tokens stays visible
constexpr int kMostRibbons = 300;
constexpr double kShownShare = 0.9;
constexpr double kStarving = 0.1;  // of the fair share: nearly dead (methods' usual line)

// Where the nodes of one column stand.
struct Column {
  float x = 0;
  std::vector<Rect> nodes;
  float scale = 0;  // pixels per unit of mass
};

struct Layout {
  Rect plot;
  Column classes;
  std::vector<Column> layers;
};

enum class Empty { kShown, kLeftOut };

/// What is left out has a node without height.
Column stack(float x, float top, float height, const std::vector<double>& mass, Empty empty) {
  Column column{x, {}, 0};
  double total = 0;
  int small = 0;
  std::size_t shown = 0;
  const auto is_shown = [&](double one) { return one > 0 || empty == Empty::kShown; };
  for (const double one : mass) {
    total += one;
    shown += is_shown(one) ? 1 : 0;
  }
  const float gaps = kGap * static_cast<float>(std::max<std::size_t>(shown, 1) - 1);
  const float room = std::max(10.0F, height - gaps);
  for (const double one : mass) small += is_shown(one) && one / std::max(total, 1e-9) * room < kLeastHeight ? 1 : 0;
  // The least heights are paid for by the others, so that every column ends on the same line.
  column.scale = static_cast<float>((room - kLeastHeight * static_cast<float>(small)) / std::max(total, 1e-9));
  float y = top;
  for (const double one : mass) {
    if (!is_shown(one)) {
      column.nodes.push_back({x, y, kColumnWidth, 0});
      continue;
    }
    const float h = std::max(kLeastHeight, static_cast<float>(one) * column.scale);
    column.nodes.push_back({x, y, kColumnWidth, h});
    y += h + kGap;
  }
  return column;
}

float class_label_width(const telemetry::RunInfo& run, float canvas_width) {
  float widest = 0;
  for (const std::string& label : run.labels) widest = std::max(widest, text_width(label, 11));
  return std::min(widest + 14, canvas_width * 0.22F);
}

Layout lay_out(const telemetry::RunInfo& run, Size size, const FlowMass& mass) {
  Layout layout;
  const float left = class_label_width(run, size.w);
  layout.plot = {left, kHeader, size.w - left - 14, size.h - kHeader - kFooter};
  const float step = (layout.plot.w - kColumnWidth) / static_cast<float>(std::max(1, mass.num_layers));
  layout.classes = stack(layout.plot.x, layout.plot.y, layout.plot.h, mass.class_C, Empty::kLeftOut);
  for (int l = 0; l < mass.num_layers; ++l)
    layout.layers.push_back(stack(layout.plot.x + step * static_cast<float>(l + 1), layout.plot.y, layout.plot.h,
                                  mass.expert_LE[static_cast<std::size_t>(l)], Empty::kShown));
  return layout;
}

// Links leave a node in the order of their targets and arrive in the order of their sources, so ribbons cross least.
struct LinkPlace {
  float top0 = 0, top1 = 0, height0 = 0, height1 = 0;
};

std::vector<LinkPlace> place_links(const std::vector<double>& mass, const Column& from, const Column& to) {
  const std::size_t columns = to.nodes.size();
  std::vector<LinkPlace> places(mass.size());
  std::vector<float> out(from.nodes.size()), in(columns);
  for (std::size_t i = 0; i < from.nodes.size(); ++i) out[i] = from.nodes[i].y;
  for (std::size_t j = 0; j < columns; ++j) in[j] = to.nodes[j].y;
  for (std::size_t i = 0; i < from.nodes.size(); ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      LinkPlace& place = places[i * columns + j];
      const auto part = static_cast<float>(mass[i * columns + j]);
      place = {out[i], in[j], part * from.scale, part * to.scale};
      out[i] += place.height0;
      in[j] += place.height1;
    }
  return places;
}

class Painter {
 public:
  Painter(const ViewContext& context, Size size, const FlowMass& mass, const FlowMass* followed)
      : context_(context),
        run_(*context.history.run()),
        mass_(mass),
        followed_(followed),
        layout_(lay_out(run_, size, mass)) {
    scene_.size = size;
  }

  Scene paint() {
    ribbons();
    class_column();
    for (std::size_t l = 0; l < layout_.layers.size(); ++l) layer_column(l);
    token_path();
    footer();
    return std::move(scene_);
  }

 private:
  const Palette& colors() const { return context_.palette; }
  Color expert_color(int expert) const { return colors().expert(expert, mass_.num_experts); }

  const Column& column_of(int layer) const {
    return layer < 0 ? layout_.classes : layout_.layers[static_cast<std::size_t>(layer)];
  }
  const std::vector<double>& links_of(const FlowMass& mass, int layer) const {
    return layer < 0 ? mass.first_CE : mass.next_LEE[static_cast<std::size_t>(layer)];
  }

  void ribbons() {
    const ChosenLinks chosen = shown_links(mass_);
    covered_ = chosen.covered;
    num_ribbons_ = chosen.links.size();
    std::vector<std::vector<LinkPlace>> places;
    for (int layer = -1; layer + 1 < mass_.num_layers; ++layer)
      places.push_back(place_links(links_of(mass_, layer), column_of(layer), column_of(layer + 1)));
    // Thin ones last, so that a heavy ribbon never hides a light one.
    for (const FlowLink& link : chosen.links) {
      const auto index = static_cast<std::size_t>(link.from * mass_.num_experts + link.to);
      const LinkPlace& place = places[static_cast<std::size_t>(link.layer + 1)][index];
      add_ribbon(link, place, 1, followed_ ? 0.10 : 0.42, followed_ != nullptr);
      if (followed_) {
        const double part = links_of(*followed_, link.layer)[index] / std::max(link.mass, 1e-9);
        if (part > 0) add_ribbon(link, place, static_cast<float>(std::min(1.0, part)), 0.72, false);
      }
    }
  }

  void add_ribbon(const FlowLink& link, const LinkPlace& place, float part, double alpha, bool grey) {
    const Color to = grey ? colors().muted : expert_color(link.to);
    const Color from = grey ? colors().muted : link.layer < 0 ? to : expert_color(link.from);
    const Rect& a = column_of(link.layer).nodes[static_cast<std::size_t>(link.from)];
    const Rect& b = column_of(link.layer + 1).nodes[static_cast<std::size_t>(link.to)];
    scene_.add(Ribbon{a.right(), place.top0, place.top0 + place.height0 * part, b.x, place.top1,
                      place.top1 + place.height1 * part, from.with_alpha(alpha), to.with_alpha(alpha)});
  }

  void class_column() {
    scene_.add(Text{{layout_.classes.x + kColumnWidth, 5}, "token class", colors().muted, 11, Text::Align::kRight});
    const int num = mass_.num_classes;
    for (int c = 0; c < num; ++c) {
      const Rect& node = layout_.classes.nodes[static_cast<std::size_t>(c)];
      const double tokens = mass_.class_C[static_cast<std::size_t>(c)];
      if (tokens <= 0) continue;  // the probe has none of them
      const bool selected = context_.selection.token_class == c;
      scene_.add(Box{node, colors().token_class(c, num), selected ? colors().accent : Color{0, 0, 0, 0}, 2, 2});
      const std::string& label = run_.labels[static_cast<std::size_t>(c)];
      if (node.h + kGap >= 11)
        scene_.add(Text{{layout_.classes.x - 6, node.y + node.h / 2 - 7},
                        elided(label, 11, layout_.classes.x - 8),
                        selected ? colors().text : colors().muted,
                        11,
                        Text::Align::kRight});
      Hit hit{Hit::Kind::kClass, -1, -1, c, "class " + label, {}};
      hit.tooltip = label + "\n" + percent(tokens / std::max<double>(1, static_cast<double>(run_.probe.size()))) +
                    " of the probe’s tokens\nclick to follow them";
      scene_.hits.push_back({{0, node.y, node.right(), node.h}, hit});
    }
  }

  void layer_column(std::size_t l) {
    const Column& column = layout_.layers[l];
    header(l, column);
    const std::vector<double>& mass = mass_.expert_LE[l];
    double total = 0;
    for (const double one : mass) total += one;
    std::vector<std::string> starving;
    for (int e = 0; e < mass_.num_experts; ++e) {
      const double share = mass[static_cast<std::size_t>(e)] / std::max(total, 1e-9);
      expert_node(static_cast<int>(l), e, share, column.nodes[static_cast<std::size_t>(e)]);
      if (share * mass_.num_experts < kStarving) starving.push_back(expert_name(e));
    }
    if (!starving.empty()) starving_line(l, column, starving);
  }

  // Under the column: the first two by name, the rest by number, or all by number, so that neighbours never touch.
  void starving_line(std::size_t l, const Column& column, const std::vector<std::string>& experts) {
    std::string text = experts[0] + (experts.size() > 1 ? ", " + experts[1] : "");
    if (experts.size() > 2) text += " +" + std::to_string(experts.size() - 2);
    text += " starving";
    const bool last = l + 1 == layout_.layers.size();
    const float spacing = (layout_.plot.w - kColumnWidth) / static_cast<float>(mass_.num_layers);
    const float room = last ? spacing * 0.6F : spacing * 0.8F;
    if (text_width(text, 11) > room) text = std::to_string(experts.size()) + " starving";
    scene_.add(Text{{last ? column.x + kColumnWidth + 10 : column.x + kColumnWidth / 2, layout_.plot.bottom() + 3},
                    elided(text, 11, room),
                    colors().warning,
                    11,
                    last ? Text::Align::kRight : Text::Align::kCenter});
  }

  void header(std::size_t l, const Column& column) {
    const bool selected = context_.selection.layer == static_cast<int>(l);
    const float center = column.x + kColumnWidth / 2;
    const std::string name = "layer " + std::to_string(l + 1);
    const float width = text_width(name, 11) + 18;
    const bool at_edge = center + width / 2 > scene_.size.w - 4;
    const float left = at_edge ? scene_.size.w - 4 - width : center - width / 2;
    scene_.add(Text{{left, 5},
                    name,
                    selected ? colors().text : colors().muted,
                    11,
                    Text::Align::kLeft,
                    selected ? Text::Font::kStrong : Text::Font::kRegular});
    const telemetry::TelemetryFrame* frame = context_.history.latest();
    const bool known = frame && l < frame->controls.size();
    const bool frozen = known && (frame->controls[l].router_frozen || frame->controls[l].assignment_pinned);
    add_padlock(scene_, {left + width - 12, 6}, frozen, frozen ? colors().accent : colors().muted);
    Hit hit{Hit::Kind::kLayer, static_cast<int>(l), -1, -1, "layer L" + std::to_string(l + 1), {}};
    hit.tooltip = name +
                  (frozen ? frame->controls[l].assignment_pinned ? "\nassignment pinned" : "\nrouter frozen"
                          : "\nrouter learns") +
                  "\nclick to look at this layer everywhere";
    scene_.hits.push_back({{left - 4, 0, width + 6, kHeader}, hit});
  }

  void expert_node(int layer, int expert, double share, const Rect& node) {
    const bool selected = context_.selection.layer == layer && context_.selection.expert == expert;
    const bool faded =
        followed_ && followed_->expert_LE[static_cast<std::size_t>(layer)][static_cast<std::size_t>(expert)] <= 0;
    const bool frozen = expert_frozen(layer, expert);
    const Color color = expert_color(expert).with_alpha(faded ? 0.30 : frozen ? 0.6 : 1.0);
    const bool starving = share * mass_.num_experts < kStarving;
    scene_.add(Box{node, color,
                   selected   ? colors().text
                   : starving ? colors().warning
                              : colors().expert_outline(expert, mass_.num_experts),
                   3, selected ? 2.0F : 1.0F, share <= 0 ? Box::Pattern::kHatched : Box::Pattern::kPlain});
    const double dropped = dropped_share(layer, expert);
    if (dropped > 0.002) {
      const float h = std::max(2.0F, node.h * static_cast<float>(dropped));
      scene_.add(Box{{node.right() + 1, node.bottom() - h, 4, h},
                     colors().warning,
                     colors().warning,
                     1,
                     1,
                     Box::Pattern::kDotted});
    }
    if (node.h >= 12)
      scene_.add(Text{{node.x + kColumnWidth / 2, node.y + node.h / 2 - 7},
                      expert_name(expert),
                      faded ? colors().muted : colors().text_on(expert_color(expert)),
                      11,
                      Text::Align::kCenter,
                      Text::Font::kStrong});
    scene_.hits.push_back(
        {{node.x - 3, node.y - 1, node.w + 8, node.h + 2}, expert_hit(layer, expert, share, dropped, frozen)});
  }

  Hit expert_hit(int layer, int expert, double share, double dropped, bool frozen) const {
    const std::string name = mark_name(layer, expert);
    Hit hit{Hit::Kind::kExpert, layer, expert, -1, "expert " + name, {}};
    hit.tooltip = name + "\n" + percent(share) + " of the probe’s gate mass (fair share " +
                  percent(1.0 / mass_.num_experts) + ")\n" + percent(dropped) + " of its training tokens dropped" +
                  (frozen ? "\nfrozen" : "") + "\nclick to follow its tokens";
    return hit;
  }

  bool expert_frozen(int layer, int expert) const {
    const telemetry::TelemetryFrame* frame = context_.history.latest();
    return frame && static_cast<std::size_t>(layer) < frame->controls.size() && expert < 64 &&
           (frame->controls[static_cast<std::size_t>(layer)].frozen_experts >> expert & 1U) != 0;
  }

  double dropped_share(int layer, int expert) const {
    const telemetry::TelemetryFrame* frame = context_.history.latest();
    if (!frame || static_cast<std::size_t>(layer) >= frame->layers.size()) return 0;
    const telemetry::LayerStep& step = frame->layers[static_cast<std::size_t>(layer)];
    const auto e = static_cast<std::size_t>(expert);
    if (e >= step.load_E.size() || e >= step.dropped_E.size() || step.load_E[e] == 0) return 0;
    return static_cast<double>(step.dropped_E[e]) / step.load_E[e];
  }

  // One followed token: a line through its first choices, dashed where it nearly went elsewhere.
  void token_path() {
    const telemetry::ProbeSnapshot* probe = context_.history.probe_at(context_.shown_step());
    if (!probe || !context_.selection.token) return;
    const auto token = static_cast<std::size_t>(*context_.selection.token);
    if (token >= run_.probe.size()) return;
    const auto label = static_cast<std::size_t>(run_.probe[token].label);
    if (label >= layout_.classes.nodes.size()) return;
    const Rect& start = layout_.classes.nodes[label];
    Vec2 from{start.right(), start.y + start.h / 2};
    for (std::size_t l = 0; l < layout_.layers.size() && l < probe->layers.size(); ++l) {
      const telemetry::LayerProbe& layer = probe->layers[l];
      const int expert = layer.expert_TK[token * static_cast<std::size_t>(layer.top_k)];
      if (expert < 0) return;
      const Rect& node = layout_.layers[l].nodes[static_cast<std::size_t>(expert)];
      const Vec2 to{node.x, node.y + node.h / 2};
      const bool close_call = token < layer.margin_T.size() && layer.margin_T[token] < 0.05F;
      scene_.add(Line{{from, to}, colors().text, 2, close_call});
      from = {node.right(), to.y};
    }
  }

  void footer() {
    scene_.summary = "Flow of " + std::to_string(run_.probe.size()) + " probe tokens through " +
                     std::to_string(mass_.num_layers) + " layers; " + std::to_string(num_ribbons_) + " ribbons carry " +
                     percent(covered_) + " of the mass";
    if (!followed_) return;
    double tokens = 0;
    for (const double one : followed_->class_C) tokens += one;
    scene_.add(Text{{6, scene_.size.h - kFooter + 3},
                    "following " + std::to_string(static_cast<int>(tokens)) + " tokens · Esc to clear",
                    colors().accent,
                    11});
  }

  const ViewContext& context_;
  const telemetry::RunInfo& run_;
  const FlowMass& mass_;
  const FlowMass* followed_;
  Layout layout_;
  Scene scene_;
  double covered_ = 1;
  std::size_t num_ribbons_ = 0;
};

}  // namespace

ChosenLinks shown_links(const FlowMass& mass) { return choose_links(mass, kShownShare, kMostRibbons); }

Scene flow_scene(const ViewContext& context, Size size, const FlowMass& mass, const FlowMass* followed) {
  return Painter(context, size, mass, followed).paint();
}

}  // namespace moescope::views
