#include "core/analysis/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/analysis/assignment_matching.h"
#include "core/analysis/load.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Counts = std::vector<std::int64_t>;

struct Margins {
  Counts row;
  Counts column;
  std::int64_t total = 0;
};

Margins margins_of(const CountTable& table) {
  Margins margins{Counts(static_cast<std::size_t>(table.num_rows), 0),
                  Counts(static_cast<std::size_t>(table.num_columns), 0)};
  for (std::size_t i = 0; i < margins.row.size(); ++i) {
    for (std::size_t j = 0; j < margins.column.size(); ++j) {
      const std::int64_t count = table.at(static_cast<int>(i), static_cast<int>(j));
      MOESCOPE_ASSERT(count >= 0, "a count is not negative");
      margins.row[i] += count;
      margins.column[j] += count;
      margins.total += count;
    }
  }
  return margins;
}

double mutual_information(const CountTable& table, const Margins& margins) {
  const auto total = static_cast<double>(margins.total);
  double sum = 0.0;
  for (std::size_t i = 0; i < margins.row.size(); ++i) {
    for (std::size_t j = 0; j < margins.column.size(); ++j) {
      const auto count = static_cast<double>(table.at(static_cast<int>(i), static_cast<int>(j)));
      if (count == 0.0) continue;
      const double independent = static_cast<double>(margins.row[i]) * static_cast<double>(margins.column[j]);
      sum += count / total * std::log(total * count / independent);
    }
  }
  return std::max(sum, 0.0);  // rounding may leave −1e-17 for independent sides
}

/// ln n! for n up to `total`. A table, because std::lgamma writes a global.
std::vector<double> log_factorials(std::int64_t total) {
  std::vector<double> log_factorial(static_cast<std::size_t>(total) + 1, 0.0);
  for (std::size_t n = 2; n < log_factorial.size(); ++n)
    log_factorial[n] = log_factorial[n - 1] + std::log(static_cast<double>(n));
  return log_factorial;
}

/// Mean information of tables with these margins under random pairing: a cell is hypergeometric (Vinh et al., eq. 24).
double expected_information(const Margins& margins) {
  const std::vector<double> log_factorial = log_factorials(margins.total);
  const auto lf = [&](std::int64_t n) { return log_factorial[static_cast<std::size_t>(n)]; };
  const std::int64_t m = margins.total;
  double sum = 0.0;
  for (const std::int64_t a : margins.row) {
    for (const std::int64_t b : margins.column) {
      const double fixed = lf(a) + lf(b) + lf(m - a) + lf(m - b) - lf(m);
      for (std::int64_t n = std::max<std::int64_t>(1, a + b - m); n <= std::min(a, b); ++n) {
        const double information = std::log(static_cast<double>(m) * static_cast<double>(n) /
                                            (static_cast<double>(a) * static_cast<double>(b)));
        const double log_probability = fixed - lf(n) - lf(a - n) - lf(b - n) - lf(m - a - b + n);
        sum += static_cast<double>(n) / static_cast<double>(m) * information * std::exp(log_probability);
      }
    }
  }
  return sum;
}

void fill_information(Agreement& result, const CountTable& table, const Margins& margins) {
  result.mutual_information = mutual_information(table, margins);
  result.row_entropy = load_statistics(margins.row).entropy;
  result.column_entropy = load_statistics(margins.column).entropy;
  const double mean = (result.row_entropy + result.column_entropy) / 2.0;
  if (mean == 0.0) {
    result.nmi = result.nmi_geometric = result.ami = 1.0;
    return;
  }
  const double geometric = std::sqrt(result.row_entropy * result.column_entropy);
  result.nmi = std::min(result.mutual_information / mean, 1.0);
  result.nmi_geometric = geometric > 0.0 ? std::min(result.mutual_information / geometric, 1.0) : 0.0;
  const double expected = expected_information(margins);
  const double room = mean - expected;  // 0 only if every pairing of these margins agrees fully
  result.ami = room > 1e-12 * mean ? (result.mutual_information - expected) / room : 1.0;
}

double pairs_within(std::int64_t count) { return static_cast<double>(count) * static_cast<double>(count - 1) / 2.0; }

double pairs_within(std::span<const std::int64_t> counts) {
  double sum = 0.0;
  for (const std::int64_t count : counts) sum += pairs_within(count);
  return sum;
}

double adjusted_rand_index(const CountTable& table, const Margins& margins) {
  const double all = pairs_within(margins.total);
  const double in_rows = pairs_within(margins.row);
  const double in_columns = pairs_within(margins.column);
  const double expected = all > 0.0 ? in_rows * in_columns / all : 0.0;
  const double largest = (in_rows + in_columns) / 2.0;
  return largest > expected ? (pairs_within(table.cells) - expected) / (largest - expected) : 1.0;
}

