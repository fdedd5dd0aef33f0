// A configuration from anywhere: an error names its place, and what is accepted is accepted again when written out.

#include "core/config/run_config.h"
#include "tests/core/config/catalogue.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const config::MethodCatalogue catalogue = config::test_catalogue();
  const std::string text(fuzz::text_of(data, size));
  const auto config = config::read_run_config(text, "run.toml", catalogue);
  if (!config) {
    fuzz::require(!format(config.error()).empty(), "an error says something");
    for (const Diagnostic& problem : config.error())
      fuzz::require(!problem.message.empty() && problem.place.file == "run.toml", "an error has a place");
    return 0;
  }
  const config::MethodInfo* method = config::find_method(catalogue, config->moe.method);
  fuzz::require(method != nullptr, "an accepted method is known");
  const auto again = config::run_config_from(config::values_of(*config, *method), catalogue);
  fuzz::require(again.has_value(), "accepted values are accepted again");
  return 0;
}
