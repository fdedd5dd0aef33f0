// The scalar router kernel against numbers from outside (F1, and a plain fp64 softmax with a stable sort).

#include "kernels/router_topk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/kernels/f1_fixture.h"
#include "tests/kernels/kernel_arrays.h"

namespace moescope::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Routed {
  RouterArrays arrays;
  BadRows bad;
};

Routed route(const std::vector<float>& scores_TE, const RouterTopkShape& shape) {
  Routed routed{RouterArrays(shape), {}};
  routed.bad = router_topk(scores_TE.data(), shape, routed.arrays.pointers(), 0, shape.num_tokens);
  return routed;
}

TEST(RouterTopk, GivesTheDigitsOfF1) {
  const RouterTopkShape shape{f1::kTokens, f1::kExperts, 2};
  const Routed routed = route({f1::kScores_TE.begin(), f1::kScores_TE.end()}, shape);
  EXPECT_EQ(routed.bad.count, 0);
  EXPECT_EQ(routed.bad.first, -1);
  for (std::size_t i = 0; i < f1::kProbs_TE.size(); ++i) {
    EXPECT_NEAR(routed.arrays.probs_TE[i], f1::kProbs_TE[i], 6e-7f) << "element " << i;
  }
  for (std::size_t t = 0; t < f1::kTokens; ++t) {
    EXPECT_NEAR(routed.arrays.entropy_T[t], f1::kEntropy_T[t], 6e-7f) << "token " << t;
    EXPECT_EQ(routed.arrays.expert_TK[2 * t], f1::kBest_T[t]) << "token " << t;
    EXPECT_EQ(routed.arrays.expert_TK[2 * t + 1], f1::kSecond_T[t]) << "token " << t;
  }
  const float mean_margin = std::accumulate(routed.arrays.margin_T.begin(), routed.arrays.margin_T.end(), 0.0f) / 6.0f;
  EXPECT_NEAR(mean_margin, .429982f, 1e-6f);
}

TEST(RouterTopk, SelectionMarginAtOneChoiceIsTheLogitMarginOfF1) {
  const Routed routed = route({f1::kScores_TE.begin(), f1::kScores_TE.end()}, {f1::kTokens, f1::kExperts, 1});
  for (std::size_t t = 0; t < f1::kTokens; ++t) {
    EXPECT_FLOAT_EQ(routed.arrays.selection_margin_T[t], f1::kLogitMargin_T[t]);
  }
}

TEST(RouterTopk, LowestIndexWinsATie) {
  const Routed routed = route({1, 2, 2, 1, 2}, {1, 5, 4});
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{1, 2, 4, 0}));
  EXPECT_FLOAT_EQ(routed.arrays.margin_T[0], 0.0f);
  EXPECT_FLOAT_EQ(routed.arrays.selection_margin_T[0], 0.0f);
}

TEST(RouterTopk, EqualScoresGiveUniformProbabilitiesAndFullEntropy) {
  const Routed routed = route(std::vector<float>(8, 3.5f), {1, 8, 8});
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_FLOAT_EQ(routed.arrays.probs_TE[5], 0.125f);
  EXPECT_NEAR(routed.arrays.entropy_T[0], std::log(8.0f), 1e-6f);
}

TEST(RouterTopk, AllExpertsChosenLeavesNothingToDisplaceThem) {
  const Routed routed = route({0, 3, 1}, {1, 3, 3});
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{1, 2, 0}));
  EXPECT_EQ(routed.arrays.selection_margin_T[0], kInf);
}

TEST(RouterTopk, OneExpertHasMarginOneAndNoEntropy) {
  const Routed routed = route({-4, 9}, {2, 1, 1});
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(routed.arrays.probs_TE, (std::vector<float>{1, 1}));
  EXPECT_EQ(routed.arrays.margin_T, (std::vector<float>{1, 1}));
  EXPECT_EQ(routed.arrays.entropy_T, (std::vector<float>{0, 0}));
}

TEST(RouterTopk, ABadRowIsReportedAndNotSpread) {
  const RouterTopkShape shape{4, 2, 1};
  const Routed routed = route({1, 2, kNan, 1, 3, kInf, 2, 1}, shape);
  EXPECT_EQ(routed.bad.count, 2);
  EXPECT_EQ(routed.bad.first, 1);
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{1, kNoExpert, kNoExpert, 0}));
  EXPECT_EQ(routed.arrays.probs_TE[2], 0.0f);
  EXPECT_EQ(routed.arrays.probs_TE[4], 0.0f);
  EXPECT_EQ(routed.arrays.entropy_T[1], 0.0f);
  EXPECT_EQ(routed.arrays.margin_T[2], 0.0f);
  EXPECT_NEAR(routed.arrays.probs_TE[6], 0.731059f, 1e-6f);
}

TEST(RouterTopk, AMaskedExpertIsNeverChosen) {
  const Routed routed = route({-kInf, 0, -kInf}, {1, 3, 2});
  EXPECT_EQ(routed.bad.count, 0);
  EXPECT_EQ(routed.arrays.expert_TK, (std::vector<std::int32_t>{1, kNoExpert}));
  EXPECT_EQ(routed.arrays.probs_TE, (std::vector<float>{0, 1, 0}));
  EXPECT_EQ(routed.arrays.margin_T[0], 1.0f);
  EXPECT_EQ(routed.arrays.entropy_T[0], 0.0f);
  EXPECT_EQ(routed.arrays.selection_margin_T[0], kInf);
}

