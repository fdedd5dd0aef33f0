#include "core/model/pair_stream.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/seed.h"
#include "core/base/text.h"

namespace moescope::model {

namespace {

constexpr std::size_t kBatchesSortedTogether = 32;

std::vector<std::int32_t> part(const std::vector<std::int32_t>& tokens, const std::vector<std::int64_t>& begin_P,
                               std::int64_t pair) {
  const auto p = static_cast<std::size_t>(pair);
  return {tokens.begin() + begin_P[p], tokens.begin() + begin_P[p + 1]};
}

std::int64_t length(const std::vector<std::int64_t>& begin_P, std::int64_t pair) {
  const auto p = static_cast<std::size_t>(pair);
  return begin_P[p + 1] - begin_P[p];
}

std::int64_t num_pairs(const corpus::PairSplit& pairs) { return static_cast<std::int64_t>(pairs.label_P.size()); }

}  // namespace

std::int32_t tag_of(const corpus::Corpus& corpus, std::int16_t label) {
  return corpus.special.tag_of_label[static_cast<std::size_t>(label)];
}

std::vector<std::int64_t> source_row(const corpus::Corpus& corpus, const std::vector<std::int32_t>& source,
                                     std::int16_t label) {
  std::vector<std::int64_t> row{tag_of(corpus, label)};
  row.insert(row.end(), source.begin(), source.end());
  row.push_back(corpus.special.eos);
  return row;
}

std::vector<std::int32_t> source_of(const corpus::PairSplit& pairs, std::int64_t pair) {
  return part(pairs.source_tokens, pairs.source_begin_P, pair);
}

std::vector<std::int32_t> target_of(const corpus::PairSplit& pairs, std::int64_t pair) {
  return part(pairs.target_tokens, pairs.target_begin_P, pair);
}

std::int64_t pair_length(const corpus::PairSplit& pairs, std::int64_t pair) {
  return std::max(length(pairs.source_begin_P, pair) + 2, length(pairs.target_begin_P, pair) + 1);
}

std::vector<std::int64_t> fitting_pairs(const corpus::PairSplit& pairs, int context) {
  std::vector<std::int64_t> fitting;
  for (std::int64_t pair = 0; pair < num_pairs(pairs); ++pair) {
    if (pair_length(pairs, pair) <= context) fitting.push_back(pair);
  }
  return fitting;
}

Batch pair_batch(const corpus::Corpus& corpus, const corpus::PairSplit& pairs,
                 const std::vector<std::int64_t>& pair_B) {
  std::vector<std::vector<std::int64_t>> source, target;
  std::vector<std::int64_t> asked_T;
  for (const std::int64_t pair : pair_B) {
    source.push_back(source_row(corpus, source_of(pairs, pair), pairs.label_P[static_cast<std::size_t>(pair)]));
    const std::vector<std::int32_t> tokens = target_of(pairs, pair);
    target.push_back({corpus.special.bos});
    target.back().insert(target.back().end(), tokens.begin(), tokens.end());
    asked_T.insert(asked_T.end(), tokens.begin(), tokens.end());
    asked_T.push_back(corpus.special.eos);
  }
  const Padded from = padded(source, corpus.special.pad), to = padded(target, corpus.special.pad);
  return {to.tokens_BL, at::tensor(asked_T, at::kLong), to.cell_T, from.tokens_BL, from.cell_T};
}

PairStream::PairStream(const corpus::Corpus& corpus, int batch_size, int context, std::uint64_t run_seed)
    : corpus_(corpus),
      batch_size_(static_cast<std::size_t>(batch_size)),
      run_seed_(run_seed),
      pairs_(fitting_pairs(corpus.train_pairs, context)) {
  if (pairs_.empty()) throw std::runtime_error("no sentence pair fits into the context");
}

void PairStream::order_epoch(std::int64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  batches_.clear();
  const auto counter = static_cast<std::uint64_t>(epoch);
  std::vector<std::int64_t> order =
      shuffled(static_cast<std::int64_t>(pairs_.size()), derive_seed(run_seed_, "data order", counter));
  for (std::int64_t& place : order) place = pairs_[static_cast<std::size_t>(place)];
  const auto shorter = [this](std::int64_t a, std::int64_t b) {
    const corpus::PairSplit& pairs = corpus_.train_pairs;
    return std::pair(length(pairs.target_begin_P, a), length(pairs.source_begin_P, a)) <
           std::pair(length(pairs.target_begin_P, b), length(pairs.source_begin_P, b));
  };
  const std::size_t together = kBatchesSortedTogether * batch_size_;
  for (std::size_t first = 0; first < order.size(); first += together) {
    const std::size_t last = std::min(first + together, order.size());
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    std::stable_sort(at(first), at(last), shorter);
    for (std::size_t i = first; i < last; i += batch_size_) {
      batches_.emplace_back(at(i), at(std::min(i + batch_size_, last)));
    }
  }
  std::vector<std::vector<std::int64_t>> mixed;
  for (const std::int64_t place :
       shuffled(static_cast<std::int64_t>(batches_.size()), derive_seed(run_seed_, "batch order", counter))) {
    mixed.push_back(std::move(batches_[static_cast<std::size_t>(place)]));
  }
  batches_ = std::move(mixed);
}

Batch PairStream::batch(std::int64_t step) {
  const std::size_t per_epoch = (pairs_.size() + batch_size_ - 1) / batch_size_;
  const auto s = static_cast<std::size_t>(step);
  order_epoch(static_cast<std::int64_t>(s / per_epoch));
  return pair_batch(corpus_, corpus_.train_pairs, batches_[s % per_epoch]);
}

std::vector<Batch> fixed_pair_batches(const corpus::Corpus& corpus, const corpus::PairSplit& pairs, int batch_size,
                                      int context, int count) {
  const auto B = static_cast<std::size_t>(batch_size);
  const std::vector<std::int64_t> chosen = in_turn(pairs.label_P, fitting_pairs(pairs, context),
                                                   B * static_cast<std::size_t>(count), derive_seed(0, "validation"));
  std::vector<Batch> batches;
  for (std::size_t first = 0; first < chosen.size(); first += B) {
    const auto begin = chosen.begin() + static_cast<std::ptrdiff_t>(first);
    batches.push_back(
        pair_batch(corpus, pairs, {begin, begin + static_cast<std::ptrdiff_t>(std::min(B, chosen.size() - first))}));
  }
  return batches;
}

}  // namespace moescope::model
