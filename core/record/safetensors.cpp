#include "core/record/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/record/output_file.h"
#include "core/record/safetensors_header.h"

namespace moescope::record {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 16U << 20;  // 100,000 blocks need less
constexpr const char* kChecksumKey = "moescope.data_xxh3";

std::array<char, kLengthBytes> little_endian(std::uint64_t number) {
  std::array<char, kLengthBytes> bytes{};
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    bytes[i] = static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  return bytes;
}

std::uint64_t from_little_endian(const std::array<char, kLengthBytes>& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return number;
}

/// Wider elements first, so that every block is aligned to its element.
std::vector<std::size_t> written_order(const std::vector<TensorBlock>& blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return dtype_bytes(blocks[a].dtype) > dtype_bytes(blocks[b].dtype);
  });
  return order;
}

/// XXH3-128 of all data, in the order in which they stand.
class DataChecksum {
 public:
  DataChecksum() { XXH3_128bits_reset(state_.get()); }
  void add(const std::vector<std::uint8_t>& bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::string hex() const {
    XXH128_canonical_t digest;
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state_.get()));
    std::string text;
    for (const unsigned char byte : digest.digest)
      for (const int nibble : {byte >> 4, byte & 15}) text += "0123456789abcdef"[nibble];
    return text;
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_{XXH3_createState()};
};

std::string header_text(const std::vector<TensorBlock>& blocks, const std::vector<std::size_t>& order,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  DataChecksum checksum;
  for (const std::size_t i : order) checksum.add(blocks[i].bytes);
  std::map<std::string, std::string> with_checksum = metadata;
  with_checksum[kChecksumKey] = checksum.hex();
  json["__metadata__"] = std::move(with_checksum);
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    const TensorBlock& block = blocks[i];
    std::uint64_t bytes = 0;
    MOESCOPE_ASSERT(dtype_bytes(block.dtype) > 0 && block_bytes(block.dtype, block.shape, bytes),
                    "a block has a type and a shape the format knows");
    MOESCOPE_ASSERT(bytes == block.bytes.size(), "a block has the bytes its shape says");
    MOESCOPE_ASSERT(!json.contains(block.name), "every block has a name of its own");
    json[block.name] = {{"dtype", block.dtype}, {"shape", block.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // the data begins aligned
  return text;
}

std::uint64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return static_cast<std::uint64_t>(std::max(1L, pages)) * static_cast<std::uint64_t>(std::max(1L, page));
}

class InputFile {
 public:
  explicit InputFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  /// Nothing for what is no regular file.
  std::optional<std::uint64_t> size() const {
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(info.st_size);
  }
  bool read(void* target, std::size_t count) {
    for (std::size_t done = 0; done < count;) {
      const ssize_t got = ::read(descriptor_, static_cast<char*>(target) + done, count - done);
      if (got > 0) {
        done += static_cast<std::size_t>(got);
      } else if (got == 0 || errno != EINTR) {
        return false;
      }
    }
    return true;
  }

 private:
  int descriptor_;
};

Result<SafetensorsHeader> read_header(InputFile& file, const std::string& path) {
  if (!file.is_open()) return about_file(path, std::string("cannot be read: ") + std::strerror(errno));
  const auto size = file.size();
  if (!size) return about_file(path, "this is no file");
  const auto refuse = [&](const std::string& why) { return about_file(path, "is no whole safetensors file: " + why); };
  std::array<char, kLengthBytes> length_bytes{};
  if (*size < kLengthBytes || !file.read(length_bytes.data(), length_bytes.size()))
    return refuse("it has " + std::to_string(*size) + " bytes");
  const std::uint64_t length = from_little_endian(length_bytes);
  if (length > kMaxHeaderBytes || length > *size - kLengthBytes)
    return refuse("its header would be " + std::to_string(length) + " bytes long");
  std::string json(static_cast<std::size_t>(length), '\0');
  if (!file.read(json.data(), json.size())) return refuse("it ends early");
  Result<SafetensorsHeader> header = parse_header(json, *size - kLengthBytes - length);
  if (!header) return refuse(header.error().front().message);
  // A file may be larger on paper than any disk: with holes.
  if (*size > memory_bytes())
    return about_file(path, "needs " + with_thousands(static_cast<long long>(*size)) +
                                " bytes of memory, more than this machine has");
  return header;
}

Result<SafetensorsFile> read_blocks(InputFile& file, SafetensorsHeader header, const std::string& path) {
  SafetensorsFile result;
  result.metadata = std::move(header.metadata);
  DataChecksum checksum;
  for (HeaderEntry& entry : header.entries) {
    TensorBlock block{std::move(entry.name), std::move(entry.dtype), std::move(entry.shape), {}};
    block.bytes.resize(static_cast<std::size_t>(entry.end - entry.begin));
    if (!file.read(block.bytes.data(), block.bytes.size()))
      return about_file(path, "the file shrank while it was read");
    checksum.add(block.bytes);
    result.blocks.push_back(std::move(block));
  }
  if (const auto written = result.metadata.find(kChecksumKey); written != result.metadata.end()) {
    if (written->second != checksum.hex())
      return about_file(path, "its data are damaged: they are not what was written", "use another checkpoint");
    result.metadata.erase(written);
  }
  return result;
}

}  // namespace

Status write_safetensors(const std::string& path, const std::vector<TensorBlock>& blocks,
                         const std::map<std::string, std::string>& metadata) {
  const std::vector<std::size_t> order = written_order(blocks);
  const std::string header = header_text(blocks, order, metadata);
  const auto length = little_endian(header.size());
  AtomicFile file(path);
  file.write({length.data(), length.size()});
  file.write(header);
  for (const std::size_t i : order)
    file.write({reinterpret_cast<const char*>(blocks[i].bytes.data()), blocks[i].bytes.size()});
  return file.commit();
}

Result<SafetensorsFile> read_safetensors(const std::string& path) {
  InputFile file(path);
  Result<SafetensorsHeader> header = read_header(file, path);
  if (!header) return header.error();
  return read_blocks(file, std::move(*header), path);
}

Result<std::map<std::string, std::string>> read_safetensors_metadata(const std::string& path) {
  InputFile file(path);
  Result<SafetensorsHeader> header = read_header(file, path);
  if (!header) return header.error();
  return std::move(header->metadata);
}

std::optional<std::int64_t> number_in(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  std::int64_t number = -1;
  const char* end = found->second.data() + found->second.size();
  const auto read = std::from_chars(found->second.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace moescope::record