TEST(RouterTopk, ARowWithEveryExpertMaskedIsBad) {
  const Routed routed = route({-kInf, -kInf}, {1, 2, 1});
  EXPECT_EQ(routed.bad.count, 1);
  EXPECT_EQ(routed.bad.first, 0);
  EXPECT_EQ(routed.arrays.expert_TK[0], kNoExpert);
}

TEST(RouterTopk, HugeScoresDoNotOverflow) {
  const Routed routed = route({3e38f, -3e38f, 1e4f, 1e4f}, {2, 2, 1});
  EXPECT_EQ(routed.arrays.probs_TE, (std::vector<float>{1, 0, 0.5f, 0.5f}));
  EXPECT_EQ(routed.arrays.entropy_T[0], 0.0f);
}

TEST(RouterTopk, NoTokensTouchNothing) {
  const Routed routed = route({}, {0, 4, 2});
  EXPECT_EQ(routed.bad.count, 0);
  EXPECT_EQ(routed.bad.first, -1);
}

TEST(RouterTopk, TheSelectionMarginIsOptional) {
  const RouterTopkShape shape{1, 3, 1};
  RouterArrays arrays(shape);
  RouterTopkOutput output = arrays.pointers();
  output.selection_margin_T = nullptr;
  const std::vector<float> scores = {0, 1, 2};
  router_topk(scores.data(), shape, output, 0, 1);
  EXPECT_EQ(arrays.expert_TK[0], 2);
  EXPECT_EQ(arrays.selection_margin_T[0], -7.0f);
}

TEST(RouterTopk, RowRangesTogetherEqualOneCall) {
  std::mt19937_64 random(11);
  const RouterTopkShape shape{41, 7, 3};
  const std::vector<float> scores = random_scores(shape, random);
  const Routed whole = route(scores, shape);
  RouterArrays parts(shape);
  const BadRows low = router_topk(scores.data(), shape, parts.pointers(), 0, 17);
  EXPECT_EQ(parts.expert_TK[size_of(17 * shape.top_k)], -7) << "a row outside the range was written";
  const BadRows high = router_topk(scores.data(), shape, parts.pointers(), 17, 41);
  EXPECT_EQ(low.count + high.count, whole.bad.count);
  EXPECT_EQ(parts.probs_TE, whole.arrays.probs_TE);
  EXPECT_EQ(parts.expert_TK, whole.arrays.expert_TK);
  EXPECT_EQ(parts.entropy_T, whole.arrays.entropy_T);
  EXPECT_EQ(parts.selection_margin_T, whole.arrays.selection_margin_T);
}

/// What one row should give, in fp64 and with a library sort.
void expect_row_is_right(const float* score_E, const RouterTopkShape& shape, RouterArrays& got, std::int64_t t) {
  std::vector<std::int32_t> order;
  double sum = 0.0;
  for (std::int32_t e = 0; e < shape.num_experts; ++e) {
    if (score_E[e] != -kInf) order.push_back(e);
    sum += std::exp(static_cast<double>(score_E[e]));
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return score_E[a] > score_E[b]; });
  double entropy = 0.0;
  for (std::int32_t e = 0; e < shape.num_experts; ++e) {
    const double prob = std::exp(static_cast<double>(score_E[e])) / sum;
    if (prob > 0.0) entropy -= prob * std::log(prob);
    EXPECT_NEAR(got.probs_TE[size_of(t * shape.num_experts + e)], prob, 1e-6);
  }
  EXPECT_NEAR(got.entropy_T[size_of(t)], entropy, 2e-6);
  for (std::int32_t k = 0; k < shape.top_k; ++k) {
    const std::int32_t expected = size_of(k) < order.size() ? order[size_of(k)] : kNoExpert;
    EXPECT_EQ(got.expert_TK[size_of(t * shape.top_k + k)], expected);
  }
  const double second = order.size() > 1 ? std::exp(static_cast<double>(score_E[order[1]])) : 0.0;
  EXPECT_NEAR(got.margin_T[size_of(t)], (std::exp(static_cast<double>(score_E[order[0]])) - second) / sum, 1e-6);
  const auto k = size_of(shape.top_k);
  const float cut = order.size() > k ? score_E[order[k - 1]] - score_E[order[k]] : kInf;
  EXPECT_EQ(got.selection_margin_T[size_of(t)], cut);
}

TEST(RouterTopk, EveryShapeAgreesWithAStableSortAndAnFp64Softmax) {
  std::mt19937_64 random(2024);
  for (const std::int32_t num_experts : {1, 2, 3, 8, 31, 32, 33, 65, 128}) {
    for (const std::int32_t top_k : {1, 2, 3, num_experts}) {
      if (top_k > num_experts) continue;
      const RouterTopkShape shape{23, num_experts, top_k};
      const std::vector<float> scores = random_scores(shape, random);
      Routed routed = route(scores, shape);
      std::int64_t bad = 0;
      for (std::int64_t t = 0; t < shape.num_tokens; ++t) {
        const float* row = scores.data() + t * num_experts;
        const bool all_masked = std::all_of(row, row + num_experts, [](float s) { return s == -kInf; });
        if (all_masked || std::any_of(row, row + num_experts, [](float s) { return std::isnan(s) || s == kInf; })) {
          ++bad;
          EXPECT_EQ(routed.arrays.expert_TK[size_of(t * top_k)], kNoExpert);
        } else {
          expect_row_is_right(row, shape, routed.arrays, t);
        }
      }
      EXPECT_EQ(routed.bad.count, bad);
    }
  }
}

}  // namespace
}  // namespace moescope::kernels
