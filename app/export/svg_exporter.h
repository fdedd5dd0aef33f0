#pragma once
// Views of a run as SVG files, one per view, as the window drew them when it stood at a step.
// Threads: one owner.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/export/export_files.h"
#include "app/export/exporter.h"
#include "views/scene/still.h"

namespace moescope::exports {

struct SvgRequest {
  std::vector<std::string> views;
  bool all = false;       ///< a view that the record has nothing for is left out with a note, not an error
  std::int64_t step = 0;  ///< what comes later is not drawn
  views::StillOptions look;
};

/// `views` is "loss,flow" or "all", `size` "900x500", `theme` "dark" or "light". Errors name what there is.
Result<SvgRequest> read_svg_request(const std::string& views, const std::string& size, const std::string& theme);

/// `run` and `files` outlive it.
std::unique_ptr<Exporter> svg_exporter(const ExportedRun& run, ExportFiles& files, SvgRequest request);

}  // namespace moescope::exports
