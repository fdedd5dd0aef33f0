#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/aligned_files.h"
#include "core/corpus/catalogs.h"
#include "core/corpus/document.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/hash.h"
#include "core/corpus/pair_set.h"
#include "core/corpus/preparing.h"
#include "core/corpus/running_text.h"
#include "core/corpus/split.h"
#include "core/corpus/synthetic_pairs.h"

namespace moescope::corpus {
namespace {

bool is_aligned(const config::DataConfig& data) { return !data.source.empty() || !data.target.empty(); }

/// What becomes of one request, step by step. Every step returns what is wrong, or goes on.
class ParallelPreparation {
 public:
  ParallelPreparation(const CorpusRequest& request, const Progress& progress, const std::stop_token& stop)
      : request_(request), progress_(progress), stop_(stop), folder_(request.cache_folder + "/corpora") {}

  Result<std::shared_ptr<const Corpus>> run() {
    if (const Status loaded = load_pairs_of_request(); !loaded) return loaded.error();
    const std::size_t repeated = remove_duplicates(set_.pairs);
    if (repeated > 0) corpus_.notes.push_back(repeated_pairs_note(repeated));
    count_pairs(set_);
    sort_pairs();
    pairs_identity_ = identity_of(set_);
    const auto made = make_tokenizer(
        request_.data, cache_path(".model"), [&] { return training_texts(); }, progress_, stop_, corpus_.notes);
    if (!made) return made.error();
    corpus_.tokenizer = made->tokenizer;
    if (const Status encoded = encode_pairs(); !encoded) return encoded.error();
    if (const Status split = split_pairs(); !split) return split.error();
    finish();
    return std::shared_ptr<const Corpus>(std::make_shared<Corpus>(std::move(corpus_)));
  }

 private:
  Status load_pairs_of_request() {
    const config::DataConfig& data = request_.data;
    Result<PairSet> set = stopped();
    if (is_aligned(data)) {
      set = aligned_files();
    } else if (data.corpus == "catalogs") {
      set = load_catalogs(folder_, data.languages, progress_, stop_);
      // A language that is not there is the request's fault, and synthetic sentences would hide it.
      const bool had = catalogs_cached(folder_);
      if (!set && !had && request_.allow_fallback && !stop_.stop_requested()) {
        corpus_.notes.push_back("synthetic_pairs stands in for catalogs: " + set.error().front().message);
        set = synthetic_pairs("auto");
      }
    } else {
      progress_("making synthetic sentences", -1);
      set = synthetic_pairs(data.languages);
    }
    if (!set) return set.error();
    set_ = std::move(*set);
    corpus_.notes.insert(corpus_.notes.end(), set_.notes.begin(), set_.notes.end());
    return Done{};
  }

  Result<PairSet> aligned_files() const {
    const config::DataConfig& data = request_.data;
    if (data.source.empty() || data.target.empty())
      return error(std::string("'") + (data.source.empty() ? "target" : "source") + "' is set, but '" +
                       (data.source.empty() ? "source" : "target") + "' is not",
                   "aligned files are two: name both data.source and data.target");
    if (data.corpus != config::DataConfig{}.corpus)
      return error("'corpus' is \"" + printable(data.corpus) + "\", but 'source' and 'target' name the texts too",
                   "remove corpus, or source and target");
    return read_aligned_files(data.source, data.target, progress_, stop_);
  }

  Result<PairSet> synthetic_pairs(const std::string& languages) const {
    PairSet set = make_synthetic_pairs(request_.seed);
    const auto chosen = choose_languages(languages, set.languages, set.name);
    if (!chosen) return chosen.error();
    return with_languages(std::move(set), *chosen);
  }

  /// Of aligned files the source is a source whatever its language.
  bool into_first() const { return !is_aligned(request_.data) && request_.data.direction == "to_english"; }

