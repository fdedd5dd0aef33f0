#include "core/moe/student_router.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/assert.h"

namespace moescope::moe {
namespace {

constexpr std::int64_t kWindow = 5;

/// Every token's left neighbour; the first of a sequence is its own.
at::Tensor left_neighbour_BLR(const at::Tensor& embedded_BLR) {
  const std::int64_t length = embedded_BLR.size(1);
  return at::cat({embedded_BLR.narrow(1, 0, 1), embedded_BLR.narrow(1, 0, length - 1)}, 1);
}

}  // namespace

StudentKind student_kind(const std::string& word) {
  if (word == "word") return StudentKind::kWord;
  if (word == "bigram") return StudentKind::kBigram;
  MOESCOPE_ASSERT(word == "causal_window", "the field's choices are checked when the configuration is read");
  return StudentKind::kCausalWindow;
}

StudentRouter::StudentRouter(const StudentShape& shape, const std::string& prefix, ParameterSet& parameters)
    : kind_(shape.kind) {
  const std::string name = prefix + ".student";
  const auto add = [&](const char* part, const std::vector<std::int64_t>& size, Init init, bool decayed) {
    return parameters.add(name + part, size, init, ParameterRole::kStudent, -1, /*fixed=*/false, decayed);
  };
  embedding_VR_ = add(".embedding", {shape.vocab_size, shape.dim}, Init::normal(1), /*decayed=*/false);
  rows_ER_ = add(".rows", {shape.num_experts, shape.dim}, Init::orthogonal(0.1), /*decayed=*/true);
  if (kind_ == StudentKind::kCausalWindow) {
    // As a convolution of width 5 over one channel starts.
    window_W_ = add(".window", {kWindow}, Init::uniform(1.0 / std::sqrt(static_cast<double>(kWindow))), false);
  }
}

at::Tensor StudentRouter::features_TR(const at::Tensor& token_id_BL) const {
  const at::Tensor embedded_BLR = at::embedding(embedding_VR_, token_id_BL);
  const std::int64_t dim = embedding_VR_.size(1);
  if (kind_ == StudentKind::kWord || token_id_BL.numel() == 0) return embedded_BLR.reshape({-1, dim});
  if (kind_ == StudentKind::kBigram) {
    return ((embedded_BLR + left_neighbour_BLR(embedded_BLR)) * 0.5).reshape({-1, dim});
  }
  const at::Tensor padded_BPR = at::constant_pad_nd(embedded_BLR, {0, 0, kWindow - 1, 0});
  return at::matmul(padded_BPR.unfold(1, kWindow, 1), window_W_).reshape({-1, dim});  // [B, L, R, window] · [window]
}

at::Tensor StudentRouter::scores_TE(const at::Tensor& token_id_BL) const {
  return at::linear(features_TR(token_id_BL), rows_ER_);
}

}  // namespace moescope::moe
