#include "core/model/document_stream.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/seed.h"

namespace moescope::model {

std::int16_t trained_label(const corpus::Corpus& corpus) {
  for (const char* name : {"English", "en"}) {
    const auto found = std::find(corpus.labels.begin(), corpus.labels.end(), name);
    if (found != corpus.labels.end()) return static_cast<std::int16_t>(found - corpus.labels.begin());
  }
  return 0;
}

std::vector<std::int64_t> documents_of(const corpus::Split& split, std::int16_t label) {
  std::vector<std::int64_t> documents;
  for (std::size_t d = 0; d < split.class_D.size(); ++d) {
    const bool text = split.begin_D[d + 1] > split.begin_D[d];
    if (split.label_D[d] == label && split.class_D[d] >= 0 && text) documents.push_back(static_cast<std::int64_t>(d));
  }
  return documents;
}

Padded beginnings(const corpus::Split& split, const std::vector<std::int64_t>& documents, int length,
                  std::int64_t pad) {
  std::vector<std::vector<std::int64_t>> rows;
  for (const std::int64_t document : documents) {
    const auto d = static_cast<std::size_t>(document);
    const std::int64_t end = std::min(split.begin_D[d + 1], split.begin_D[d] + length);
    rows.emplace_back(split.tokens.begin() + split.begin_D[d], split.tokens.begin() + end);
  }
  return padded(rows, pad);
}

Batch document_batch(const corpus::Split& split, const std::vector<std::int64_t>& documents, int context,
                     std::int64_t pad) {
  std::vector<std::int64_t> class_B;
  for (const std::int64_t d : documents) class_B.push_back(split.class_D[static_cast<std::size_t>(d)]);
  Padded grid = beginnings(split, documents, context, pad);
  return {std::move(grid.tokens_BL), at::tensor(class_B, at::kLong), std::move(grid.cell_T)};
}

std::vector<Batch> document_batches(const corpus::Split& split, const std::vector<std::int64_t>& documents,
                                    int batch_size, int context, std::int64_t pad) {
  std::vector<Batch> batches;
  const auto B = static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < documents.size(); first += B) {
    const auto begin = documents.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(B, documents.size() - first));
    batches.push_back(document_batch(split, {begin, end}, context, pad));
  }
  return batches;
}

DocumentStream::DocumentStream(const corpus::Split& split, std::vector<std::int64_t> documents, int batch_size,
                               int context, std::int64_t pad, std::uint64_t run_seed)
    : split_(split),
      documents_(std::move(documents)),
      batch_size_(batch_size),
      context_(context),
      pad_(pad),
      run_seed_(run_seed) {
  MOESCOPE_ASSERT(!documents_.empty(), "there is something to learn from");
}

std::int64_t DocumentStream::document_at(std::int64_t index) {
  const auto count = static_cast<std::int64_t>(documents_.size());
  const std::int64_t epoch = index / count;
  if (epoch != epoch_) {
    order_ = shuffled(count, derive_seed(run_seed_, "data order", static_cast<std::uint64_t>(epoch)));
    epoch_ = epoch;
  }
  return documents_[static_cast<std::size_t>(order_[static_cast<std::size_t>(index % count)])];
}

Batch DocumentStream::batch(std::int64_t step) {
  std::vector<std::int64_t> documents;
  for (int row = 0; row < batch_size_; ++row) documents.push_back(document_at(step * batch_size_ + row));
  return document_batch(split_, documents, context_, pad_);
}

}  // namespace moescope::model
