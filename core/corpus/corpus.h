#pragma once
// A corpus ready to train on: real documents with labels, deduplicated, split by a hash of their identity, tokenized.
// No torch. Threads: prepare_corpus() may run on any thread; the result is immutable.

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/corpus/tokenizer.h"

namespace moescope::corpus {

/// A run of whole documents as one token stream. Document d owns tokens [begin_D[d], begin_D[d+1]).
struct Split {
  std::vector<std::int32_t> tokens;
  std::vector<std::int64_t> begin_D;  ///< D + 1 entries
  std::vector<std::int16_t> label_D;  ///< index into Corpus::labels
  std::vector<std::string> name_D;    ///< "ls(1)", a file name
};

struct Corpus {
  std::string name;
  std::string identity;             ///< hash over documents and tokenizer, hex; stored with each run
  std::vector<std::string> labels;  ///< languages, folders, files; of `synthetic` the generators
  Split train, valid, probe;
  std::shared_ptr<const Tokenizer> tokenizer;
  double unigram_entropy_bits = 0;  ///< of the training tokens, bits per token
  std::vector<std::string> notes;   ///< what a user should know: "synthetic stands in: …", "12 duplicates left out"
};

/// Long work reports here: what it does, and how far (0 to 1, or −1 when unknown). Called on the working thread.
using Progress = std::function<void(const std::string& activity, double fraction)>;

struct CorpusRequest {
  config::DataConfig data;
  std::uint64_t seed = 0;       ///< of `synthetic`
  int context = 128;            ///< least length a split must offer
  std::string cache_folder;     ///< rendered text and tokenizers are kept in <cache_folder>/corpora
  bool allow_fallback = false;  ///< use `synthetic` (with a note) when a built-in corpus cannot be had
};

/// Reads, cleans, splits and tokenizes. Every failure is a message with its remedy: missing or unreadable file, not
/// UTF-8 (with the byte's place), empty, too small for its splits, too large, vanished or grown while being read.
Result<std::shared_ptr<const Corpus>> prepare_corpus(const CorpusRequest& request, const Progress& progress,
                                                     std::stop_token stop = {});

/// One line of `moescope-cli corpora`.
struct CorpusInfo {
  std::string id;
  std::string description;
  bool cached = false;
};
std::vector<CorpusInfo> list_corpora(const std::string& cache_folder);

}  // namespace moescope::corpus
