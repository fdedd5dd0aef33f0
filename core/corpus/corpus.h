#pragma once
// A corpus ready to train on: real documents or sentence pairs with labels, deduplicated, split by a hash of their
// identity, tokenized.
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
  std::vector<std::int16_t> class_D;  ///< index into Corpus::classes, −1: none; empty when the corpus has no classes
};

/// Sentence pairs as two token streams. Pair p owns source tokens [source_begin_P[p], source_begin_P[p+1]) and target
/// tokens likewise; no special symbols in them.
struct PairSplit {
  std::vector<std::int32_t> source_tokens, target_tokens;
  std::vector<std::int64_t> source_begin_P, target_begin_P;  ///< P + 1 entries
  std::vector<std::int16_t> label_P;                         ///< index into Corpus::labels, of the language beside [0]
  std::vector<std::string> name_P;                           ///< the program, or file and line
  std::vector<std::string> source_text_P, target_text_P;     ///< as written; filled for validation and probe only
};

/// Symbols beside the tokenizer's own, with ids above its vocabulary.
struct Specials {
  int bos = -1, eos = -1, pad = -1, mask = -1;
  /// What says "translate into this language" to pairs of this label; one per label of a parallel corpus, else empty.
  /// Of translations into English all are English's.
  std::vector<int> tag_of_label;
};

struct Corpus {
  std::string name;
  std::string identity;                             ///< hash over documents and tokenizer, hex; stored with each run
  std::vector<std::string> labels;                  ///< languages, folders, files; of `synthetic` the generators
  Split train, valid, probe;                        ///< of a parallel corpus both sides as running text
  PairSplit train_pairs, valid_pairs, probe_pairs;  ///< of a parallel corpus; a sentence is in one of them
  std::vector<std::string> classes;                 ///< what a text can be classified as: of `manuals` the section
  std::shared_ptr<const Tokenizer> tokenizer;
  Specials special;
  double unigram_entropy_bits = 0;  ///< of the training tokens, bits per token
  std::vector<std::string> notes;   ///< what a user should know: "synthetic stands in: …", "12 duplicates left out"

  bool parallel() const { return !train_pairs.label_P.empty(); }
  /// Token ids of a model that uses the special symbols too.
  int vocab_size() const { return tokenizer->vocab_size() + 4 + static_cast<int>(special.tag_of_label.size()); }
};

/// Long work reports here: what it does, and how far (0 to 1, or −1 when unknown). Called on the working thread.
using Progress = std::function<void(const std::string& activity, double fraction)>;

struct CorpusRequest {
  config::DataConfig data;
  std::uint64_t seed = 0;       ///< of `synthetic` and `synthetic_pairs`
  int context = 128;            ///< least length a split must offer
  std::string cache_folder;     ///< rendered text and tokenizers are kept in <cache_folder>/corpora
  bool allow_fallback = false;  ///< use synthetic text or pairs (with a note) when a built-in corpus cannot be had
};

/// Reads, cleans, splits and tokenizes. Every failure is a message with its remedy: missing or unreadable file, not
/// UTF-8 (with the byte's place), empty, too small for its splits, too large, vanished or grown while being read.
Result<std::shared_ptr<const Corpus>> prepare_corpus(const CorpusRequest& request, const Progress& progress,
                                                     const std::stop_token& stop = {});

/// One line of `moescope-cli corpora`.
struct CorpusInfo {
  std::string id;
  std::string description;
  bool cached = false;
};
std::vector<CorpusInfo> list_corpora(const std::string& cache_folder);

}  // namespace moescope::corpus