void fill_matched(Agreement& result, const CountTable& table, const Margins& margins) {
  Matrix weight(margins.row.size(), margins.column.size());
  std::copy(table.cells.begin(), table.cells.end(), weight.values.begin());
  const Matching matching = max_weight_matching(weight);
  const auto total = static_cast<double>(margins.total);
  result.matched_agreement = matching.total_weight / total;
  for (std::size_t i = 0; i < margins.row.size(); ++i) {
    if (matching.column_of_row[i] < 0) continue;
    const std::int64_t column = margins.column[static_cast<std::size_t>(matching.column_of_row[i])];
    result.chance_agreement += static_cast<double>(margins.row[i]) / total * (static_cast<double>(column) / total);
  }
  result.largest_share =
      static_cast<double>(std::max(*std::max_element(margins.row.begin(), margins.row.end()),
                                   *std::max_element(margins.column.begin(), margins.column.end()))) /
      total;
  result.kappa = result.chance_agreement < 1.0
                     ? (result.matched_agreement - result.chance_agreement) / (1.0 - result.chance_agreement)
                     : 1.0;
}

void fill_purity(Agreement& result, const CountTable& table, const Margins& margins) {
  Counts row_best(margins.row.size(), 0);
  Counts column_best(margins.column.size(), 0);
  for (std::size_t i = 0; i < row_best.size(); ++i) {
    for (std::size_t j = 0; j < column_best.size(); ++j) {
      const std::int64_t count = table.at(static_cast<int>(i), static_cast<int>(j));
      row_best[i] = std::max(row_best[i], count);
      column_best[j] = std::max(column_best[j], count);
    }
  }
  for (const std::int64_t best : row_best) result.purity_of_rows += static_cast<double>(best);
  for (const std::int64_t best : column_best) result.purity_of_columns += static_cast<double>(best);
  result.purity_of_rows /= static_cast<double>(margins.total);
  result.purity_of_columns /= static_cast<double>(margins.total);
}

Agreement undefined_agreement() {
  Agreement result;
  for (double* figure :
       {&result.mutual_information, &result.row_entropy, &result.column_entropy, &result.nmi, &result.nmi_geometric,
        &result.ami, &result.ari, &result.matched_agreement, &result.chance_agreement, &result.largest_share,
        &result.kappa, &result.purity_of_rows, &result.purity_of_columns})
    *figure = kNan;
  return result;
}

/// Deviations from the mean in unit length; empty if all loads are equal.
std::vector<double> standardized(std::span<const double> load_E) {
  const auto [least, most] = std::minmax_element(load_E.begin(), load_E.end());
  if (*least == *most) return {};
  double mean = 0.0;
  for (const double load : load_E) mean += load;
  mean /= static_cast<double>(load_E.size());
  std::vector<double> deviation_E(load_E.begin(), load_E.end());
  for (double& deviation : deviation_E) deviation -= mean;
  const double length = norm(deviation_E);
  for (double& deviation : deviation_E) deviation /= length;
  return deviation_E;
}

}  // namespace

Agreement agreement(const CountTable& table) {
  const Margins margins = margins_of(table);
  Agreement result = margins.total == 0 ? undefined_agreement() : Agreement{};
  result.num_tokens = margins.total;
  result.skipped_tokens = table.skipped_tokens;
  if (margins.total == 0) return result;
  fill_information(result, table, margins);
  result.ari = adjusted_rand_index(table, margins);
  fill_matched(result, table, margins);
  fill_purity(result, table, margins);
  return result;
}

RunConsistency run_consistency(std::span<const double> load_RE, int num_experts) {
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  const auto width = static_cast<std::size_t>(num_experts);
  MOESCOPE_ASSERT(load_RE.size() % width == 0, "every run has one load per expert");
  RunConsistency result{kNan, kNan, static_cast<int>(load_RE.size() / width)};
  std::vector<double> sum_E(width, 0.0);
  for (std::size_t begin = 0; begin < load_RE.size(); begin += width) {
    const std::vector<double> run_E = standardized(load_RE.subspan(begin, width));
    if (run_E.empty()) return result;
    for (std::size_t e = 0; e < width; ++e) sum_E[e] += run_E[e];
  }
  if (result.num_runs == 0) return result;
  const double runs = result.num_runs;
  const double all_pairs = dot(sum_E, sum_E);  // Σ_ij ⟨z_i, z_j⟩ = ‖Σ_i z_i‖², hence never below 0
  result.consistency = all_pairs / (runs * runs);
  if (result.num_runs > 1) result.off_diagonal_mean = (all_pairs - runs) / (runs * (runs - 1.0));
  return result;
}

}  // namespace moescope::analysis
