#include "core/corpus/corpus.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/document.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/files.h"
#include "core/corpus/hash.h"
#include "core/corpus/manuals.h"
#include "core/corpus/sealed_file.h"
#include "core/corpus/split.h"
#include "core/corpus/synthetic.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr int kDefaultVocab = 4096;
const std::vector<std::string> kBuiltIn{"manuals", "synthetic"};

Diagnostic no_such_corpus(const std::string& corpus) {
  const auto near = nearest_word(corpus, kBuiltIn);
  return error("there is no corpus, file or folder '" + printable(corpus) + "'",
               near ? "did you mean '" + *near + "'?"
                    : "built-in corpora are " + kBuiltIn[0] + " and " + kBuiltIn[1] +
                          "; anything else is the path of a file or folder");
}

/// What becomes of one request, step by step. Every step returns what is wrong, or goes on.
class Preparation {
 public:
  Preparation(const CorpusRequest& request, const Progress& progress, std::stop_token stop)
      : request_(request), stop_(std::move(stop)), folder_(request.cache_folder + "/corpora") {
    progress_ = [&progress](const std::string& activity, double fraction) {
      if (progress) progress(activity, fraction);
    };
  }

  Result<std::shared_ptr<const Corpus>> run() {
    if (const Status loaded = load_documents_of_request(); !loaded) return loaded.error();
    const std::size_t duplicates = remove_duplicates(set_.documents);
    if (duplicates > 0) note(duplicates_note(duplicates));
    // A token is a byte at least, so this much can be said before a tokenizer is trained.
    if (text_bytes(set_) < static_cast<std::size_t>(least_tokens())) return too_small(std::nullopt);
    documents_identity_ = identity_of(set_);
    if (const Status made = make_tokenizer(); !made) return made.error();
    if (const Status encoded = encode_documents(); !encoded) return encoded.error();
    const Status split = split_documents();
    if (!split) return split.error();
    finish();
    return std::shared_ptr<const Corpus>(std::make_shared<Corpus>(std::move(corpus_)));
  }

 private:
  void note(std::string text) { corpus_.notes.push_back(std::move(text)); }

  Status load_documents_of_request() {
    const std::string& corpus = request_.data.corpus;
    Result<DocumentSet> set = stopped();
    if (corpus == "manuals") {
      set = load_manuals(folder_, progress_, stop_);
      if (!set && request_.allow_fallback && !stop_.stop_requested()) {
        note("synthetic stands in for manuals: " + set.error().front().message);
        set = make_synthetic(request_.seed);
      }
    } else if (corpus == "synthetic") {
      progress_("making synthetic text", -1);
      set = make_synthetic(request_.seed);
    } else {
      std::error_code problem;
      if (fs::symlink_status(corpus, problem).type() == fs::file_type::not_found) return no_such_corpus(corpus);
      set = read_text_corpus(corpus, progress_, stop_);
    }
    if (!set) return set.error();
    set_ = std::move(*set);
    for (const std::string& text : set_.notes) note(text);
    return Done{};
  }

  /// False also when synthetic stands in, and for a user's folder that has the name.
  bool is_manuals() const { return request_.data.corpus == "manuals" && set_.name == "manuals"; }

  std::int64_t least_tokens() const { return 3 * least_part_tokens(request_.context); }

  Diagnostic too_small(std::optional<std::int64_t> num_tokens) const {
    const std::size_t documents = set_.documents.size();
    const std::string amount = num_tokens ? with_thousands(*num_tokens) + (*num_tokens == 1 ? " token" : " tokens")
                                          : with_thousands(static_cast<long long>(text_bytes(set_))) +
                                                (text_bytes(set_) == 1 ? " byte" : " bytes");
    return error("the corpus '" + printable(set_.name) + "' is too small: it has " + amount + " in " +
                     with_thousands(static_cast<long long>(documents)) + (documents == 1 ? " document" : " documents") +
                     ", and training, validation and probe need " +
                     with_thousands(least_part_tokens(request_.context)) + " tokens each (" +
                     with_thousands(least_tokens()) + " in all)",
                 "take a longer text, or a smaller model.context (now " + std::to_string(request_.context) + ")");
  }

  std::string cache_path(const std::string& ending) const {
    return folder_ + (is_manuals() ? "/manuals-" : "/") + documents_identity_ + "-bpe" +
           std::to_string(request_.data.vocab_size) + ending;
  }

