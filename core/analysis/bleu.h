#pragma once
// Corpus BLEU as sacreBLEU 2.x gives it by default: 13a tokens, case kept, exponential smoothing, n-grams up to 4, no
// effective order, one reference per sentence. Text is UTF-8 and not tokenized beforehand.
// Sources: Papineni et al. 2002; mteval-v13a (NIST), whose tokens WMT uses; smoothing method 3 of Chen & Cherry 2014;
// the signature of Post 2018.
// Threads: pure functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::analysis {

inline constexpr std::size_t kBleuOrder = 4;

/// The 13a tokens of one sentence: four HTML entities are decoded, ASCII symbols stand alone, full stop and comma do
/// unless between digits, a hyphen only after a digit; the rest is split at Unicode white space.
std::vector<std::string> bleu_tokens(std::string_view sentence);

/// What a corpus adds up to. Counts of several parts of a corpus may be added before the score is taken; scores may
/// not.
struct BleuCounts {
  std::array<std::int64_t, kBleuOrder> matched{};  // n-grams also in the reference, each at most as often as there
  std::array<std::int64_t, kBleuOrder> total{};    // n-grams of the hypotheses
  std::int64_t hypothesis_length = 0;              // tokens
  std::int64_t reference_length = 0;
  std::int64_t num_pairs = 0;

  void add_pair(std::string_view hypothesis, std::string_view reference);
  void add(const BleuCounts& other);
};

struct Bleu {
  double score = 0.0;                          // 0 to 100
  std::array<double, kBleuOrder> precision{};  // percent; an order without a match is smoothed: 100 / (2^i · total)
  double brevity_penalty = 0.0;                // 1, or e^(1 − reference / hypothesis) if hypotheses are shorter
  BleuCounts counts;
};

/// Not one match, or no hypothesis as long as an n-gram order: score 0. No pairs: score and penalty NaN.
Bleu bleu_of(const BleuCounts& counts);

/// Requires: one reference for each hypothesis.
Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references);

/// How the figure was made, in sacreBLEU's form; the version is ours, since ours is the program that computed it.
std::string bleu_signature();

}  // namespace moescope::analysis