  /// In order of keys drawn from the first sentence: programs and languages mixed, pairs of one sentence together.
  void sort_pairs() {
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    for (std::size_t p = 0; p < set_.pairs.size(); ++p) order.emplace_back(sentence_key(set_.pairs[p].first), p);
    std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
      const SentencePair &x = set_.pairs[a.second], &y = set_.pairs[b.second];
      return std::tie(a.first, x.first, x.label, x.second) < std::tie(b.first, y.first, y.label, y.second);
    });
    std::vector<SentencePair> sorted;
    sorted.reserve(order.size());
    for (const auto& [key, p] : order) {
      key_P_.push_back(key);
      sorted.push_back(std::move(set_.pairs[p]));
    }
    set_.pairs = std::move(sorted);
  }

  /// Whether pair p has the first sentence of the one before it.
  bool repeats_first(std::size_t p) const { return p > 0 && set_.pairs[p].first == set_.pairs[p - 1].first; }

  bool is_catalogs() const { return request_.data.corpus == "catalogs" && set_.name == "catalogs"; }

  std::string cache_path(const std::string& ending) const {
    return folder_ + (is_catalogs() ? "/catalogs-" : "/") + pairs_identity_ + "-bpe" +
           std::to_string(request_.data.vocab_size) + ending;
  }

  /// One vocabulary for both sides, learnt from what trains.
  std::vector<std::string_view> training_texts() const {
    std::vector<std::string_view> train, all;
    for (std::size_t p = 0; p < set_.pairs.size(); ++p) {
      for (const bool first : {true, false}) {
        if (first && repeats_first(p)) continue;
        all.emplace_back(first ? set_.pairs[p].first : set_.pairs[p].second);
        if (part_of(key_P_[p]) == Part::kTrain) train.push_back(all.back());
      }
    }
    return train.empty() ? all : train;
  }

  Status encode_pairs() {
    const bool kept = is_catalogs() && request_.data.tokenizer == "bpe";
    const std::string path = cache_path(".tokens");
    if (kept) {
      auto loaded = load_tokens(path, 2 * set_.pairs.size(), corpus_.tokenizer->vocab_size(),
                                corpus_.tokenizer->identity(), corpus_.notes);
      if (loaded) tokens_ = std::move(*loaded);
      if (loaded) return Done{};
    }
    for (std::size_t p = 0; p < set_.pairs.size(); ++p) {
      if (p % 512 == 0) {
        if (stop_.stop_requested()) return stopped();
        progress_("cutting text into tokens", static_cast<double>(p) / static_cast<double>(set_.pairs.size()));
      }
      tokens_.push_back(repeats_first(p) ? first_of(p - 1) : corpus_.tokenizer->encode(set_.pairs[p].first));
      tokens_.push_back(corpus_.tokenizer->encode(set_.pairs[p].second));
    }
    if (!kept) return Done{};
    const Status saved = save_tokens(path, corpus_.tokenizer->identity(), tokens_);
    if (!saved) corpus_.notes.push_back("the tokens could not be kept: " + saved.error().front().message);
    return Done{};
  }

  const std::vector<std::int32_t>& first_of(std::size_t p) const { return tokens_[2 * p]; }
  const std::vector<std::int32_t>& second_of(std::size_t p) const { return tokens_[2 * p + 1]; }

  /// Pairs of equal key go together; end_G_[g] is behind the last pair of group g. A group's label is its rarest, so
  /// that every language is probed.
  std::vector<SplitItem> groups() {
    const auto line_end = static_cast<std::int64_t>(corpus_.tokenizer->encode("\n").size());
    const auto rarity = [&](std::int16_t label) { return set_.languages[static_cast<std::size_t>(label)].num_pairs; };
    std::vector<SplitItem> items;
    for (std::size_t p = 0; p < set_.pairs.size(); ++p) {
      const std::int16_t label = set_.pairs[p].label;
      if (p == 0 || key_P_[p] != key_P_[p - 1]) {
        items.push_back({key_P_[p], label, 0});
        end_G_.push_back(p);
      }
      SplitItem& item = items.back();
      if (rarity(label) < rarity(item.label)) item.label = label;
      if (!repeats_first(p)) item.num_tokens += static_cast<std::int64_t>(first_of(p).size()) + line_end;
      item.num_tokens += static_cast<std::int64_t>(second_of(p).size()) + line_end;
      end_G_.back() = p + 1;
    }
    return items;
  }