  Status make_tokenizer() {
    if (request_.data.tokenizer == "bytes") {
      corpus_.tokenizer = byte_tokenizer();
      return Done{};
    }
    const std::string path = cache_path(".model");
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
      auto loaded = load_bpe(path);
      if (loaded) corpus_.tokenizer = *loaded;
      if (!loaded) note("a damaged tokenizer was trained again");
    }
    if (!corpus_.tokenizer) {
      progress_("training the tokenizer", -1);
      Status saved = Done{};
      auto trained = train_bpe(training_texts(), request_.data.vocab_size, path, &saved);
      if (!trained) return trained.error();
      if (!saved) note("the tokenizer could not be kept: " + saved.error().front().message);
      all_kept_ = saved.has_value();
      corpus_.tokenizer = *trained;
      forget_old_models(folder_);
    }
    if (corpus_.tokenizer->vocab_size() < request_.data.vocab_size)
      note("the text has only " + with_thousands(corpus_.tokenizer->vocab_size()) +
           " pieces to learn; vocab_size asked for " + with_thousands(request_.data.vocab_size));
    return stop_.stop_requested() ? Status(stopped()) : Status(Done{});
  }

  /// What validates and is probed is not learnt from, not even by the tokenizer; unless nothing else is there.
  std::vector<std::string_view> training_texts() const {
    std::vector<std::string_view> train, all;
    for (const Document& document : set_.documents) {
      all.emplace_back(document.text);
      if (part_of(document_key(document.text)) == Part::kTrain) train.emplace_back(document.text);
    }
    return train.empty() ? all : train;
  }

  Status encode_documents() {
    // Of other texts every change would leave its tokens behind, and they are soon cut again.
    const bool kept = is_manuals() && request_.data.tokenizer == "bpe";
    const std::string path = cache_path(".tokens");
    if (kept) {
      auto loaded = load_tokens(path, set_.documents.size(), corpus_.tokenizer->vocab_size(),
                                corpus_.tokenizer->identity(), corpus_.notes);
      if (loaded) tokens_ = std::move(*loaded);
      if (loaded) return Done{};
    }
    for (std::size_t i = 0; i < set_.documents.size(); ++i) {
      if (stop_.stop_requested()) return stopped();
      if (i % 32 == 0)
        progress_("cutting text into tokens", static_cast<double>(i) / static_cast<double>(set_.documents.size()));
      tokens_.push_back(corpus_.tokenizer->encode(set_.documents[i].text));
    }
    if (!kept) return Done{};
    const Status saved = save_tokens(path, corpus_.tokenizer->identity(), tokens_);
    if (!saved) note("the tokens could not be kept: " + saved.error().front().message);
    all_kept_ = all_kept_ && saved.has_value();
    return Done{};
  }

  Status split_documents() {
    std::vector<SplitItem> items;
    std::int64_t num_tokens = 0;
    for (std::size_t i = 0; i < set_.documents.size(); ++i) {
      const Document& document = set_.documents[i];
      items.push_back({document_key(document.text), document.label, static_cast<std::int64_t>(tokens_[i].size())});
      num_tokens += items.back().num_tokens;
    }
    const auto parts = assign_parts(items, request_.context);
    if (!parts) return too_small(num_tokens);
    std::vector<std::size_t> order(items.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // In order of the keys the labels are mixed, whatever the order of the files.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return items[a].key < items[b].key; });
    for (Split* split : {&corpus_.train, &corpus_.valid, &corpus_.probe}) split->begin_D.push_back(0);
    for (const std::size_t i : order) {
      const Part part = (*parts)[i];
      append(part == Part::kTrain ? corpus_.train : part == Part::kValid ? corpus_.valid : corpus_.probe, i);
    }
    return Done{};
  }

  void append(Split& split, std::size_t i) {
    split.tokens.insert(split.tokens.end(), tokens_[i].begin(), tokens_[i].end());
    tokens_[i] = {};  // so that no more than one document is held twice
    split.begin_D.push_back(static_cast<std::int64_t>(split.tokens.size()));
    split.label_D.push_back(set_.documents[i].label);
    split.name_D.push_back(std::move(set_.documents[i].name));
  }

  void finish() {
    corpus_.name = set_.name;
    corpus_.labels = set_.labels;
    corpus_.identity = Hasher().add(documents_identity_).add(corpus_.tokenizer->identity()).hex();
    corpus_.unigram_entropy_bits = unigram_entropy(corpus_.train.tokens, corpus_.tokenizer->vocab_size());
    const bool standard = request_.data.tokenizer == "bpe" && request_.data.vocab_size == kDefaultVocab;
    std::error_code ignored;
    const std::string marker = manuals_marker(folder_);
    if (is_manuals() && standard && all_kept_ && manuals_cached(folder_) && !fs::exists(marker, ignored))
      static_cast<void>(write_sealed(marker, "ready", corpus_.identity + '\n'));
  }

  static double unigram_entropy(const std::vector<std::int32_t>& tokens, int vocab_size) {
    std::vector<std::int64_t> count_V(static_cast<std::size_t>(vocab_size));
    for (const std::int32_t id : tokens) ++count_V[static_cast<std::size_t>(id)];
    double bits = 0;
    for (const std::int64_t count : count_V) {
      const double share = static_cast<double>(count) / static_cast<double>(tokens.size());
      if (count > 0) bits -= share * std::log2(share);
    }
    return bits;
  }

  const CorpusRequest& request_;
  Progress progress_;
  std::stop_token stop_;
  std::string folder_;
  DocumentSet set_;
  std::string documents_identity_;
  DocumentTokens tokens_;
  bool all_kept_ = true;
  Corpus corpus_;
};

}  // namespace

Result<std::shared_ptr<const Corpus>> prepare_corpus(const CorpusRequest& request, const Progress& progress,
                                                     std::stop_token stop) {
  return Preparation(request, progress, std::move(stop)).run();
}

std::vector<CorpusInfo> list_corpora(const std::string& cache_folder) {
  std::error_code ignored;
  const std::string folder = cache_folder + "/corpora";
  const bool cached = manuals_cached(folder) && fs::exists(manuals_marker(folder), ignored);
  return {
      {"manuals", "manual pages in English, German, French and Spanish, C headers, Python sources", cached},
      {"synthetic", "made text of known classes: four Markov languages, copy, reverse, arithmetic, translation", true}};
}

}  // namespace moescope::corpus
