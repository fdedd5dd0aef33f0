#pragma once
// A classifier of texts: the bidirectional language model without its head, the mean over a text's tokens, and one row
// per class ("head.class.weight", "head.class.bias"). Everything else is named as in a language model, so that it
// starts from a pre-trained one. Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "core/model/tiny_lm.h"

namespace moescope::model {

class Classifier : public TinyLm {
 public:
  Classifier(const config::RunConfig& config, const moe::Method& method, int vocab_size, int num_classes,
             const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V = nullptr);

  std::int64_t num_logits() const override { return bias_C_.size(0); }
  /// Logits of the classes, one row per sequence.
  moe::ModelPass forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) override;

 protected:
  Use use_of(const moe::Parameter& parameter) const override;

 private:
  at::Tensor weight_CD_, bias_C_;
};

}  // namespace moescope::model
