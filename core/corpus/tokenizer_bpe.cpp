// BPE by SentencePiece, made lossless around it: SentencePiece sees single lines of ordinary characters; line ends,
// control characters, invalid bytes and its own sign for a space go through the 256 byte pieces.

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/corpus/hash.h"
#include "core/corpus/sealed_file.h"
#include "core/corpus/tokenizer.h"

namespace moescope::corpus {
namespace {

constexpr std::string_view kSpaceSign = "\xE2\x96\x81";  // U+2581, which SentencePiece writes for a space
constexpr std::string_view kKind = "bpe";
constexpr std::uint64_t kMaxModelBytes = 16 << 20;
constexpr int kReserved = 257;  // 256 bytes and <unk>, which byte pieces make unreachable
constexpr int kLeastVocab = 320;
constexpr std::size_t kSampleBytes = 6 << 20;
constexpr std::size_t kLongestLine = 4000;
constexpr double kCoverage = 0.9995;

/// Length of the beginning of `text` that SentencePiece may see: no control character, invalid byte or space sign.
std::size_t ordinary_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const auto byte = static_cast<unsigned char>(text[length]);
    if (byte < 0x20 || byte == 0x7F || text.substr(length, 3) == kSpaceSign) break;
    ++length;
  }
  const std::size_t invalid = first_invalid_utf8(text.substr(0, length)).value_or(length);
  return std::min(length, invalid);
}

/// Calls `ordinary` for stretches SentencePiece may see and `raw` for every other byte, in order.
template <class Ordinary, class Raw>
void for_each_stretch(std::string_view text, const Ordinary& ordinary, const Raw& raw) {
  while (!text.empty()) {
    const std::size_t length = ordinary_length(text);
    if (length > 0) ordinary(text.substr(0, length));
    text.remove_prefix(length);
    if (text.empty()) return;
    // All three bytes of a space sign, since its second alone would be cut off as invalid anyway.
    for (std::size_t left = text.rfind(kSpaceSign, 0) == 0 ? kSpaceSign.size() : 1; left > 0; --left) {
      raw(static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
    }
  }
}

std::string with_spaces(std::string_view piece) {
  std::string text;
  for (std::size_t at = piece.find(kSpaceSign); at != std::string_view::npos; at = piece.find(kSpaceSign)) {
    text += piece.substr(0, at);
    text += ' ';
    piece.remove_prefix(at + kSpaceSign.size());
  }
  return text.append(piece);
}

class BpeTokenizer : public Tokenizer {
 public:
  /// Nothing when SentencePiece does not take the model or it lacks what we rely on.
  static std::shared_ptr<const Tokenizer> create(const std::string& model) {
    auto tokenizer = std::make_shared<BpeTokenizer>();
    if (!tokenizer->processor_.LoadFromSerializedProto(model).ok()) return nullptr;
    if (!tokenizer->read_pieces()) return nullptr;
    tokenizer->identity_ = hash_hex(model);
    return tokenizer;
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    std::vector<int> some;
    const auto ordinary = [&](std::string_view stretch) {
      const auto status = processor_.Encode(stretch, &some);
      MOESCOPE_ASSERT(status.ok(), "a loaded model encodes every valid text");
      ids.insert(ids.end(), some.begin(), some.end());
    };
    for_each_stretch(text, ordinary, [&](unsigned char byte) { ids.push_back(id_of_byte_[byte]); });
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += bytes_of(id);
    return text;
  }

  std::string piece(std::int32_t id) const override { return printable(bytes_of(id)); }
  int vocab_size() const override { return static_cast<int>(bytes_V_.size()); }
  std::string identity() const override { return identity_; }

 private:
  const std::string& bytes_of(std::int32_t id) const {
    MOESCOPE_ASSERT(id >= 0 && id < vocab_size(), "a token id comes from this tokenizer");
    return bytes_V_[static_cast<std::size_t>(id)];
  }

  bool read_pieces() {
    id_of_byte_.fill(-1);
    int num_bytes = 0;
    for (int id = 0; id < processor_.GetPieceSize(); ++id) {
      std::string text = with_spaces(processor_.IdToPiece(id));
      if (processor_.IsByte(id)) {
        unsigned value = 256;
        if (std::sscanf(text.c_str(), "<0x%2X>", &value) != 1 || value > 255) return false;
        num_bytes += id_of_byte_[value] < 0 ? 1 : 0;
        id_of_byte_[value] = id;
        text.assign(1, static_cast<char>(static_cast<unsigned char>(value)));
      }
      bytes_V_.push_back(std::move(text));
    }
    return num_bytes == 256;
  }

  sentencepiece::SentencePieceProcessor processor_;
  std::vector<std::string> bytes_V_;
  std::array<std::int32_t, 256> id_of_byte_{};
  std::string identity_;
};

/// Ordinary stretches of the documents; of much text every n-th line, so that all documents stay represented.
std::vector<std::string_view> training_lines(const std::vector<std::string_view>& documents) {
  std::size_t bytes = 0;
  for (const std::string_view document : documents) bytes += document.size();
  const std::size_t stride = 1 + bytes / kSampleBytes;
  std::vector<std::string_view> lines;
  std::size_t number = 0;
  const auto keep = [&](std::string_view stretch) {
    if (number++ % stride != 0) return;
    while (!stretch.empty()) {
      std::size_t end = std::min(stretch.size(), kLongestLine);
      while (end < stretch.size() && (static_cast<unsigned char>(stretch[end]) & 0xC0) == 0x80) --end;
      lines.push_back(stretch.substr(0, end));
      stretch.remove_prefix(end);
    }
  };
  for (const std::string_view document : documents) for_each_stretch(document, keep, [](unsigned char) {});
  return lines;
}

/// Calls `each` for every character of `text`. Requires: valid UTF-8.
template <class Each>
void for_each_character(std::string_view text, const Each& each) {
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    each(begin, text.substr(begin, end - begin));
    begin = end;
  }
}

