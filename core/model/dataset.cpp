#include "core/model/dataset.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "core/base/seed.h"

namespace moescope::model {

namespace {

std::int64_t windows_in(const corpus::Split& split, int context) {
  const auto tokens = static_cast<std::int64_t>(split.tokens.size());
  return tokens <= context ? 0 : (tokens - 1) / context;
}

Batch make_batch(const corpus::Split& split, const std::vector<std::int64_t>& begin_B, int context) {
  const auto B = static_cast<std::int64_t>(begin_B.size());
  Batch batch{at::empty({B, context}, at::kLong), at::empty({B * context}, at::kLong)};
  auto* token = batch.tokens_BL.mutable_data_ptr<std::int64_t>();
  auto* target = batch.target_T.mutable_data_ptr<std::int64_t>();
  for (const std::int64_t begin : begin_B) {
    const std::int32_t* source = split.tokens.data() + begin;
    token = std::copy(source, source + context, token);
    target = std::copy(source + 1, source + 1 + context, target);
  }
  return batch;
}

}  // namespace

bool has_padding(const std::string& objective) { return objective == "translation" || objective == "classification"; }

Padded padded(const std::vector<std::vector<std::int64_t>>& rows, std::int64_t pad) {
  MOESCOPE_ASSERT(!rows.empty(), "a grid has a sequence");
  std::size_t longest = 0, tokens = 0;
  for (const auto& row : rows) {
    MOESCOPE_ASSERT(!row.empty(), "a sequence has a token");
    longest = std::max(longest, row.size());
    tokens += row.size();
  }
  const auto B = static_cast<std::int64_t>(rows.size()), L = static_cast<std::int64_t>(longest);
  Padded grid{at::full({B, L}, pad, at::kLong), {}};
  auto* token = grid.tokens_BL.mutable_data_ptr<std::int64_t>();
  for (std::size_t b = 0; b < rows.size(); ++b) std::copy(rows[b].begin(), rows[b].end(), token + b * longest);
  if (tokens == rows.size() * longest) return grid;
  grid.cell_T = at::empty({static_cast<std::int64_t>(tokens)}, at::kLong);
  auto* cell = grid.cell_T.mutable_data_ptr<std::int64_t>();
  for (std::size_t b = 0; b < rows.size(); ++b) {
    for (std::size_t l = 0; l < rows[b].size(); ++l) *cell++ = static_cast<std::int64_t>(b * longest + l);
  }
  return grid;
}

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  SeededWords words(seed);
  for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[words.below(left)]);
  return order;
}

std::vector<std::int64_t> in_turn(const std::vector<std::int16_t>& label_I, const std::vector<std::int64_t>& items,
                                  std::size_t count, std::uint64_t seed) {
  std::map<std::int16_t, std::vector<std::int64_t>> by_label;
  for (const std::int64_t place : shuffled(static_cast<std::int64_t>(items.size()), seed)) {
    const std::int64_t item = items[static_cast<std::size_t>(place)];
    by_label[label_I[static_cast<std::size_t>(item)]].push_back(item);
  }
  std::vector<std::int64_t> chosen;
  for (std::size_t round = 0; chosen.size() < std::min(count, items.size()); ++round) {
    for (const auto& [label, its] : by_label) {
      if (round < its.size() && chosen.size() < count) chosen.push_back(its[round]);
    }
  }
  return chosen;
}

BatchStream::BatchStream(const corpus::Split& split, int batch_size, int context, std::uint64_t run_seed)
    : split_(split),
      batch_size_(batch_size),
      context_(context),
      run_seed_(run_seed),
      num_windows_(windows_in(split, context)) {
  if (num_windows_ == 0) {
    throw std::runtime_error("the training text has " + std::to_string(split.tokens.size()) +
                             " tokens, fewer than one sequence of " + std::to_string(context) +
                             " and the token after it; take a longer text or a smaller model.context");
  }
}

std::int64_t BatchStream::window_at(std::int64_t index) {
  const std::int64_t epoch = index / num_windows_;
  if (epoch != epoch_) {
    order_ = shuffled(num_windows_, derive_seed(run_seed_, "data order", static_cast<std::uint64_t>(epoch)));
    epoch_ = epoch;
  }
  return order_[static_cast<std::size_t>(index % num_windows_)];
}

Batch BatchStream::batch(std::int64_t step) {
  std::vector<std::int64_t> begin_B;
  for (int row = 0; row < batch_size_; ++row) begin_B.push_back(window_at(step * batch_size_ + row) * context_);
  return make_batch(split_, begin_B, context_);
}

std::vector<Batch> fixed_batches(const corpus::Split& split, int batch_size, int context, int count) {
  const std::int64_t windows = windows_in(split, context);
  const std::int64_t wanted = std::min<std::int64_t>(std::int64_t{batch_size} * count, windows);
  std::vector<Batch> batches;
  for (std::int64_t first = 0; first < wanted; first += batch_size) {
    std::vector<std::int64_t> begin_B;
    for (std::int64_t i = first; i < std::min(first + batch_size, wanted); ++i) {
      begin_B.push_back(i * windows / wanted * context);
    }
    batches.push_back(make_batch(split, begin_B, context));
  }
  return batches;
}

ProbeSequences probe_sequences(const corpus::Split& split, int num_tokens, int context, std::uint64_t run_seed) {
  constexpr int kLongest = 64;
  const auto available = static_cast<std::int64_t>(split.tokens.size());
  const std::int64_t length = std::min<std::int64_t>({kLongest, context, num_tokens, available});
  if (length == 0) return {at::empty({0, 0}, at::kLong), {}};
  std::map<std::int16_t, std::vector<std::int64_t>> documents;  // by label, in order of the label
  for (std::size_t d = 0; d < split.label_D.size(); ++d) {
    documents[split.label_D[d]].push_back(static_cast<std::int64_t>(d));
  }
  SeededWords words(derive_seed(run_seed, "probe"));
  const std::int64_t rows = std::max<std::int64_t>(1, num_tokens / length);
  ProbeSequences probe{at::empty({rows, length}, at::kLong), {}};
  auto* token = probe.tokens_BL.mutable_data_ptr<std::int64_t>();
  auto label = documents.begin();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t d = label->second[words.below(label->second.size())];
    if (++label == documents.end()) label = documents.begin();
    const std::int64_t begin = split.begin_D[static_cast<std::size_t>(d)];
    const std::int64_t spare = split.begin_D[static_cast<std::size_t>(d) + 1] - begin - length;
    // A document shorter than a sequence is read on into the next one, as training does.
    const std::int64_t offset =
        spare > 0 ? static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(spare) + 1)) : 0;
    const std::int64_t first = std::min(begin + offset, available - length);
    for (std::int64_t i = first; i < first + length; ++i) {
      *token++ = split.tokens[static_cast<std::size_t>(i)];
      probe.source_T.push_back(i);
    }
  }
  return probe;
}

std::int64_t document_of(const corpus::Split& split, std::int64_t index) {
  const auto after = std::upper_bound(split.begin_D.begin(), split.begin_D.end(), index);
  return std::distance(split.begin_D.begin(), after) - 1;
}

}  // namespace moescope::model
