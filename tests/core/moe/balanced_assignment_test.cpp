// The balanced assignment against every possible one on small cases, and against the assignment problem's own solver.

#include "core/moe/balanced_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "core/analysis/assignment_matching.h"
#include "core/base/seed.h"

namespace moescope::moe {
namespace {

using Scores = std::vector<double>;
using Experts = std::vector<std::int32_t>;

double sum_of(const Scores& scores_TE, int num_experts, const Experts& expert_T) {
  double sum = 0;
  for (std::size_t t = 0; t < expert_T.size(); ++t) {
    sum += scores_TE[t * static_cast<std::size_t>(num_experts) + static_cast<std::size_t>(expert_T[t])];
  }
  return sum;
}

/// Each token once by its place in the list; every expert ⌊T/E⌋ or ⌈T/E⌉ of them.
void expect_valid(const Experts& expert_T, std::size_t num_tokens, int num_experts) {
  ASSERT_EQ(expert_T.size(), num_tokens);
  std::vector<std::size_t> load_E(static_cast<std::size_t>(num_experts), 0);
  for (const std::int32_t expert : expert_T) {
    ASSERT_TRUE(expert >= 0 && expert < num_experts);
    ++load_E[static_cast<std::size_t>(expert)];
  }
  const std::size_t experts = load_E.size();
  for (const std::size_t load : load_E) {
    EXPECT_GE(load, num_tokens / experts);
    EXPECT_LE(load, (num_tokens + experts - 1) / experts);
  }
}

/// The largest sum by trying every assignment.
double best_sum(const Scores& scores_TE, int num_experts) {
  const std::size_t experts = static_cast<std::size_t>(num_experts), tokens = scores_TE.size() / experts;
  std::vector<std::size_t> load_E(experts, 0);
  double best = -std::numeric_limits<double>::infinity();
  const auto go_on = [&](const auto& self, std::size_t token, double sum) -> void {
    if (token == tokens) {
      if (std::all_of(load_E.begin(), load_E.end(), [&](std::size_t load) { return load >= tokens / experts; })) {
        best = std::max(best, sum);
      }
      return;
    }
    for (std::size_t e = 0; e < experts; ++e) {
      if (load_E[e] == (tokens + experts - 1) / experts) continue;
      ++load_E[e];
      self(self, token + 1, sum + scores_TE[token * experts + e]);
      --load_E[e];
    }
  };
  go_on(go_on, 0, 0);
  return best;
}

TEST(BalancedAssignment, KnownCases) {
  EXPECT_EQ(balanced_assignment(Scores{5, 1, 4, 2, 3, 2.5, 2, 1}, 2), (Experts{0, 0, 1, 1}));
  const Scores f1 = {1, 0, -1, 0, 1, .25, 1, .5, -.875, -1, 2, 1.5, 2, 0, -2, -2, .5, 2.125};
  EXPECT_EQ(balanced_assignment(f1, 3), (Experts{0, 1, 1, 2, 0, 2}));
  EXPECT_EQ(balanced_assignment({}, 3), Experts{});
  EXPECT_EQ(balanced_assignment(Scores{1, 7, 3}, 3), Experts{1});
  EXPECT_EQ(balanced_assignment(Scores{-4, -4, -4}, 1), (Experts{0, 0, 0}));
}

/// Scores of one kind; the harder ones have many equal sums.
double score(SeededWords& words, int kind) {
  switch (kind) {
    case 0: return 4 * words.unit() - 2;
    case 1: return static_cast<double>(words.below(3));      // many ties
    case 2: return 1e6 * words.unit() - 3e6;                 // far from zero
    case 3: return words.below(4) == 0 ? 10 : words.unit();  // few stand out
    default: return std::pow(10, 12 * words.unit() - 6);     // all magnitudes
  }
}

TEST(BalancedAssignment, IsTheBestOfAllOnSmallCases) {
  SeededWords words(3);
  double largest_gap = 0;
  for (int kind = 0; kind < 5; ++kind) {
    for (int num_experts = 1; num_experts <= 4; ++num_experts) {
      for (int num_tokens = 1; num_tokens <= 8; ++num_tokens) {
        for (int repeat = 0; repeat < 6; ++repeat) {
          Scores scores_TE(static_cast<std::size_t>(num_tokens * num_experts));
          for (double& one : scores_TE) one = score(words, kind);
          const Experts expert_T = balanced_assignment(scores_TE, num_experts);
          expect_valid(expert_T, static_cast<std::size_t>(num_tokens), num_experts);
          const double best = best_sum(scores_TE, num_experts), got = sum_of(scores_TE, num_experts, expert_T);
          largest_gap = std::max(largest_gap, (best - got) / std::max(1.0, std::fabs(best)));
          ASSERT_LE(best - got, 1e-9 * std::max(1.0, std::fabs(best)))
              << num_tokens << " tokens, " << num_experts << " experts, kind " << kind << ", repeat " << repeat;
        }
      }
    }
  }
  std::printf("largest relative gap to the optimum over 960 small cases: %.1e\n", largest_gap);
}

TEST(BalancedAssignment, AgreesWithTheAssignmentProblemsSolver) {
  SeededWords words(5);
  for (const int num_experts : {2, 5, 8}) {
    for (int kind = 0; kind < 5; ++kind) {
      const int slots = 9, num_tokens = slots * num_experts;
      Scores scores_TE(static_cast<std::size_t>(num_tokens * num_experts));
      for (double& one : scores_TE) one = score(words, kind);
      analysis::Matrix weight(static_cast<std::size_t>(num_tokens), static_cast<std::size_t>(num_tokens));
      for (int t = 0; t < num_tokens; ++t) {
        for (int column = 0; column < num_tokens; ++column) {
          weight(static_cast<std::size_t>(t), static_cast<std::size_t>(column)) =
              scores_TE[static_cast<std::size_t>(t * num_experts + column / slots)];
        }
      }
      const Experts expert_T = balanced_assignment(scores_TE, num_experts);
      expect_valid(expert_T, static_cast<std::size_t>(num_tokens), num_experts);
      const double best = analysis::max_weight_matching(weight).total_weight;
      EXPECT_NEAR(sum_of(scores_TE, num_experts, expert_T), best, 1e-9 * std::max(1.0, std::fabs(best))) << kind;
    }
  }
}

/// An auction that raises prices can lose most where every token wants the same experts.
TEST(BalancedAssignment, TokensThatWantTheSameAreStillServedBest) {
  const int num_tokens = 64, num_experts = 8;
  Scores scores_TE;
  for (int t = 0; t < num_tokens; ++t) {
    for (int e = 0; e < num_experts; ++e) scores_TE.push_back((num_experts - e) * (1 + t / 64.0));
  }
  const Experts expert_T = balanced_assignment(scores_TE, num_experts);
  expect_valid(expert_T, 64, num_experts);
  double best = 0;  // the larger a token's slope, the better its expert
  for (int t = 0; t < num_tokens; ++t) best += (t / 8 + 1) * (1 + t / 64.0);
  EXPECT_NEAR(sum_of(scores_TE, num_experts, expert_T), best, 1e-9);
}

TEST(BalancedAssignment, EqualScoresEndAlikeEachTime) {
  const Scores scores_TE(1000 * 7, 0.25);
  const Experts first = balanced_assignment(scores_TE, 7);
  expect_valid(first, 1000, 7);
  EXPECT_EQ(balanced_assignment(scores_TE, 7), first);
}

TEST(BalancedAssignment, LargeBatchesEnd) {
  SeededWords words(9);
  for (const auto& [num_tokens, num_experts] : {std::pair{1024, 8}, std::pair{4099, 16}, std::pair{3, 64}}) {
    Scores scores_TE(static_cast<std::size_t>(num_tokens * num_experts));
    for (double& one : scores_TE) one = words.unit();
    const auto start = std::chrono::steady_clock::now();
    const Experts expert_T = balanced_assignment(scores_TE, num_experts);
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    expect_valid(expert_T, static_cast<std::size_t>(num_tokens), num_experts);
    std::printf("%d tokens, %d experts: %.1f ms\n", num_tokens, num_experts, spent.count());
  }
}

}  // namespace
}  // namespace moescope::moe
