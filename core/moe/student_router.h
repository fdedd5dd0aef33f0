#pragma once
// A distilled student: a small router that sees token ids only and learns to imitate a layer's choices, so that the
// choice can be pinned (StableMoE, Dai et al. 2022, section 3.2). It never sees hidden states, and nothing but the
// distillation loss trains it. Each layer owns its own.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/moe/parameter.h"

namespace moescope::moe {

/// What the student knows of a token. `kWord`: its id. `kBigram`: the mean over it and the token before; the first of a
/// sequence stands alone. `kCausalWindow`: a learned mixture of it and the four before, none beyond the sequence's
/// start.
enum class StudentKind { kWord, kBigram, kCausalWindow };

/// "word", "bigram" or "causal_window". Requires: one of these.
StudentKind student_kind(const std::string& word);

struct StudentShape {
  StudentKind kind = StudentKind::kWord;
  int vocab_size = 0;
  int dim = 50;
  int num_experts = 0;
};

class StudentRouter {
 public:
  /// Parameters `<prefix>.student.embedding` (N(0,1)), `.rows` (orthogonal, gain 0.1) and, for the window, `.window`.
  StudentRouter(const StudentShape& shape, const std::string& prefix, ParameterSet& parameters);

  at::Tensor scores_TE(const at::Tensor& token_id_BL) const;

 private:
  at::Tensor features_TR(const at::Tensor& token_id_BL) const;

  StudentKind kind_;
  at::Tensor embedding_VR_;
  at::Tensor rows_ER_;
  at::Tensor window_W_;  ///< oldest first; kCausalWindow only
};

}  // namespace moescope::moe
