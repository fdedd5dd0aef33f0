#include "core/analysis/bleu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

using Ngrams = std::unordered_map<std::string, std::int64_t>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }
bool is_not_digit(char c) { return !is_digit(c); }

/// ASCII punctuation but for ' , - . which words and numbers contain; and the space.
bool stands_alone(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// Bytes of the white space at the start of `text`, 0 if there is none: what Unicode calls white space, and the four
/// ASCII separators 1C to 1F, which the reference implementation's language also splits at.
std::size_t white_space_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0), second = byte(1), third = byte(2);
  if ((first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x20)) return 1;
  if (first == 0xC2) return second == 0x85 || second == 0xA0 ? 2 : 0;  // U+0085, U+00A0
  if (first == 0xE1) return second == 0x9A && third == 0x80 ? 3 : 0;   // U+1680
  if (first == 0xE3) return second == 0x80 && third == 0x80 ? 3 : 0;   // U+3000
  if (first != 0xE2) return 0;
  if (second == 0x81) return third == 0x9F ? 3 : 0;  // U+205F
  const bool in_2000s = (third >= 0x80 && third <= 0x8A) || third == 0xA8 || third == 0xA9 || third == 0xAF;
  return second == 0x80 && in_2000s ? 3 : 0;  // U+2000 to U+200A, U+2028, U+2029, U+202F
}

std::string_view without_trailing_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t space = white_space_length(text.substr(i));
    i += std::max<std::size_t>(space, 1);
    if (space == 0) end = i;
  }
  return text.substr(0, end);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// Rewrites every pair of neighbours that `first` and `second` accept as before + a + between + b + after, from left to
/// right, no character in two pairs. Bytes serve as characters: whatever is told apart here is ASCII.
template <typename First, typename Second>
std::string with_pairs_spaced(const std::string& text, First first, Second second, std::string_view before,
                              std::string_view after) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    out += before;
    out += text[i];
    out += ' ';
    out += text[++i];
    out += after;
  }
  return out;
}

std::vector<std::string> split_at_white_space(std::string_view text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size();) {
    const std::size_t space = i < text.size() ? white_space_length(text.substr(i)) : 1;
    if (space > 0 && i > begin) words.emplace_back(text.substr(begin, i - begin));
    i += std::max<std::size_t>(space, 1);
    if (space > 0) begin = i;
  }
  return words;
}

/// Tokens hold no space, so joined by one they name an n-gram.
Ngrams ngrams_of(const std::vector<std::string>& tokens, std::size_t order) {
  Ngrams count;
  for (std::size_t i = 0; i + order <= tokens.size(); ++i) {
    std::string ngram = tokens[i];
    for (std::size_t j = 1; j < order; ++j) ngram.append(" ").append(tokens[i + j]);
    ++count[ngram];
  }
  return count;
}

double brevity_penalty(const BleuCounts& counts) {
  if (counts.hypothesis_length >= counts.reference_length) return 1.0;
  if (counts.hypothesis_length == 0) return 0.0;
  return std::exp(1.0 - static_cast<double>(counts.reference_length) / static_cast<double>(counts.hypothesis_length));
}

/// Percent. An order without a match counts half a match, the next such order a quarter, and so on.
std::array<double, kBleuOrder> smoothed_precisions(const BleuCounts& counts) {
  std::array<double, kBleuOrder> precision{};
  double smoothing = 1.0;
  for (std::size_t n = 0; n < kBleuOrder && counts.total[n] > 0; ++n) {
    const auto total = static_cast<double>(counts.total[n]);
    if (counts.matched[n] == 0) smoothing *= 2.0;
    precision[n] =
        counts.matched[n] == 0 ? 100.0 / (smoothing * total) : 100.0 * static_cast<double>(counts.matched[n]) / total;
  }
  return precision;
}

}  // namespace

std::vector<std::string> bleu_tokens(std::string_view sentence) {
  std::string text(without_trailing_space(sentence));
  text = replaced(std::move(text), "<skipped>", "");
  text = replaced(std::move(text), "-\n", "");
  text = replaced(std::move(text), "\n", " ");
  text = replaced(std::move(text), "&quot;", "\"");
  text = replaced(std::move(text), "&amp;", "&");
  text = replaced(std::move(text), "&lt;", "<");
  text = replaced(std::move(text), "&gt;", ">");

  std::string spaced = " ";
  for (const char c : text) stands_alone(c) ? spaced.append({' ', c, ' '}) : spaced.append(1, c);
  spaced += ' ';
  spaced = with_pairs_spaced(spaced, is_not_digit, is_stop, "", " ");
  spaced = with_pairs_spaced(spaced, is_stop, is_not_digit, " ", "");
  spaced = with_pairs_spaced(
      spaced, is_digit, [](char c) { return c == '-'; }, "", " ");
  return split_at_white_space(spaced);
}

void BleuCounts::add_pair(std::string_view hypothesis, std::string_view reference) {
  const std::vector<std::string> hypothesis_tokens = bleu_tokens(hypothesis);
  const std::vector<std::string> reference_tokens = bleu_tokens(reference);
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    const Ngrams in_reference = ngrams_of(reference_tokens, n + 1);
    for (const auto& [ngram, count] : ngrams_of(hypothesis_tokens, n + 1)) {
      total[n] += count;
      const auto found = in_reference.find(ngram);
      if (found != in_reference.end()) matched[n] += std::min(count, found->second);
    }
  }
  hypothesis_length += static_cast<std::int64_t>(hypothesis_tokens.size());
  reference_length += static_cast<std::int64_t>(reference_tokens.size());
  ++num_pairs;
}

void BleuCounts::add(const BleuCounts& other) {
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    matched[n] += other.matched[n];
    total[n] += other.total[n];
  }
  hypothesis_length += other.hypothesis_length;
  reference_length += other.reference_length;
  num_pairs += other.num_pairs;
}

Bleu bleu_of(const BleuCounts& counts) {
  Bleu result;
  result.counts = counts;
  if (counts.num_pairs == 0) {
    result.score = result.brevity_penalty = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  result.brevity_penalty = brevity_penalty(counts);
  const bool any_match =
      std::any_of(counts.matched.begin(), counts.matched.end(), [](auto count) { return count > 0; });
  if (!any_match) return result;
  result.precision = smoothed_precisions(counts);
  double log_sum = 0.0;
  for (const double precision : result.precision) log_sum += std::log(precision);  // ln 0 = −infinity: score 0
  result.score = result.brevity_penalty * std::exp(log_sum / static_cast<double>(kBleuOrder));
  return result;
}

Bleu corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references) {
  MOESCOPE_ASSERT(hypotheses.size() == references.size(), "every hypothesis has its reference");
  BleuCounts counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) counts.add_pair(hypotheses[i], references[i]);
  return bleu_of(counts);
}

std::string bleu_signature() {
  return "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:MoEScope-" MOESCOPE_VERSION;
}

}  // namespace moescope::analysis
