#pragma once
// Token-to-expert flow: the probe's tokens by class, through the experts of every MoE layer, as ribbons whose width is
// gate mass (each token carries mass 1, so choices beyond the first do not double it).
// Threads: pure functions over plain values.

#include <vector>

#include "views/view.h"

namespace moescope::views {

/// Mass per node and per link, all over the same tokens. Arrays are row-major.
struct FlowMass {
  int num_classes = 0, num_layers = 0, num_experts = 0;
  std::vector<double> class_C;                 ///< tokens of each class
  std::vector<std::vector<double>> expert_LE;  ///< gate mass of each expert per layer
  std::vector<double> first_CE;                ///< class → expert of layer 1
  std::vector<std::vector<double>> next_LEE;   ///< [layer][from × E + to], num_layers − 1 of them
};

/// Which probe tokens a selection follows; empty when nothing is followed.
std::vector<char> followed_tokens(const telemetry::RunInfo& run, const telemetry::ProbeSnapshot& probe,
                                  const Selection& selection);

/// Mass of the tokens marked in `only` (empty: all of them).
FlowMass flow_mass(const telemetry::RunInfo& run, const telemetry::ProbeSnapshot& probe,
                   const std::vector<char>& only = {});

/// `from` moved towards `to`: 0 gives `from`, 1 gives `to`. Shapes that differ give `to`.
FlowMass blend(const FlowMass& from, const FlowMass& to, double progress);

/// A link that is drawn. `layer` −1: from a class; else from an expert of that layer.
struct FlowLink {
  int layer = -1, from = 0, to = 0;
  double mass = 0;
};

struct ChosenLinks {
  std::vector<FlowLink> links;  ///< heaviest first
  double covered = 1;           ///< share of all link mass they carry
};

/// The heaviest links until `share` of the mass is covered, at most `most` of them.
ChosenLinks choose_links(const FlowMass& mass, double share, int most);

/// Those the picture draws; what a subtitle says of them is read from here too.
ChosenLinks shown_links(const FlowMass& mass);

/// `mass` is what is drawn now (perhaps mid-tween); `followed` the part to light up, or nullptr.
Scene flow_scene(const ViewContext& context, Size size, const FlowMass& mass, const FlowMass* followed);

}  // namespace moescope::views
