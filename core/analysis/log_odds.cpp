#include "core/analysis/log_odds.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

/// ln of the smoothed odds that a draw out of `total` is the token seen `count` times.
double log_smoothed_odds(std::int64_t count, std::int64_t total, double smoothing, std::size_t vocabulary) {
  const double yes = static_cast<double>(count) + smoothing;
  const double no = static_cast<double>(total) + smoothing * static_cast<double>(vocabulary) - yes;
  return std::log(yes / no);
}

struct Totals {
  std::vector<std::int64_t> by_token;   // over experts
  std::vector<std::int64_t> by_expert;  // over tokens
  std::int64_t all = 0;
};

Totals totals_of(std::span<const std::int64_t> count_EV, std::size_t num_experts, std::size_t vocabulary) {
  Totals totals{std::vector<std::int64_t>(vocabulary, 0), std::vector<std::int64_t>(num_experts, 0), 0};
  for (std::size_t e = 0; e < num_experts; ++e) {
    for (std::size_t v = 0; v < vocabulary; ++v) {
      totals.by_token[v] += count_EV[e * vocabulary + v];
      totals.by_expert[e] += count_EV[e * vocabulary + v];
    }
    totals.all += totals.by_expert[e];
  }
  return totals;
}

std::vector<TopToken> candidates(std::span<const std::int64_t> count_V, std::int64_t expert_total, const Totals& totals,
                                 const LogOddsSettings& settings) {
  std::vector<TopToken> tokens;
  for (std::size_t v = 0; v < count_V.size(); ++v) {
    if (count_V[v] == 0 || totals.by_token[v] < settings.min_count) continue;
    const double here = log_smoothed_odds(count_V[v], expert_total, settings.smoothing, count_V.size());
    const double elsewhere = log_smoothed_odds(totals.by_token[v] - count_V[v], totals.all - expert_total,
                                               settings.smoothing, count_V.size());
    tokens.push_back({static_cast<std::int32_t>(v), count_V[v], here - elsewhere});
  }
  return tokens;
}

}  // namespace

std::vector<std::vector<TopToken>> top_tokens(std::span<const std::int64_t> count_EV, int num_experts,
                                              const LogOddsSettings& settings) {
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  MOESCOPE_ASSERT(settings.smoothing > 0.0 && settings.top_n >= 0, "the prior is positive, the list has a length");
  const auto experts = static_cast<std::size_t>(num_experts);
  MOESCOPE_ASSERT(count_EV.size() % experts == 0, "the matrix is experts times vocabulary");
  const std::size_t vocabulary = count_EV.size() / experts;
  std::vector<std::vector<TopToken>> result(experts);
  if (vocabulary < 2 || experts < 2) return result;
  const Totals totals = totals_of(count_EV, experts, vocabulary);
  for (std::size_t e = 0; e < experts; ++e) {
    result[e] = candidates(count_EV.subspan(e * vocabulary, vocabulary), totals.by_expert[e], totals, settings);
    const std::size_t length = std::min(result[e].size(), static_cast<std::size_t>(settings.top_n));
    std::partial_sort(result[e].begin(), result[e].begin() + static_cast<std::ptrdiff_t>(length), result[e].end(),
                      [](const TopToken& a, const TopToken& b) {
                        return a.log_odds > b.log_odds || (a.log_odds == b.log_odds && a.token_id < b.token_id);
                      });
    result[e].resize(length);
  }
  return result;
}

}  // namespace moescope::analysis