  Status split_pairs() {
    const std::vector<SplitItem> items = groups();
    const auto parts = assign_parts(items, request_.context);
    if (!parts) {
      std::int64_t num_tokens = 0;
      for (const SplitItem& item : items) num_tokens += item.num_tokens;
      const auto pairs = static_cast<std::int64_t>(set_.pairs.size());
      return too_small(set_.name, counted(num_tokens, "token") + " in " + counted(pairs, "sentence pair"),
                       request_.context);
    }
    const auto fill = [&](Part part, PairSplit& pairs, Split& texts) {
      RunningText running(texts, corpus_.tokenizer->encode("\n"));
      pairs.source_begin_P.push_back(0);
      pairs.target_begin_P.push_back(0);
      for (std::size_t g = 0; g < items.size(); ++g) {
        if ((*parts)[g] != part) continue;
        for (std::size_t p = g == 0 ? 0 : end_G_[g - 1]; p < end_G_[g]; ++p) {
          append(pairs, p, part != Part::kTrain);
          if (!repeats_first(p)) running.add(0, set_.pairs[p].name, first_of(p));
          running.add(set_.pairs[p].label, set_.pairs[p].name, second_of(p));
        }
      }
      running.finish();
    };
    fill(Part::kTrain, corpus_.train_pairs, corpus_.train);
    fill(Part::kValid, corpus_.valid_pairs, corpus_.valid);
    fill(Part::kProbe, corpus_.probe_pairs, corpus_.probe);
    return Done{};
  }

  void append(PairSplit& split, std::size_t p, bool with_text) const {
    const auto add = [](std::vector<std::int32_t>& tokens, std::vector<std::int64_t>& begin_P,
                        const std::vector<std::int32_t>& sentence) {
      tokens.insert(tokens.end(), sentence.begin(), sentence.end());
      begin_P.push_back(static_cast<std::int64_t>(tokens.size()));
    };
    const SentencePair& pair = set_.pairs[p];
    const bool swapped = into_first();
    add(split.source_tokens, split.source_begin_P, swapped ? second_of(p) : first_of(p));
    add(split.target_tokens, split.target_begin_P, swapped ? first_of(p) : second_of(p));
    split.label_P.push_back(pair.label);
    split.name_P.push_back(pair.line > 0 ? pair.name + ':' + std::to_string(pair.line) : pair.name);
    if (!with_text) return;
    split.source_text_P.push_back(swapped ? pair.second : pair.first);
    split.target_text_P.push_back(swapped ? pair.first : pair.second);
  }

  void finish() {
    corpus_.name = set_.name;
    for (const PairLanguage& language : set_.languages) corpus_.labels.push_back(language.label);
    add_specials(corpus_);
    const int first_tag = corpus_.tokenizer->vocab_size() + 4;
    for (std::size_t label = 0; label < corpus_.labels.size(); ++label)
      corpus_.special.tag_of_label.push_back(first_tag + (into_first() ? 0 : static_cast<int>(label)));
    corpus_.identity = Hasher()
                           .add(pairs_identity_)
                           .add(into_first() ? "to first" : "from first")
                           .add(corpus_.tokenizer->identity())
                           .hex();
    corpus_.unigram_entropy_bits = unigram_entropy_bits(corpus_.train.tokens, corpus_.tokenizer->vocab_size());
  }

  const CorpusRequest& request_;
  const Progress& progress_;
  const std::stop_token& stop_;
  std::string folder_;
  PairSet set_;
  std::vector<std::uint64_t> key_P_;
  std::vector<std::size_t> end_G_;
  std::string pairs_identity_;
  DocumentTokens tokens_;  ///< of the two sides of pair p at 2p and 2p + 1
  Corpus corpus_;
};

}  // namespace

bool wants_pairs(const config::DataConfig& data) {
  return is_aligned(data) || data.corpus == "catalogs" || data.corpus == "synthetic_pairs";
}

Result<std::shared_ptr<const Corpus>> prepare_parallel(const CorpusRequest& request, const Progress& progress,
                                                       const std::stop_token& stop) {
  return ParallelPreparation(request, progress, stop).run();
}

}  // namespace moescope::corpus
