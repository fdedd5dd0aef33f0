// A safetensors file from anywhere: what is accepted covers the file exactly.

#include "core/record/safetensors.h"
#include "core/record/safetensors_header.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const fuzz::MemoryFile memory(bytes);
  const auto file = record::read_safetensors(memory.path());
  if (file) {
    std::size_t total = 0;
    for (const record::TensorBlock& block : file->blocks) {
      std::uint64_t wanted = 0;
      fuzz::require(record::block_bytes(block.dtype, block.shape, wanted) && wanted == block.bytes.size(),
                    "a block has the bytes of its shape");
      total += block.bytes.size();
    }
    fuzz::require(total + 8 < size, "the blocks lie in the file");
  }
  // The header alone too, in front of more data than an input can have.
  const auto header = record::parse_header(bytes, std::uint64_t{1} << 40);
  if (header)
    for (const record::HeaderEntry& entry : header->entries)
      fuzz::require(entry.begin <= entry.end && entry.end <= std::uint64_t{1} << 40, "a block lies in the file");
  return 0;
}
