#include "core/model/masked_stream.h"

#include <ATen/TensorOperators.h>

#include "core/base/assert.h"
#include "core/base/seed.h"
#include "core/moe/objective.h"

namespace moescope::model {

namespace {

std::int64_t hidden(std::int64_t token, const MaskRule& rule, SeededWords& words) {
  const double draw = words.unit();
  if (draw < kMaskedShare) return rule.mask_id;
  if (draw >= kMaskedShare + kReplacedShare) return token;
  return static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(rule.num_words)));
}

}  // namespace

void hide_tokens(Batch& batch, const MaskRule& rule, std::uint64_t seed) {
  MOESCOPE_ASSERT(!batch.cell_T.defined(), "windows of a text have no padding");
  SeededWords words(seed);
  batch.target_T.fill_(moe::kNoTarget);
  auto* token = batch.tokens_BL.mutable_data_ptr<std::int64_t>();
  auto* target = batch.target_T.mutable_data_ptr<std::int64_t>();
  const std::int64_t T = batch.tokens_BL.numel();
  const auto choose = [&](std::int64_t t) {
    target[t] = token[t];
    token[t] = hidden(token[t], rule, words);
  };
  std::int64_t chosen = 0;
  for (std::int64_t t = 0; t < T; ++t) {
    if (words.unit() >= rule.share) continue;
    choose(t);
    ++chosen;
  }
  if (chosen == 0) choose(static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(T))));
}

Batch MaskedStream::batch(std::int64_t step) {
  Batch batch = windows_.batch(step);
  hide_tokens(batch, rule_, derive_seed(run_seed_, "mask", static_cast<std::uint64_t>(step)));
  return batch;
}

std::vector<Batch> fixed_masked_batches(const corpus::Split& split, int batch_size, int context, int count,
                                        const MaskRule& rule) {
  std::vector<Batch> batches = fixed_batches(split, batch_size, context, count);
  for (std::size_t b = 0; b < batches.size(); ++b) hide_tokens(batches[b], rule, derive_seed(0, "validation mask", b));
  return batches;
}

}  // namespace moescope::model
