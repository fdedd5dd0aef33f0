#include "core/model/beam_search.h"

#include <ATen/ops/log_softmax.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/model/pair_stream.h"
#include "tests/core/model/tiny_config.h"
#include "tests/core/model/tiny_pairs.h"

namespace moescope {
namespace {

/// No routing, so that a prefix gives the same logits in any company.
class BeamSearch : public ::testing::Test {
 protected:
  BeamSearch()
      : corpus_(test::tiny_pairs()),
        config_(test::tiny_config("dense", {"model.objective=translation", "data.corpus=synthetic_pairs"})),
        model_(config_, *moe::find_method("dense"), corpus_->vocab_size(), corpus_->special) {
    // Fresh logits are nearly alike; somewhat sharper ones make a search worth the name.
    const c10::AutoGradMode no_gradient(false);
    for (moe::Parameter& one : model_.parameters().all()) {
      if (one.name == "embedding.token") one.tensor.mul_(1.5);
    }
    for (std::int64_t pair = 0; pair < 12; ++pair) {
      const auto label = corpus_->valid_pairs.label_P[static_cast<std::size_t>(pair)];
      rows_.push_back(model::source_row(*corpus_, model::source_of(corpus_->valid_pairs, pair), label));
    }
  }

  std::vector<model::Hypothesis> search(int width, double length_penalty = 1) {
    return model::beam_search(model_, rows_, {width, length_penalty});
  }

  /// By one pass over the whole hypothesis.
  double log_prob(std::size_t row, const model::Hypothesis& hypothesis) {
    const c10::AutoGradMode no_gradient(false);
    std::vector<std::int64_t> prefix{corpus_->special.bos};
    std::vector<std::int64_t> asked(hypothesis.tokens.begin(), hypothesis.tokens.end());
    prefix.insert(prefix.end(), asked.begin(), asked.end());
    if (hypothesis.ended) {
      asked.push_back(corpus_->special.eos);
    } else {
      prefix.pop_back();
    }
    const model::Padded source = model::padded({rows_[row]}, 0), target = model::padded({prefix}, 0);
    const model::Batch batch{target.tokens_BL, {}, {}, source.tokens_BL, {}};
    const at::Tensor log_p_TV =
        at::log_softmax(model_.forward(batch, moe::RouteMode::kEvaluate, 0).logits_TV, 1).contiguous();
    double sum = 0;
    for (std::size_t t = 0; t < asked.size(); ++t) {
      sum += static_cast<double>(
          log_p_TV.const_data_ptr<float>()[static_cast<std::int64_t>(t) * log_p_TV.size(1) + asked[t]]);
    }
    return sum;
  }

  std::shared_ptr<const corpus::Corpus> corpus_;
  config::RunConfig config_;
  model::Translator model_;
  std::vector<std::vector<std::int64_t>> rows_;
};

TEST_F(BeamSearch, ScoresAreThoseOfOnePassOverTheHypothesis) {
  for (const int width : {1, 3, 4}) {
    const auto found = search(width);
    ASSERT_EQ(found.size(), rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      EXPECT_NEAR(found[r].log_prob, log_prob(r, found[r]), 1e-3) << "row " << r << ", width " << width;
      const double length = static_cast<double>(found[r].tokens.size()) + (found[r].ended ? 1 : 0);
      EXPECT_NEAR(found[r].score, found[r].log_prob / ((5 + length) / 6), 1e-9);
    }
  }
}

TEST_F(BeamSearch, AWiderBeamFindsNoWorseHypotheses) {
  const auto greedy = search(1, 0), beam = search(8, 0);
  double sum_greedy = 0, sum_beam = 0;
  int better = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    sum_greedy += greedy[r].score;
    sum_beam += beam[r].score;
    EXPECT_GE(beam[r].score, greedy[r].score - 1e-6) << r;
    better += beam[r].score > greedy[r].score + 1e-6;
  }
  EXPECT_GE(sum_beam, sum_greedy);
  EXPECT_GT(better, 0) << "else this model tells nothing";
}

TEST_F(BeamSearch, AnswersDoNotDependOnTheirCompany) {
  const auto together = search(4);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    const auto alone = model::beam_search(model_, {rows_[r]}, {4, 1});
    EXPECT_EQ(alone.front().tokens, together[r].tokens) << r;
  }
}

TEST_F(BeamSearch, FindsWordsOnlyAndStaysInsideTheContext) {
  for (const model::Hypothesis& one : search(4)) {
    EXPECT_LT(one.tokens.size(), 16U);
    for (const std::int32_t id : one.tokens) EXPECT_LT(id, test::kWords);
  }
}

TEST_F(BeamSearch, AStopEndsIt) {
  int asked = 0;
  const auto found = model::beam_search(model_, rows_, {4, 1}, [&] { return ++asked > 2; });
  ASSERT_EQ(found.size(), rows_.size());
  EXPECT_LE(found.front().tokens.size(), 2U);
  EXPECT_TRUE(model::beam_search(model_, {}, {4, 1}).empty());
}

}  // namespace
}  // namespace moescope
