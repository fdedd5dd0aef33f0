#include "app/canvas/canvas_fonts.h"

#include <filesystem>
#include <set>
#include <string>

#include "core/base/log.h"

namespace moescope::app {
namespace {

constexpr const char* kRegular = "/usr/share/fonts/opentype/inter/Inter-Regular.otf";
constexpr const char* kStrong = "/usr/share/fonts/opentype/inter/Inter-SemiBold.otf";
constexpr const char* kMono = "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf";

ImFont* load(ImFontAtlas& atlas, const char* path) {
  std::error_code failure;
  if (std::filesystem::exists(path, failure))
    if (ImFont* font = atlas.AddFontFromFileTTF(path)) return font;
  static std::set<std::string> missed;  // every canvas asks for the same files; one warning is enough
  if (missed.insert(path).second)
    log::warning(std::string("font ") + path + " cannot be read; install fonts-inter and fonts-jetbrains-mono");
  return nullptr;
}

}  // namespace

views::Fonts load_fonts(ImFontAtlas& atlas) {
  views::Fonts fonts;
  fonts.regular = load(atlas, kRegular);  // first: the atlas's first font is the default one
  if (!fonts.regular) atlas.AddFontDefault();
  fonts.strong = load(atlas, kStrong);
  fonts.mono = load(atlas, kMono);
  return fonts;
}

}  // namespace moescope::app
