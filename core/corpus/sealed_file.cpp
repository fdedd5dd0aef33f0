#include "core/corpus/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "core/base/text.h"
#include "core/corpus/hash.h"

namespace moescope::corpus {
namespace {

constexpr std::string_view kMagic = "moescope-cache-1";

std::string header(std::string_view kind, std::string_view bytes) {
  return std::string(kMagic) + ' ' + std::string(kind) + ' ' + std::to_string(bytes.size()) + ' ' + hash_hex(bytes) +
         '\n';
}

Diagnostic about(const std::string& path, std::string message, std::string hint) {
  return {Severity::kError, {printable(path), 0, 0, {}}, std::move(message), std::move(hint)};
}

Diagnostic write_problem(const std::string& path, int reason) {
  return about(path, std::string("cannot be written: ") + std::strerror(reason),
               "free some space, or name another cache folder with MOESCOPE_CACHE");
}

Diagnostic damaged(const std::string& path, const std::string& how) {
  return about(path, "is damaged: " + how, "delete it; it is made again when needed");
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Everything up to `limit` + 1 bytes; nothing and errno when it cannot be read.
std::optional<std::string> read_up_to(const std::string& path, std::uint64_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  std::string bytes;
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
    bytes.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), limit)) +
                  1);
  std::string block(std::size_t{1} << 16, '\0');
  ssize_t count = 1;
  while (count != 0 && bytes.size() <= limit) {
    count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    bytes.append(block, 0, static_cast<std::size_t>(count));
  }
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (count < 0) return std::nullopt;
  return bytes;
}

}  // namespace

Status write_sealed(const std::string& path, std::string_view kind, std::string_view bytes) {
  static std::atomic<int> counter{0};
  std::error_code problem;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), problem);
  const std::string temporary = path + ".tmp" + std::to_string(::getpid()) + '-' + std::to_string(++counter);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) return write_problem(path, errno);
  bool good = write_all(descriptor, header(kind, bytes)) && write_all(descriptor, bytes) && ::fsync(descriptor) == 0;
  int reason = errno;
  ::close(descriptor);
  if (good && ::rename(temporary.c_str(), path.c_str()) != 0) {
    good = false;
    reason = errno;
  }
  if (good) return Done{};
  ::unlink(temporary.c_str());
  return write_problem(path, reason);
}

Result<std::string> read_sealed(const std::string& path, std::string_view kind, std::uint64_t max_bytes) {
  constexpr std::uint64_t kLongestHeader = 256;
  std::optional<std::string> read = read_up_to(path, max_bytes + kLongestHeader);
  if (!read) return about(path, std::string("cannot be read: ") + std::strerror(errno), {});
  std::string& bytes = *read;
  const std::string start = std::string(kMagic) + ' ' + std::string(kind) + ' ';
  if (bytes.compare(0, start.size(), start) != 0) return damaged(path, "it does not begin as such a file does");
  if (bytes.size() > max_bytes + kLongestHeader)
    return damaged(path, "it is larger than " + with_thousands(static_cast<long long>(max_bytes)) + " bytes");
  const std::size_t end = bytes.find('\n');
  if (end == std::string::npos) return damaged(path, "it ends within its first line");
  const std::string_view body = std::string_view(bytes).substr(end + 1);
  if (header(kind, body) != std::string_view(bytes).substr(0, end + 1))
    return damaged(path, "its bytes do not match the hash it carries");
  bytes.erase(0, end + 1);
  return std::move(bytes);
}

void ByteWriter::number(std::int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }

void ByteWriter::text(std::string_view value) {
  number(static_cast<std::int64_t>(value.size()));
  bytes_ += value;
}

std::int64_t ByteReader::number() {
  std::int64_t value = 0;
  if (rest_.size() < sizeof value) ok_ = false;
  if (!ok_) return 0;
  std::memcpy(&value, rest_.data(), sizeof value);
  rest_.remove_prefix(sizeof value);
  return value;
}

std::string_view ByteReader::text() {
  const std::size_t size = count(1);
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

std::size_t ByteReader::count(std::size_t least_bytes) {
  const std::int64_t value = number();
  if (value < 0 || static_cast<std::uint64_t>(value) > rest_.size() / least_bytes) ok_ = false;
  return ok_ ? static_cast<std::size_t>(value) : 0;
}

}  // namespace moescope::corpus
