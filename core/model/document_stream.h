#pragma once
// Texts to classify: the beginning of each document, and its class. Threads: trainer thread only.

#include <cstdint>
#include <vector>

#include "core/corpus/corpus.h"
#include "core/model/dataset.h"

namespace moescope::model {

/// The label a classifier learns from; the others show what carries over. English where there is one.
std::int16_t trained_label(const corpus::Corpus& corpus);

/// The documents of a label that have a class and a token.
std::vector<std::int64_t> documents_of(const corpus::Split& split, std::int16_t label);

/// At most `length` tokens of the beginning of each document.
Padded beginnings(const corpus::Split& split, const std::vector<std::int64_t>& documents, int length, std::int64_t pad);

/// Beginnings with their classes.
Batch document_batch(const corpus::Split& split, const std::vector<std::int64_t>& documents, int context,
                     std::int64_t pad);
/// All of `documents` in batches.
std::vector<Batch> document_batches(const corpus::Split& split, const std::vector<std::int64_t>& documents,
                                    int batch_size, int context, std::int64_t pad);

/// Every epoch in a new seeded order; a batch may reach over the end of an epoch into the next one.
class DocumentStream : public BatchSource {
 public:
  /// Keeps a reference to the split. Requires: at least one document.
  DocumentStream(const corpus::Split& split, std::vector<std::int64_t> documents, int batch_size, int context,
                 std::int64_t pad, std::uint64_t run_seed);
  Batch batch(std::int64_t step) override;

 private:
  std::int64_t document_at(std::int64_t index);

  const corpus::Split& split_;
  std::vector<std::int64_t> documents_;
  int batch_size_, context_;
  std::int64_t pad_;
  std::uint64_t run_seed_;
  std::int64_t epoch_ = -1;  ///< of order_
  std::vector<std::int64_t> order_;
};

}  // namespace moescope::model
