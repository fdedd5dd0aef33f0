// What a window and its training process send each other: the first byte chooses where the stream is cut. However it
// is cut, the same messages come out, and they are the bytes that went in.

#include <algorithm>
#include <vector>

#include "app/workbench/child_protocol.h"
#include "app/workbench/child_request.h"
#include "tests/core/config/catalogue.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

namespace {

void read(std::string_view bytes, app::MessageReader& reader, std::vector<app::Message>& got, bool& broken) {
  reader.add(bytes);
  while (true) {
    auto message = reader.next();
    if (!message) broken = true;
    if (!message || !*message) return;
    got.push_back(std::move(**message));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const config::MethodCatalogue catalogue = config::test_catalogue();
  const std::string_view stream = fuzz::text_of(data + 1, size - 1);
  std::vector<app::Message> whole, pieces;
  bool whole_broken = false, pieces_broken = false;
  app::MessageReader at_once, in_two;
  read(stream, at_once, whole, whole_broken);
  const std::size_t cut = std::min<std::size_t>(data[0], stream.size());
  read(stream.substr(0, cut), in_two, pieces, pieces_broken);
  read(stream.substr(cut), in_two, pieces, pieces_broken);
  fuzz::require(whole_broken == pieces_broken && whole.size() == pieces.size(), "the cut changes nothing");
  std::string again;
  for (const app::Message& message : whole) again += app::encode(message.kind, message.body);
  fuzz::require(stream.starts_with(again), "messages are the bytes that went in");
  for (const app::Message& message : whole)
    if (message.kind == app::MessageKind::kRequest) {
      const auto request = app::read_request(message.body, catalogue);
      fuzz::require(request || !request.error().front().message.empty(), "an error says something");
    }
  return 0;
}
