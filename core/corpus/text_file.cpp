#include "core/corpus/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace moescope::corpus {
namespace {

std::string bytes_text(std::uint64_t bytes) {
  return with_thousands(static_cast<long long>(bytes)) + (bytes == 1 ? " byte" : " bytes");
}

Diagnostic cannot_open(const std::string& path, int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR: return about_file(path, "there is no such file", "check the path");
    case EACCES:
    case EPERM:
      return about_file(path, "cannot be read: you have no permission", "make it readable (chmod u+r), or copy it");
    case ELOOP: return about_file(path, "is a link that leads back to itself", "name the file itself");
    default: return about_file(path, std::string("cannot be read: ") + std::strerror(reason), {});
  }
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      // Without O_NONBLOCK a named pipe would be waited for, perhaps for ever.
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }

  struct stat status() const {
    struct stat found {};
    ::fstat(descriptor_, &found);
    return found;
  }

  /// Up to `text.size()` bytes; the size read, or −1 with errno.
  ssize_t read_into(std::string& text) const {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = ::read(descriptor_, text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return -1;
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(done);
  }

 private:
  int descriptor_;
};

Place place_of(const std::string& path, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t begin = before.rfind('\n');
  const std::size_t column = offset - (begin == std::string_view::npos ? 0 : begin + 1) + 1;
  return {printable(path), static_cast<int>(line), static_cast<int>(column), {}};
}

/// "byte 0xE4 at offset 17"
std::string byte_text(std::string_view text, std::size_t offset) {
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02X", static_cast<unsigned>(static_cast<unsigned char>(text[offset])));
  return std::string("byte ") + hex + " at offset " + with_thousands(static_cast<long long>(offset));
}

Status check_text(const std::string& path, std::string_view text) {
  const bool utf16 = text.rfind("\xFF\xFE", 0) == 0 || text.rfind("\xFE\xFF", 0) == 0;
  if (utf16) return about_file(path, "is UTF-16, not UTF-8", "convert it (iconv -f UTF-16 -t UTF-8), then try again");
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    return Diagnostic{Severity::kError, place_of(path, text, zero),
                      "is not text: " + byte_text(text, zero) + " stands in no text file",
                      "name a UTF-8 text file, a .jsonl file, or a folder of them"};
  if (const auto invalid = first_invalid_utf8(text))
    return Diagnostic{Severity::kError, place_of(path, text, *invalid), "is not UTF-8: " + byte_text(text, *invalid),
                      "convert it, for example from Latin-1: iconv -f ISO-8859-1 -t UTF-8"};
  return Done{};
}

void plain_line_ends(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from) {
    if (text[from] == '\r' && from + 1 < text.size() && text[from + 1] == '\n') continue;
    text[to++] = text[from];
  }
  text.resize(to);
}

}  // namespace

Diagnostic about_file(const std::string& path, std::string message, std::string hint) {
  return {Severity::kError, {printable(path), 0, 0, {}}, std::move(message), std::move(hint)};
}

Result<std::string> read_text_file(const std::string& path, std::uint64_t max_bytes) {
  const OpenFile file(path);
  if (!file.is_open()) return cannot_open(path, errno);
  const struct stat before = file.status();
  if (!S_ISREG(before.st_mode))
    return about_file(path, "is neither a file nor a folder",
                      "name a UTF-8 text file, a .jsonl file, or a folder of them");
  const auto size = static_cast<std::uint64_t>(before.st_size);
  if (size > max_bytes)
    return about_file(path, "has " + bytes_text(size) + "; a corpus may have at most " + bytes_text(max_bytes),
                      "take a part of it, for example: head -c " + std::to_string(max_bytes / 2));
  std::string text(size + 1, '\0');  // one more, to notice growth
  const ssize_t count = file.read_into(text);
  if (count < 0) return cannot_open(path, errno);
  text.resize(static_cast<std::size_t>(count));
  const struct stat after = file.status();
  const bool same_time =
      before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
  if (text.size() != size || before.st_size != after.st_size || !same_time)
    return about_file(path,
                      "changed while it was read: it had " + bytes_text(size) + ", then " +
                          bytes_text(std::max<std::uint64_t>(text.size(), static_cast<std::uint64_t>(after.st_size))),
                      "wait until it is written, then try again");
  if (const Status good = check_text(path, text); !good) return good.error();
  if (text.rfind("\xEF\xBB\xBF", 0) == 0) text.erase(0, 3);
  plain_line_ends(text);
  return text;
}

}  // namespace moescope::corpus
