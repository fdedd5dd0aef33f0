#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/document.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/files.h"
#include "core/corpus/hash.h"
#include "core/corpus/manual_pages.h"
#include "core/corpus/manuals.h"
#include "core/corpus/preparing.h"
#include "core/corpus/sealed_file.h"
#include "core/corpus/split.h"
#include "core/corpus/synthetic.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr int kDefaultVocab = 4096;

Diagnostic no_such_corpus(const std::string& corpus) {
  std::vector<std::string> built_in;
  for (const CorpusInfo& info : list_corpora({})) built_in.push_back(info.id);
  const auto near = nearest_word(corpus, built_in);
  return error("there is no corpus, file or folder '" + printable(corpus) + "'",
               near ? "did you mean '" + *near + "'?"
                    : "built-in corpora are " + join_or(built_in) + "; anything else is the path of a file or folder");
}

/// What becomes of one request, step by step. Every step returns what is wrong, or goes on.
class PlainPreparation {
 public:
  PlainPreparation(const CorpusRequest& request, const Progress& progress, const std::stop_token& stop)
      : request_(request), progress_(progress), stop_(stop), folder_(request.cache_folder + "/corpora") {}

  Result<std::shared_ptr<const Corpus>> run() {
    if (const Status loaded = load_documents_of_request(); !loaded) return loaded.error();
    const std::size_t duplicates = remove_duplicates(set_.documents);
    if (duplicates > 0) note(duplicates_note(duplicates));
    // A token is a byte at least, so this much can be said before a tokenizer is trained.
    if (text_bytes(set_) < static_cast<std::size_t>(least_tokens(request_.context))) return refusal(std::nullopt);
    documents_identity_ = identity_of(set_);
    const auto made = make_tokenizer(
        request_.data, cache_path(".model"), [&] { return training_texts(); }, progress_, stop_, corpus_.notes);
    if (!made) return made.error();
    corpus_.tokenizer = made->tokenizer;
    all_kept_ = made->kept;
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

  /// Without a count of tokens it is the bytes that are too few.
  Diagnostic refusal(std::optional<std::int64_t> num_tokens) const {
    const std::string amount =
        num_tokens ? counted(*num_tokens, "token") : counted(static_cast<std::int64_t>(text_bytes(set_)), "byte");
    const auto documents = static_cast<std::int64_t>(set_.documents.size());
    return too_small(set_.name, amount + " in " + counted(documents, "document"), request_.context);
  }

  std::string cache_path(const std::string& ending) const {
    return folder_ + (is_manuals() ? "/manuals-" : "/") + documents_identity_ + "-bpe" +
           std::to_string(request_.data.vocab_size) + ending;
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
    if (!parts) return refusal(num_tokens);
    find_classes();
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

  /// Of a manual page its section is what it can be classified as; of nothing else is there a class.
  void find_classes() {
    if (!is_manuals()) return;
    std::set<std::string> sections;
    for (const Document& document : set_.documents) sections.insert(manual_section(document.name));
    sections.erase("");
    corpus_.classes.assign(sections.begin(), sections.end());
  }

  std::int16_t class_of(const Document& document) const {
    const std::vector<std::string>& classes = corpus_.classes;
    const auto found = std::find(classes.begin(), classes.end(), manual_section(document.name));
    return static_cast<std::int16_t>(found == classes.end() ? -1 : found - classes.begin());
  }

  void append(Split& split, std::size_t i) {
    split.tokens.insert(split.tokens.end(), tokens_[i].begin(), tokens_[i].end());
    tokens_[i] = {};  // so that no more than one document is held twice
    split.begin_D.push_back(static_cast<std::int64_t>(split.tokens.size()));
    split.label_D.push_back(set_.documents[i].label);
    if (!corpus_.classes.empty()) split.class_D.push_back(class_of(set_.documents[i]));
    split.name_D.push_back(std::move(set_.documents[i].name));
  }

  void finish() {
    corpus_.name = set_.name;
    corpus_.labels = set_.labels;
    add_specials(corpus_);
    corpus_.identity = Hasher().add(documents_identity_).add(corpus_.tokenizer->identity()).hex();
    corpus_.unigram_entropy_bits = unigram_entropy_bits(corpus_.train.tokens, corpus_.tokenizer->vocab_size());
    const bool standard = request_.data.tokenizer == "bpe" && request_.data.vocab_size == kDefaultVocab;
    std::error_code ignored;
    const std::string marker = manuals_marker(folder_);
    if (is_manuals() && standard && all_kept_ && manuals_cached(folder_) && !fs::exists(marker, ignored))
      static_cast<void>(write_sealed(marker, "ready", corpus_.identity + '\n'));
  }

  const CorpusRequest& request_;
  const Progress& progress_;
  const std::stop_token& stop_;
  std::string folder_;
  DocumentSet set_;
  std::string documents_identity_;
  DocumentTokens tokens_;
  bool all_kept_ = true;
  Corpus corpus_;
};

}  // namespace

Result<std::shared_ptr<const Corpus>> prepare_plain(const CorpusRequest& request, const Progress& progress,
                                                    const std::stop_token& stop) {
  return PlainPreparation(request, progress, stop).run();
}

}  // namespace moescope::corpus
