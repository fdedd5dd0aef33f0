#pragma once
// Sentence pairs as batches. The encoder reads [tag of the language to translate into] source [eos]; the decoder reads
// [bos] target and is asked for target [eos]. Threads: trainer thread only.

#include <cstdint>
#include <vector>

#include "core/corpus/corpus.h"
#include "core/model/dataset.h"

namespace moescope::model {

/// The piece that names label `label`, the language a source is to be translated into.
std::int32_t tag_of(const corpus::Corpus& corpus, std::int16_t label);
/// What the encoder reads.
std::vector<std::int64_t> source_row(const corpus::Corpus& corpus, const std::vector<std::int32_t>& source,
                                     std::int16_t label);
std::vector<std::int32_t> source_of(const corpus::PairSplit& pairs, std::int64_t pair);
std::vector<std::int32_t> target_of(const corpus::PairSplit& pairs, std::int64_t pair);

/// Positions a pair takes on its longer side.
std::int64_t pair_length(const corpus::PairSplit& pairs, std::int64_t pair);
/// The pairs that fit into `context` positions on both sides.
std::vector<std::int64_t> fitting_pairs(const corpus::PairSplit& pairs, int context);

Batch pair_batch(const corpus::Corpus& corpus, const corpus::PairSplit& pairs, const std::vector<std::int64_t>& pair_B);

/// Every epoch in a new seeded order; within some hundred neighbours of that order pairs of like length go together,
/// so that little is padding. The last batch of an epoch may be smaller.
class PairStream : public BatchSource {
 public:
  /// Keeps a reference to the corpus. Throws when no pair fits into the context.
  PairStream(const corpus::Corpus& corpus, int batch_size, int context, std::uint64_t run_seed);
  Batch batch(std::int64_t step) override;

 private:
  void order_epoch(std::int64_t epoch);

  const corpus::Corpus& corpus_;
  std::size_t batch_size_;
  std::uint64_t run_seed_;
  std::vector<std::int64_t> pairs_;
  std::int64_t epoch_ = -1;                         ///< of batches_
  std::vector<std::vector<std::int64_t>> batches_;  ///< pairs of each
};

/// `count` batches (fewer when there are few pairs) of fitting pairs in turn from each language: the same for every
/// run.
std::vector<Batch> fixed_pair_batches(const corpus::Corpus& corpus, const corpus::PairSplit& pairs, int batch_size,
                                      int context, int count);

}  // namespace moescope::model
