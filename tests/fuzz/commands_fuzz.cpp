// Commands, replies and states as JSON: the first byte chooses. What is accepted gives the same canonical text again.

#include "core/bus/command_json.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

namespace {

template <class Read>
void check(std::string_view text, Read read) {
  const auto value = read(text);
  if (!value) return fuzz::require(!value.error().front().message.empty(), "an error says something");
  const std::string once = bus::to_json(*value);
  const auto again = read(once);
  fuzz::require(again.has_value() && bus::to_json(*again) == once, "canonical text stays as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: check(text, bus::command_from_json); break;
    case 1: check(text, bus::reply_from_json); break;
    default: check(text, bus::status_from_json); break;
  }
  return 0;
}
