#pragma once
// Text to token ids and back. Two kinds: plain bytes (256 ids) and SentencePiece BPE trained on the corpus.
// Threads: const methods may be called from any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
  /// The piece as a person reads it: spaces as spaces, unprintable bytes as \xNN.
  virtual std::string piece(std::int32_t id) const = 0;
  virtual int vocab_size() const = 0;
  /// Hash over everything that decides its output, hex.
  virtual std::string identity() const = 0;
};

std::shared_ptr<const Tokenizer> byte_tokenizer();

/// Trains BPE of `vocab_size` pieces with byte fallback on `documents` (sampled when large) and saves it at
/// `model_path` atomically. Deterministic. A text with less to learn gives fewer pieces; see vocab_size(). With
/// `saved`, a model that cannot be written is no failure, and it says why.
Result<std::shared_ptr<const Tokenizer>> train_bpe(const std::vector<std::string_view>& documents, int vocab_size,
                                                   const std::string& model_path, Status* saved = nullptr);
/// Loads a trained model; a damaged file is a message.
Result<std::shared_ptr<const Tokenizer>> load_bpe(const std::string& model_path);

}  // namespace moescope::corpus
