#include "app/export/svg_exporter.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "core/base/text.h"
#include "views/scene/fluctuation_difference.h"
#include "views/scene/ghosts.h"
#include "views/scene/svg.h"

namespace moescope::exports {
namespace {

constexpr int kLeastSide = 100, kMostSide = 10000;  // logical pixels

/// A side of "900x500"; 0 when `text` is none.
int side(std::string_view text) {
  int pixels = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), pixels);
  const bool good = failure == std::errc() && end == text.data() + text.size();
  return good && pixels >= kLeastSide && pixels <= kMostSide ? pixels : 0;
}

class SvgExporter final : public Exporter {
 public:
  SvgExporter(const ExportedRun& run, ExportFiles& files, SvgRequest request)
      : files_(files), request_(std::move(request)) {
    history_.start(std::make_shared<telemetry::RunInfo>(run.info));
    for (const std::string& view : request_.views) numbers_.push_back(files.add(view + ".svg"));
  }

  void add(const std::vector<telemetry::FramePtr>& frames) override {
    for (const telemetry::FramePtr& frame : frames)
      if (frame->step <= request_.step) history_.add(frame);
  }

  Status finish() override {
    for (std::size_t i = 0; i < request_.views.size(); ++i) {
      const std::string& view = request_.views[i];
      const Result<views::Scene> scene = views::still_scene(view, history_, request_.look);
      if (scene) {
        drawn_.push_back(view);
        files_.file(numbers_[i]).write(views::to_svg(*scene, views::palette(request_.look.theme)));
        continue;
      }
      const Diagnostic& why = scene.error().front();
      if (!request_.all) return error("the view '" + view + "' has nothing to draw: " + why.message, why.hint);
      files_.leave_out(numbers_[i]);
      notes_.push_back(view + ".svg is left out: " + why.message + (why.hint.empty() ? "" : "; " + why.hint));
    }
    for (const telemetry::Ghost& ghost : request_.look.ghosts) tell_what_is_shown_of(ghost);
    return Done{};
  }

  std::vector<std::string> notes() const override { return notes_; }

 private:
  /// The pictures of those drawn that show something as `what` says, as file names.
  std::string pictures(bool (*what)(views::ShownOfOthers)) const {
    std::string names;
    for (const std::string& view : drawn_)
      if (what(views::shown_of_others(view))) names += (names.empty() ? "" : ", ") + view + ".svg";
    return names;
  }

  /// Whoever asked for a difference learns which picture has none, and why.
  void tell_what_is_shown_of(const telemetry::Ghost& ghost) {
    using views::ShownOfOthers;
    const std::string unlike = views::comparison_obstacle(ghost, *history_.run());
    const std::string differing = pictures([](ShownOfOthers shown) { return shown.difference; });
    if (!unlike.empty() && !differing.empty()) {
      const std::string curves = pictures([](ShownOfOthers shown) { return shown.curves; });
      notes_.push_back(differing + ": no difference to " + ghost.name + ": " + unlike +
                       (curves.empty() ? "" : "; its curve stands in " + curves));
    } else if (std::find(drawn_.begin(), drawn_.end(), "fluctuation") != drawn_.end()) {
      const std::string other_probe = views::probe_mismatch(*history_.run(), *ghost.history->run());
      if (!other_probe.empty())
        notes_.push_back("fluctuation.svg: no difference to " + ghost.name + ": " + other_probe);
    }
  }

  ExportFiles& files_;
  SvgRequest request_;
  telemetry::History history_;
  std::vector<std::string> drawn_;
  std::vector<std::size_t> numbers_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<SvgRequest> read_svg_request(const std::string& views, const std::string& size, const std::string& theme) {
  SvgRequest request;
  const std::vector<std::string> known = views::still_names();
  std::istringstream list(views);
  for (std::string name; std::getline(list, name, ',');) {
    const bool again = std::find(request.views.begin(), request.views.end(), name) != request.views.end();
    if (name == "all") {
      request.all = true;
    } else if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto nearest = nearest_word(name, known);
      return error("there is no view '" + printable(name) + "' that a record is enough for",
                   nearest ? "did you mean '" + *nearest + "'?" : "there are all, " + join_or(known));
    } else if (!again) {
      request.views.push_back(name);
    }
  }
  if (request.all) request.views = known;
  if (request.views.empty()) return error("no view is named", "there are all, " + join_or(known));
  const std::size_t cross = size.find('x');
  const int width = side(std::string_view(size).substr(0, cross));
  const int height = cross == std::string::npos ? 0 : side(std::string_view(size).substr(cross + 1));
  if (width == 0 || height == 0) {
    return error("'" + printable(size) + "' is no size of a picture",
                 "like 760x440, each side from " + std::to_string(kLeastSide) + " to " + with_thousands(kMostSide));
  }
  request.look.size = {static_cast<float>(width), static_cast<float>(height)};
  if (theme != "dark" && theme != "light")
    return error("there is no theme '" + printable(theme) + "'", "there are dark and light");
  request.look.theme = theme == "dark" ? views::Theme::kDark : views::Theme::kLight;
  return request;
}

std::unique_ptr<Exporter> svg_exporter(const ExportedRun& run, ExportFiles& files, SvgRequest request) {
  return std::make_unique<SvgExporter>(run, files, std::move(request));
}

}  // namespace moescope::exports
