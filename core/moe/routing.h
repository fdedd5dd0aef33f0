#pragma once
// What a router decides for one batch of tokens. Every method fills this one type; dispatch, combine, metrics and
// views read it, so nothing is computed twice.
//
// Shape letters, in the whole torch code: T tokens (batch × positions), D model width, E experts, K choices per token,
// N assignments (token, expert, gate), M those of them that found a slot (rows after dispatch), S slots per expert,
// F hidden width of an expert, R router-space width, B sequences, L positions, V vocabulary.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace moescope::moe {

/// A loss a router adds: a scalar with gradient, mean over tokens, before its coefficient.
struct AuxiliaryLoss {
  std::string name;  ///< "balance", "distillation"
  at::Tensor value;
  double coefficient = 0;
};

/// A list of (token, expert, gate). Token choice, expert choice, hash and random routing are all of this kind.
/// Token choice lists all first choices in token order, then all second choices, and so on: that order is the order
/// of arrival for capacity. A router that serves other tokens first lists them first, in every run of choices alike
/// and within each group of tokens (drop_policy.h).
struct SparseRouting {
  at::Tensor token_N;         ///< int64
  at::Tensor expert_N;        ///< int64
  at::Tensor gate_N;          ///< fp32; gradient reaches the router through it
  int choices_per_token = 1;  ///< K when the list is token choice (N = K·T), else 0
};

/// Soft mixtures: the inputs and outputs of slots are weighted sums over the tokens of a group. G groups of I members;
/// each expert has S slots in each group. A group with fewer tokens than members names any token in the empty places
/// and gives them zero weights.
struct DenseRouting {
  at::Tensor member_GI;      ///< int64, the token that is member i of group g; each token is in one group
  at::Tensor dispatch_GIES;  ///< fp32, gradient reaches the router through both
  at::Tensor combine_GIES;   ///< fp32
};

/// Σ over slots of what each expert emits to each token, [T, E]; no gradient. A token outside every group gets zeros.
at::Tensor emission_TE(const DenseRouting& dense, std::int64_t num_tokens);

struct Routing {
  std::variant<SparseRouting, DenseRouting> assignment;
  at::Tensor
      scores_TE;        ///< fp32 raw scores of the router that chose (the student's when it chooses); undefined without
  at::Tensor probs_TE;  ///< fp32 softmax over all experts; undefined likewise
  at::Tensor entropy_T;  ///< nats, over all experts, no gradient; undefined likewise
  at::Tensor margin_T;   ///< p(1)−p(2), no gradient; undefined likewise
  at::Tensor student_T;  ///< int64, the student's choice, no gradient; undefined without a student
  std::vector<AuxiliaryLoss> losses;

  const SparseRouting* sparse() const { return std::get_if<SparseRouting>(&assignment); }
};

/// Token choice from expert_TK and gate_TK (int64 and fp32, K ≥ 1), choice-major.
SparseRouting token_choice(const at::Tensor& expert_TK, const at::Tensor& gate_TK);

/// The choices of token choice for which wanted_TK (bool) holds, in the same order; choices_per_token is 0 unless all
/// are wanted.
SparseRouting some_choices(const at::Tensor& expert_TK, const at::Tensor& gate_TK, const at::Tensor& wanted_TK);

}  // namespace moescope::moe
