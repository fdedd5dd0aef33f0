#pragma once
// Masked language modelling (Devlin et al. 2019, BERT, section 3.1): a share of the tokens is chosen; of those 80 % are
// hidden behind the mask, 10 % become another token, 10 % stay; the model is asked for what stood there.
// Threads: trainer thread only.

#include <cstdint>
#include <vector>

#include "core/model/dataset.h"

namespace moescope::model {

inline constexpr double kMaskedShare = 0.8, kReplacedShare = 0.1;

struct MaskRule {
  double share = 0.15;       ///< of tokens that are asked for
  std::int64_t mask_id = 0;  ///< what hides them
  int num_words = 1;         ///< ids below this may stand in for another
};

/// Hides tokens of a batch, drawn from `seed`; its targets become what was chosen, kNoTarget elsewhere. At least one
/// token is chosen. Requires: no padding.
void hide_tokens(Batch& batch, const MaskRule& rule, std::uint64_t seed);

/// The windows of BatchStream with tokens hidden, others at each step.
class MaskedStream : public BatchSource {
 public:
  MaskedStream(const corpus::Split& split, int batch_size, int context, const MaskRule& rule, std::uint64_t run_seed)
      : windows_(split, batch_size, context, run_seed), rule_(rule), run_seed_(run_seed) {}
  Batch batch(std::int64_t step) override;

 private:
  BatchStream windows_;
  MaskRule rule_;
  std::uint64_t run_seed_;
};

/// fixed_batches() with tokens hidden: the same ones for every run, so that losses compare.
std::vector<Batch> fixed_masked_batches(const corpus::Split& split, int batch_size, int context, int count,
                                        const MaskRule& rule);

}  // namespace moescope::model
