#pragma once
// Which tokens each expert got lately, from the training routing; older ones fade.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/corpus/corpus.h"
#include "core/moe/moe_layer.h"
#include "core/telemetry/frame.h"

namespace moescope::train {

class ExpertVocabulary {
 public:
  ExpertVocabulary(int num_layers, int num_experts, int vocab_size);

  /// Counts one step's assignments.
  void count(const std::vector<moe::LayerRecord>& layers);

  /// The most typical tokens of every expert of every layer.
  std::vector<telemetry::ExpertTokens> top(const corpus::Corpus& corpus) const;

 private:
  int num_experts_, vocab_size_;
  std::vector<std::vector<std::int64_t>> count_LEV_;  ///< [layer][expert · V + token]
  int steps_since_halving_ = 0;
};

}  // namespace moescope::train
