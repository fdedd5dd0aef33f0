#include "app/cli/given_config.h"

namespace moescope::cli {

std::vector<std::string> with_shorthands(std::vector<std::string> settings, const std::string& steps,
                                         const std::string& seed) {
  if (!steps.empty()) settings.push_back("train.steps=" + steps);
  if (!seed.empty()) settings.push_back("seed=" + seed);
  return settings;
}

std::string source_with(std::string text, const std::vector<std::string>& settings) {
  if (settings.empty()) return text;
  if (!text.ends_with('\n')) text += '\n';
  text += "\n# Changed on the command line:\n";
  for (const std::string& setting : settings) text += "#   --set " + setting + '\n';
  return text;
}

}  // namespace moescope::cli
