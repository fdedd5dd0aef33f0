#include "core/analysis/specialisation.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/analysis/load.h"
#include "core/base/assert.h"
#include "core/base/seed.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// I / H, and 1 where there is nothing to know.
double share_known(double information, double entropy) {
  return entropy == 0.0 ? 1.0 : std::min(information / entropy, 1.0);  // NaN passes through
}

void fill_class_shares(Specialisation& result, const CountTable& class_expert) {
  for (int c = 0; c < class_expert.num_rows; ++c) {
    double tokens = 0.0;
    for (int e = 0; e < class_expert.num_columns; ++e) tokens += static_cast<double>(class_expert.at(c, e));
    for (int e = 0; e < class_expert.num_columns; ++e)
      result.share_CE.at(c, e) = tokens > 0.0 ? static_cast<double>(class_expert.at(c, e)) / tokens : kNan;
  }
  result.share_CE.num_tokens = class_expert.num_tokens;
  result.share_CE.skipped_tokens = class_expert.skipped_tokens;
}

void fill_class_entropies(Specialisation& result, const CountTable& class_expert) {
  for (int e = 0; e < class_expert.num_columns; ++e) {
    std::vector<std::int64_t> count_C;
    for (int c = 0; c < class_expert.num_rows; ++c) count_C.push_back(class_expert.at(c, e));
    result.class_entropy_E.push_back(load_statistics(count_C).entropy);
  }
}

std::vector<int> shuffled(std::vector<int> values, std::uint64_t seed) {
  SeededWords words(seed);
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[words.below(i)]);
  return values;
}

}  // namespace

Specialisation specialisation(const CountTable& class_expert) {
  Specialisation result(class_expert.num_rows, class_expert.num_columns);
  result.agreement = agreement(class_expert);
  const Agreement& both = result.agreement;
  result.homogeneity = share_known(both.mutual_information, both.row_entropy);
  result.completeness = share_known(both.mutual_information, both.column_entropy);
  fill_class_shares(result, class_expert);
  fill_class_entropies(result, class_expert);
  return result;
}

PermutationBaseline permutation_baseline(std::span<const std::int16_t> class_T, int num_classes,
                                         const LayerChoices& choices, std::uint64_t seed, int num_draws) {
  const CountTable counted = class_expert_counts(class_T, num_classes, choices);
  std::vector<int> class_M, expert_M;
  for (int c = 0; c < counted.num_rows; ++c) {
    for (int e = 0; e < counted.num_columns; ++e) {
      class_M.insert(class_M.end(), static_cast<std::size_t>(counted.at(c, e)), c);
      expert_M.insert(expert_M.end(), static_cast<std::size_t>(counted.at(c, e)), e);
    }
  }
  std::vector<double> homogeneity, completeness, nmi, ari, purity;
  for (int draw = 0; draw < num_draws; ++draw) {
    const std::uint64_t draw_seed = derive_seed(seed, "permutation baseline", static_cast<std::uint64_t>(draw));
    const std::vector<int> shuffled_M = shuffled(class_M, draw_seed);
    CountTable table(counted.num_rows, counted.num_columns);
    for (std::size_t m = 0; m < shuffled_M.size(); ++m) ++table.at(shuffled_M[m], expert_M[m]);
    const Agreement both = agreement(table);
    homogeneity.push_back(share_known(both.mutual_information, both.row_entropy));
    completeness.push_back(share_known(both.mutual_information, both.column_entropy));
    nmi.push_back(both.nmi);
    ari.push_back(both.ari);
    purity.push_back(both.purity_of_columns);
  }
  return {spread(homogeneity), spread(completeness), spread(nmi), spread(ari), spread(purity)};
}

double token_determinism(std::span<const std::int64_t> count_EV, int num_experts) {
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  const auto experts = static_cast<std::size_t>(num_experts);
  MOESCOPE_ASSERT(count_EV.size() % experts == 0, "every expert has one count per vocabulary entry");
  const std::size_t vocabulary = count_EV.size() / experts;
  std::int64_t total = 0;
  std::int64_t at_usual_expert = 0;
  for (std::size_t v = 0; v < vocabulary; ++v) {
    std::int64_t most = 0;
    for (std::size_t e = 0; e < experts; ++e) {
      MOESCOPE_ASSERT(count_EV[e * vocabulary + v] >= 0, "a count is not negative");
      total += count_EV[e * vocabulary + v];
      most = std::max(most, count_EV[e * vocabulary + v]);
    }
    at_usual_expert += most;
  }
  return total == 0 ? kNan : static_cast<double>(at_usual_expert) / static_cast<double>(total);
}

}  // namespace moescope::analysis
