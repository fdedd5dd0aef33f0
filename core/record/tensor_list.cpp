#include "core/record/tensor_list.h"

#include <zstd.h>

#include <charconv>
#include <cstdio>

#include "core/record/run_schema.h"

namespace moescope::record {
namespace {

constexpr std::size_t kDigits = 16;

std::string hex16(std::uint64_t value) {
  std::string hex(kDigits, '0');
  for (std::size_t i = kDigits; i-- > 0; value >>= 4U) hex[i] = "0123456789abcdef"[value & 15U];
  return hex;
}

Diagnostic damaged() { return error("the list of tensors of a state hash is damaged"); }

}  // namespace

std::string tensor_list_blob(const std::vector<TensorHash>& tensors) {
  std::string lines;
  for (const TensorHash& tensor : tensors) {
    MOESCOPE_ASSERT(tensor.name.find('\n') == std::string::npos, "names of tensors are identifiers");
    lines += hex16(tensor.hash) + ' ' + tensor.name + '\n';
  }
  MOESCOPE_ASSERT(lines.size() <= static_cast<std::size_t>(kMostTensorListBytes), "no model has so many tensors");
  std::string blob(ZSTD_compressBound(lines.size()), '\0');
  const std::size_t size = ZSTD_compress(blob.data(), blob.size(), lines.data(), lines.size(), 3);
  MOESCOPE_ASSERT(ZSTD_isError(size) == 0U, "the room is what zstd asked for");
  blob.resize(size);
  return blob;
}

Result<std::vector<TensorHash>> read_tensor_list(std::string_view blob) {
  const unsigned long long raw = ZSTD_getFrameContentSize(blob.data(), blob.size());
  if (raw > static_cast<unsigned long long>(kMostTensorListBytes)) return damaged();  // unknown and error are larger
  std::string lines(static_cast<std::size_t>(raw), '\0');
  const std::size_t size = ZSTD_decompress(lines.data(), lines.size(), blob.data(), blob.size());
  if (ZSTD_isError(size) != 0U || size != lines.size()) return damaged();
  std::vector<TensorHash> tensors;
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos || end < kDigits + 1 || rest[kDigits] != ' ') return damaged();
    TensorHash tensor;
    const char* digits_end = rest.data() + kDigits;
    const auto [stop, problem] = std::from_chars(rest.data(), digits_end, tensor.hash, 16);
    if (problem != std::errc{} || stop != digits_end) return damaged();
    tensor.name = rest.substr(kDigits + 1, end - kDigits - 1);
    tensors.push_back(std::move(tensor));
    rest.remove_prefix(end + 1);
  }
  return tensors;
}

}  // namespace moescope::record
