#include "core/analysis/assignment_matching.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// Finds pairs of least cost for a matrix with rows ≤ columns, one row at a time. Invariant between rows:
/// cost(i, j) ≥ row_price[i] + column_price[j], with equality on the pairs made so far.
class LeastCost {
 public:
  explicit LeastCost(const Matrix& weight)
      : weight_(weight),
        row_price_(weight.rows, 0.0),
        column_price_(weight.columns, 0.0),
        column_of_row_(weight.rows, kNone),
        row_of_column_(weight.columns, kNone) {}

  void add_row(std::size_t row) {
    const std::size_t end = nearest_free_column(row);
    update_prices(row, distance_[end]);
    for (std::size_t column = end; column != kNone;) {  // swap pairs along the path, back to the row it started from
      const std::size_t owner = reached_from_[column];
      row_of_column_[column] = owner;
      std::swap(column_of_row_[owner], column);
    }
  }

  const std::vector<std::size_t>& column_of_row() const { return column_of_row_; }

 private:
  /// Dijkstra over columns: what a path from `row` that ends in each column costs beyond the prices paid.
  std::size_t nearest_free_column(std::size_t row) {
    distance_.assign(weight_.columns, std::numeric_limits<double>::infinity());
    reached_from_.assign(weight_.columns, kNone);
    settled_.assign(weight_.columns, false);
    double lowest = 0.0;
    for (std::size_t from = row;;) {
      std::size_t nearest = kNone;
      for (std::size_t j = 0; j < weight_.columns; ++j) {
        if (settled_[j]) continue;
        const double length = lowest - weight_(from, j) - row_price_[from] - column_price_[j];
        if (length < distance_[j]) {
          distance_[j] = length;
          reached_from_[j] = from;
        }
        if (nearest == kNone || distance_[j] < distance_[nearest]) nearest = j;
      }
      settled_[nearest] = true;
      lowest = distance_[nearest];
      if (row_of_column_[nearest] == kNone) return nearest;
      from = row_of_column_[nearest];
    }
  }

  void update_prices(std::size_t row, double lowest) {
    row_price_[row] += lowest;
    for (std::size_t j = 0; j < weight_.columns; ++j) {
      if (!settled_[j]) continue;
      column_price_[j] -= lowest - distance_[j];
      if (row_of_column_[j] != kNone) row_price_[row_of_column_[j]] += lowest - distance_[j];
    }
  }

  const Matrix& weight_;
  std::vector<double> row_price_, column_price_, distance_;
  std::vector<std::size_t> column_of_row_, row_of_column_, reached_from_;
  std::vector<bool> settled_;
};

}  // namespace

Matching max_weight_matching(const Matrix& weight) {
  MOESCOPE_ASSERT(std::all_of(weight.values.begin(), weight.values.end(), [](double w) { return std::isfinite(w); }),
                  "weights are finite");
  const bool wide = weight.rows <= weight.columns;
  const Matrix turned = wide ? weight : transposed(weight);
  LeastCost pairs(turned);
  for (std::size_t row = 0; row < turned.rows; ++row) pairs.add_row(row);
  Matching result{std::vector<int>(weight.rows, -1), 0.0};
  for (std::size_t i = 0; i < turned.rows; ++i) {
    const std::size_t j = pairs.column_of_row()[i];
    result.column_of_row[wide ? i : j] = static_cast<int>(wide ? j : i);
    result.total_weight += turned(i, j);
  }
  return result;
}

}  // namespace moescope::analysis
