#include "core/train/translation_eval.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/analysis/bleu.h"
#include "core/base/seed.h"
#include "core/model/beam_search.h"
#include "core/model/pair_stream.h"

namespace moescope::train {

namespace {

constexpr std::size_t kSearchedTogether = 32;

}  // namespace

std::vector<std::string> translate(model::Translator& model, const corpus::Corpus& corpus,
                                   const config::DecodeConfig& decode,
                                   const std::vector<std::vector<std::int64_t>>& source_rows,
                                   const std::function<bool()>& stop) {
  // Sources of like length are searched together, so that little is padding.
  std::vector<std::size_t> order(source_rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return source_rows[a].size() < source_rows[b].size(); });
  std::vector<std::string> texts(source_rows.size());
  for (std::size_t first = 0; first < order.size(); first += kSearchedTogether) {
    const std::size_t last = std::min(first + kSearchedTogether, order.size());
    std::vector<std::vector<std::int64_t>> rows;
    for (std::size_t i = first; i < last; ++i) rows.push_back(source_rows[order[i]]);
    const auto found = model::beam_search(model, rows, {decode.beam_width, decode.length_penalty}, stop);
    if (stop && stop()) return {};
    for (std::size_t i = first; i < last; ++i) texts[order[i]] = corpus.tokenizer->decode(found[i - first].tokens);
  }
  return texts;
}

TranslationScores evaluate_translation(model::Translator& model, const corpus::Corpus& corpus,
                                       const config::DecodeConfig& decode, const std::function<bool()>& stop) {
  const corpus::PairSplit& pairs = corpus.valid_pairs;
  const std::vector<std::int64_t> chosen =
      model::in_turn(pairs.label_P, model::fitting_pairs(pairs, model.context()),
                     static_cast<std::size_t>(decode.sentences), derive_seed(0, "validation"));
  std::vector<std::vector<std::int64_t>> rows;
  for (const std::int64_t pair : chosen) {
    rows.push_back(
        model::source_row(corpus, model::source_of(pairs, pair), pairs.label_P[static_cast<std::size_t>(pair)]));
  }
  const std::vector<std::string> texts = translate(model, corpus, decode, rows, stop);
  TranslationScores found;
  if (texts.empty()) return found;
  analysis::BleuCounts all;
  std::map<std::int16_t, analysis::BleuCounts> by_label;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto p = static_cast<std::size_t>(chosen[i]);
    all.add_pair(texts[i], pairs.target_text_P[p]);
    by_label[pairs.label_P[p]].add_pair(texts[i], pairs.target_text_P[p]);
  }
  found.signature = analysis::bleu_signature();
  found.scores.push_back({"all", analysis::bleu_of(all).score, all.num_pairs});
  for (const auto& [label, counts] : by_label) {
    found.scores.push_back(
        {corpus.labels[static_cast<std::size_t>(label)], analysis::bleu_of(counts).score, counts.num_pairs});
  }
  return found;
}

}  // namespace moescope::train
