#include <array>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/corpus/tokenizer.h"

namespace moescope::corpus {
namespace {

class ByteTokenizer : public Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size());
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += byte(id);
    return text;
  }

  std::string piece(std::int32_t id) const override { return printable(std::string(1, byte(id))); }
  int vocab_size() const override { return 256; }
  std::string identity() const override { return "bytes"; }

 private:
  static char byte(std::int32_t id) {
    MOESCOPE_ASSERT(id >= 0 && id < 256, "a token id comes from this tokenizer");
    return static_cast<char>(static_cast<unsigned char>(id));
  }
};

}  // namespace

std::shared_ptr<const Tokenizer> byte_tokenizer() { return std::make_shared<ByteTokenizer>(); }

}  // namespace moescope::corpus
