#pragma once
// A tokenized split as batches. The cursor is (epoch, position), both a function of the step: nothing to save, and a
// resumed run continues with the same batch.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/corpus/corpus.h"

namespace moescope::model {

/// What one pass reads. A grid cell b·L + position holds a token or padding; cell_T lists those that hold one, rising,
/// and is undefined when all do. T counts tokens, never padding.
struct Batch {
  at::Tensor tokens_BL;  ///< int64
  /// int64, one per row of the logits, moe::kNoTarget where nothing is asked: of language models the next (or the
  /// hidden) token of each of the T tokens, of a classifier the class of each of the B sequences.
  at::Tensor target_T;
  at::Tensor cell_T = {};
  at::Tensor source_BL = {};  ///< translation only: what the encoder reads, int64 (its own L)
  at::Tensor source_cell_T = {};

  /// Of the source and of the rest.
  std::int64_t num_tokens() const {
    const auto count = [](const at::Tensor& tokens, const at::Tensor& cells) {
      return cells.defined() ? cells.size(0) : tokens.defined() ? tokens.numel() : 0;
    };
    return count(source_BL, source_cell_T) + count(tokens_BL, cell_T);
  }
};

/// Sequences of an objective's batches differ in length.
bool has_padding(const std::string& objective);

/// Sequences of any lengths as a grid: padding stands behind a sequence's tokens.
struct Padded {
  at::Tensor tokens_BL;  ///< int64
  at::Tensor cell_T;     ///< as in Batch: undefined when all are of one length
};
/// Requires: at least one row, none empty.
Padded padded(const std::vector<std::vector<std::int64_t>>& rows, std::int64_t pad);

/// The numbers 0 to count − 1 in an order drawn from `seed`.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed);

/// About `count` of `items`, taken in turn from each label, in each label in an order drawn from `seed`.
std::vector<std::int64_t> in_turn(const std::vector<std::int16_t>& label_I, const std::vector<std::int64_t>& items,
                                  std::size_t count, std::uint64_t seed);

/// Batches by step: a function of the step alone, so that a resumed run goes on with the same ones.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The batch of optimiser step `step`, counted from 0.
  virtual Batch batch(std::int64_t step) = 0;
};

/// Non-overlapping windows of `context` tokens (and the one after), every epoch in a new seeded order. A batch may
/// reach over the end of an epoch into the next one.
class BatchStream : public BatchSource {
 public:
  /// Keeps a reference: the split must outlive the stream. Throws when the split holds not a single window.
  BatchStream(const corpus::Split& split, int batch_size, int context, std::uint64_t run_seed);

  Batch batch(std::int64_t step) override;
  std::int64_t num_windows() const { return num_windows_; }

 private:
  std::int64_t window_at(std::int64_t index);

  const corpus::Split& split_;
  int batch_size_, context_;
  std::uint64_t run_seed_;
  std::int64_t num_windows_;
  std::int64_t epoch_ = -1;  ///< of order_
  std::vector<std::int64_t> order_;
};

/// `count` batches (fewer when the split is small) of windows spread evenly over the split: the same for the whole run.
std::vector<Batch> fixed_batches(const corpus::Split& split, int batch_size, int context, int count);

/// Sequences whose routing is watched for a whole run.
struct ProbeSequences {
  at::Tensor tokens_BL;                ///< int64
  std::vector<std::int64_t> source_T;  ///< index of each token in the split
};

/// About `num_tokens` tokens as sequences of at most 64 tokens, in turn from each label, so that short labels (a
/// language with few documents) are seen as well as long ones. Seeded; the same for the whole run and for every method.
ProbeSequences probe_sequences(const corpus::Split& split, int num_tokens, int context, std::uint64_t run_seed);

/// The document that owns token `index`.
std::int64_t document_of(const corpus::Split& split, std::int64_t index);

}  // namespace moescope::model
