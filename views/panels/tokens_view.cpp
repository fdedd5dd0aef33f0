#include "views/panels/view_base.h"
#include "views/panels/view_entry.h"
#include "views/scene/labels.h"
#include "views/scene/tokens_scene.h"

namespace moescope::views {
namespace {

class TokensView final : public ViewBase {
 public:
  std::string id() const override { return "tokens"; }
  std::string title() const override { return "Top tokens"; }
  std::string subtitle(const ViewContext& context) const override {
    if (!context.history.run()) return "per expert";
    return "layer " + std::to_string(shown_layer(context) + 1) + " · recent training tokens, by smoothed log-odds";
  }
  std::string help() const override {
    return "For each expert the tokens it is chosen for more than the other experts are, most typical first (smoothed "
           "log-odds, not share, which would favour rare tokens), with its share of the layer’s load. Hover a token "
           "for its "
           "odds, click an expert to follow it everywhere.";
  }
  telemetry::Wants wants(const ViewContext&) const override {
    telemetry::Wants wants;
    wants.expert_tokens = true;
    return wants;
  }
  int min_interval_ms() const override { return 500; }

 protected:
  Scene make_scene(const ViewContext& context, Size size) override { return tokens_scene(context, size); }
};

}  // namespace

ViewEntry tokens_view() { return entry_of<TokensView>(60); }

}  // namespace moescope::views