/// The characters that get pieces of their own: the most frequent ones, up to kCoverage of the text and half of the
/// vocabulary. The others are spelt in bytes.
std::unordered_set<std::string_view> frequent_characters(const std::vector<std::string_view>& lines, int vocab_size) {
  std::unordered_map<std::string_view, std::int64_t> count;
  std::int64_t total = 0;
  for (const std::string_view line : lines)
    for_each_character(line, [&](std::size_t, std::string_view character) { ++count[character], ++total; });
  std::vector<std::pair<std::int64_t, std::string_view>> sorted;
  for (const auto& [character, number] : count) sorted.emplace_back(-number, character);
  std::sort(sorted.begin(), sorted.end());
  const auto most = static_cast<std::size_t>((vocab_size - kReserved) / 2);
  std::unordered_set<std::string_view> frequent;
  std::int64_t covered = 0;
  for (const auto& [negative, character] : sorted) {
    if (frequent.size() >= most || static_cast<double>(covered) >= kCoverage * static_cast<double>(total)) break;
    frequent.insert(character);
    covered -= negative;
  }
  return frequent;
}

/// The stretches of `lines` without rare characters. SentencePiece has an option for the same, but not below 98 %.
std::vector<std::string_view> without_rare_characters(const std::vector<std::string_view>& lines, int vocab_size) {
  const auto frequent = frequent_characters(lines, vocab_size);
  std::vector<std::string_view> kept;
  for (const std::string_view line : lines) {
    std::size_t begin = 0;
    const auto keep_up_to = [&](std::size_t end) {
      if (end > begin) kept.push_back(line.substr(begin, end - begin));
    };
    for_each_character(line, [&](std::size_t at, std::string_view character) {
      if (frequent.count(character) > 0) return;
      keep_up_to(at);
      begin = at + character.size();
    });
    keep_up_to(line.size());
  }
  return kept;
}

class LineIterator : public sentencepiece::SentenceIterator {
 public:
  explicit LineIterator(const std::vector<std::string_view>& lines) : lines_(lines) { load(); }
  bool done() const override { return index_ >= lines_.size(); }
  void Next() override {
    ++index_;
    load();
  }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void load() {
    if (!done()) line_ = lines_[index_];
  }
  const std::vector<std::string_view>& lines_;
  std::size_t index_ = 0;
  std::string line_;
};

std::unordered_map<std::string, std::string> training_options(int vocab_size) {
  return {{"model_type", "bpe"},
          {"vocab_size", std::to_string(vocab_size)},
          // Small texts have fewer pieces to learn than asked for; the caller sees it in vocab_size().
          {"hard_vocab_limit", "false"},
          {"byte_fallback", "true"},
          {"character_coverage", "1.0"},
          {"normalization_rule_name", "identity"},
          {"remove_extra_whitespaces", "false"},
          {"add_dummy_prefix", "false"},
          {"allow_whitespace_only_pieces", "true"},
          {"max_sentence_length", "8192"},
          {"num_threads", "1"},
          {"bos_id", "-1"},
          {"eos_id", "-1"},
          {"pad_id", "-1"},
          {"minloglevel", "3"}};
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> train_bpe(const std::vector<std::string_view>& documents, int vocab_size,
                                                   const std::string& model_path, Status* saved) {
  if (vocab_size < kLeastVocab)
    return error("'vocab_size' is " + std::to_string(vocab_size) + ", but the bpe tokenizer needs at least " +
                     std::to_string(kLeastVocab) + ": " + std::to_string(kReserved) + " are reserved for bytes",
                 "raise data.vocab_size, or set data.tokenizer = \"bytes\"");
  const std::vector<std::string_view> lines = without_rare_characters(training_lines(documents), vocab_size);
  if (lines.empty()) return error("there is no text to learn pieces from", "set data.tokenizer = \"bytes\"");
  LineIterator iterator(lines);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(training_options(vocab_size), &iterator, &model);
  if (!status.ok())
    return error("the bpe tokenizer could not be trained: " + printable(status.error_message()),
                 "set data.tokenizer = \"bytes\", or take more text");
  auto tokenizer = BpeTokenizer::create(model);
  MOESCOPE_ASSERT(tokenizer != nullptr, "a model that was just trained can be loaded");
  const Status written = write_sealed(model_path, kKind, model);
  if (saved != nullptr) *saved = written;
  if (saved == nullptr && !written) return written.error();
  return tokenizer;
}

Result<std::shared_ptr<const Tokenizer>> load_bpe(const std::string& model_path) {
  const auto model = read_sealed(model_path, kKind, kMaxModelBytes);
  if (!model) return model.error();
  auto tokenizer = BpeTokenizer::create(*model);
  if (tokenizer == nullptr)
    return Diagnostic{Severity::kError,
                      {printable(model_path), 0, 0, {}},
                      "is damaged: SentencePiece cannot read it",
                      "delete it; it is made again when needed"};
  return tokenizer;
}

}  // namespace moescope::corpus
