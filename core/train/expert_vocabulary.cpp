#include "core/train/expert_vocabulary.h"

#include "core/analysis/log_odds.h"
#include "core/train/probe_text.h"

namespace moescope::train {

namespace {
constexpr int kHalfLifeSteps = 200;
}

ExpertVocabulary::ExpertVocabulary(int num_layers, int num_experts, int vocab_size)
    : num_experts_(num_experts), vocab_size_(vocab_size) {
  const auto entries = static_cast<std::size_t>(num_experts) * static_cast<std::size_t>(vocab_size);
  count_LEV_.assign(static_cast<std::size_t>(num_layers), std::vector<std::int64_t>(entries, 0));
}

void ExpertVocabulary::count(const std::vector<moe::LayerRecord>& layers) {
  for (std::size_t l = 0; l < layers.size() && l < count_LEV_.size(); ++l) {
    const moe::SparseRouting* sparse = layers[l].routing.sparse();
    if (!sparse) continue;
    const at::Tensor token_id_T = layers[l].token_id_T.contiguous();
    const auto* token_T = token_id_T.const_data_ptr<std::int64_t>();
    const at::Tensor token_N = sparse->token_N.contiguous(), expert_N = sparse->expert_N.contiguous();
    const auto* token = token_N.const_data_ptr<std::int64_t>();
    const auto* expert = expert_N.const_data_ptr<std::int64_t>();
    for (std::int64_t n = 0; n < token_N.size(0); ++n) {
      ++count_LEV_[l][static_cast<std::size_t>(expert[n] * vocab_size_ + token_T[token[n]])];
    }
  }
  if (++steps_since_halving_ < kHalfLifeSteps) return;
  steps_since_halving_ = 0;
  for (auto& counts : count_LEV_) {
    for (std::int64_t& count : counts) count /= 2;
  }
}

std::vector<telemetry::ExpertTokens> ExpertVocabulary::top(const corpus::Corpus& corpus) const {
  const analysis::LogOddsSettings settings{.top_n = 12, .min_count = 20};
  std::vector<telemetry::ExpertTokens> all;
  for (std::size_t l = 0; l < count_LEV_.size(); ++l) {
    const auto best = analysis::top_tokens(count_LEV_[l], num_experts_, settings);
    for (std::size_t e = 0; e < best.size(); ++e) {
      telemetry::ExpertTokens card;
      card.layer = static_cast<int>(l);
      card.expert = static_cast<int>(e);
      for (const analysis::TopToken& token : best[e]) {
        card.tokens.push_back(piece_of(corpus, token.token_id));
        card.log_odds.push_back(static_cast<float>(token.log_odds));
      }
      all.push_back(std::move(card));
    }
  }
  return all;
}

}  // namespace moescope::train
