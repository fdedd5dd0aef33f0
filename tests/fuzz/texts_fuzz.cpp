// Corpus files from anywhere: message catalogs, JSON Lines, plain text and two aligned files. The first byte chooses.

#include "core/corpus/aligned_files.h"
#include "core/corpus/files.h"
#include "core/corpus/jsonl.h"
#include "core/corpus/mo_file.h"
#include "core/corpus/text_file.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

namespace {

void progress(const std::string&, double) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0: {
      const auto file = corpus::read_mo(bytes);
      if (!file) break;
      std::size_t total = 0;
      for (const corpus::MoMessage& message : file->messages) {
        for (const char c : message.original) total += static_cast<unsigned char>(c);
        for (const char c : message.translation) total += static_cast<unsigned char>(c);
      }
      static_cast<void>(total);
      break;
    }
    case 1: static_cast<void>(corpus::read_jsonl(bytes, "file.jsonl")); break;
    case 2: {
      const fuzz::MemoryFile file(bytes);
      const auto text = corpus::read_text_file(file.path());
      if (!text) break;
      std::string together;
      for (const corpus::Piece& piece : corpus::cut_into_pieces(*text, 20, 60)) together += piece.text;
      fuzz::require(together == *text, "pieces put together are the text");
      static_cast<void>(corpus::read_text_corpus(file.path(), progress, {}));
      break;
    }
    default: {
      const fuzz::MemoryFile source(fuzz::take_part(bytes, '\f')), target(bytes);
      static_cast<void>(corpus::read_aligned_files(source.path(), target.path(), progress, {}));
      break;
    }
  }
  return 0;
}
