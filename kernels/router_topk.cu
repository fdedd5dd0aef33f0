// One warp per row; lane l looks at experts l, l + 32, … so reads are coalesced and any number of experts works.
// The row is read again in each of the K + 1 selection rounds instead of being kept: it stays in L1, and no register
// array limits E. A round needs no marks for what is already chosen: it takes the best expert that ranks after the
// previous one in the total order of (score, index), so ties break as in the reference.
// Every branch around a warp instruction depends on values that are equal in all 32 lanes.

#include "kernels/cuda_check.h"
#include "kernels/router_topk.h"

namespace moescope::kernels {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 1 << 20;

struct Candidate {
  float score;
  std::int32_t expert;  // kNoExpert: none
};

__device__ bool beats(const Candidate& a, const Candidate& b) {
  if (a.expert == kNoExpert) return false;
  return b.expert == kNoExpert || ranks_before(a.score, a.expert, b.score, b.expert);
}

// Butterfly sums: every lane ends with the same value, in an order that does not change from run to run.
__device__ float warp_sum(float value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kFullWarp, value, offset);
  return value;
}

__device__ float warp_max(float value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, value, offset);
    value = other > value ? other : value;
  }
  return value;
}

__device__ Candidate warp_best(Candidate mine) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    const Candidate other{__shfl_xor_sync(kFullWarp, mine.score, offset),
                          __shfl_xor_sync(kFullWarp, mine.expert, offset)};
    if (beats(other, mine)) mine = other;
  }
  return mine;
}

// The best unmasked expert that ranks after `previous` (after nothing: the best of all). Same in every lane.
__device__ Candidate next_best(const float* score_E, std::int32_t num_experts, const Candidate& previous, int lane) {
  Candidate best{-INFINITY, kNoExpert};
  for (std::int32_t e = lane; e < num_experts; e += kWarpSize) {
    const Candidate here{score_E[e], e};
    if (is_masked_score(here.score)) continue;
    const bool open =
        previous.expert == kNoExpert || ranks_before(previous.score, previous.expert, here.score, here.expert);
    if (open && beats(here, best)) best = here;
  }
  return warp_best(best);
}

// Maximum of the row, or NaN if the row cannot be routed. Same in every lane.
__device__ float row_max(const float* score_E, std::int32_t num_experts, int lane) {
  float max_score = -INFINITY;
  bool bad = false;
  for (std::int32_t e = lane; e < num_experts; e += kWarpSize) {
    bad = bad || is_bad_score(score_E[e]);
    if (score_E[e] > max_score) max_score = score_E[e];
  }
  max_score = warp_max(max_score);
  bad = __any_sync(kFullWarp, bad) != 0;
  return bad || is_masked_score(max_score) ? NAN : max_score;
}

// Writes the probabilities and returns the entropy, the same in every lane.
__device__ float softmax_row(const float* score_E, float* prob_E, std::int32_t num_experts, float max_score,
                             float& sum_weight, int lane) {
  float weight_sum = 0.0f;
  float shift_sum = 0.0f;
  for (std::int32_t e = lane; e < num_experts; e += kWarpSize) {
    const float weight = softmax_weight(score_E[e], max_score);
    weight_sum += weight;
    shift_sum += weighted_shift(weight, score_E[e], max_score);
  }
  sum_weight = warp_sum(weight_sum);
  shift_sum = warp_sum(shift_sum);
  for (std::int32_t e = lane; e < num_experts; e += kWarpSize) {
    prob_E[e] = softmax_weight(score_E[e], max_score) / sum_weight;
  }
  return entropy_from_sums(sum_weight, shift_sum);
}

struct RowStatistics {
  float entropy = 0.0f;
  float margin = 0.0f;
  float selection_margin = 0.0f;
};

__device__ RowStatistics route_row(const float* score_E, float* prob_E, std::int32_t* expert_K,
                                   const RouterTopkShape& shape, float max_score, int lane) {
  RowStatistics result;
  float sum_weight = 1.0f;
  result.entropy = softmax_row(score_E, prob_E, shape.num_experts, max_score, sum_weight, lane);
  float first_prob = 0.0f;
  float second_prob = 0.0f;
  Candidate last_chosen{-INFINITY, kNoExpert};
  for (std::int32_t round = 0; round <= shape.top_k; ++round) {  // round K finds the best expert left out
    const bool exhausted = round > 0 && last_chosen.expert == kNoExpert;
    const Candidate found = exhausted ? last_chosen : next_best(score_E, shape.num_experts, last_chosen, lane);
    const float prob = found.expert == kNoExpert ? 0.0f : softmax_weight(found.score, max_score) / sum_weight;
    if (round == 0) first_prob = prob;
    if (round == 1) second_prob = prob;
    if (round == shape.top_k) {
      result.selection_margin = selection_margin(last_chosen.score, found.score);
    } else if (lane == 0) {
      expert_K[round] = found.expert;
    }
    last_chosen = found;
  }
  result.margin = first_prob - second_prob;
  return result;
}

__device__ void write_bad_row(float* prob_E, std::int32_t* expert_K, const RouterTopkShape& shape, int lane) {
  for (std::int32_t e = lane; e < shape.num_experts; e += kWarpSize) prob_E[e] = 0.0f;
  for (std::int32_t place = lane; place < shape.top_k; place += kWarpSize) expert_K[place] = kNoExpert;
}

// The lowest index by atomics: integers, so the result does not depend on the order of arrival. "None" is −1, which is
// the largest unsigned value and so the neutral element of the minimum.
__device__ void report_bad_row(BadRows* bad_rows, std::int64_t row) {
  atomicAdd(reinterpret_cast<unsigned long long*>(&bad_rows->count), 1ull);
  atomicMin(reinterpret_cast<unsigned long long*>(&bad_rows->first), static_cast<unsigned long long>(row));
}

__global__ void router_topk_kernel(const float* scores_TE, RouterTopkShape shape, RouterTopkOutput output,
                                   BadRows* bad_rows) {
  const int lane = warp_lane();
  for (std::int64_t t = grid_warp(); t < shape.num_tokens; t += grid_warps()) {  // t is the same in the whole warp
    const float* score_E = scores_TE + t * shape.num_experts;
    float* prob_E = output.probs_TE + t * shape.num_experts;
    std::int32_t* expert_K = output.expert_TK + t * shape.top_k;
    const float max_score = row_max(score_E, shape.num_experts, lane);
    RowStatistics statistics;
    if (max_score == max_score) {
      statistics = route_row(score_E, prob_E, expert_K, shape, max_score, lane);
    } else {
      write_bad_row(prob_E, expert_K, shape, lane);
      if (lane == 0) report_bad_row(bad_rows, t);
    }
    if (lane == 0) {
      output.entropy_T[t] = statistics.entropy;
      output.margin_T[t] = statistics.margin;
      if (output.selection_margin_T != nullptr) output.selection_margin_T[t] = statistics.selection_margin;
    }
  }
}

}  // namespace

LaunchStatus router_topk_cuda(const float* scores_TE, const RouterTopkShape& shape, const RouterTopkOutput& output,
                              BadRows* bad_rows, CudaStream stream) {
  const char* where = "router_topk";
  LaunchStatus status = launch_status(cudaMemsetAsync(&bad_rows->count, 0, sizeof(bad_rows->count), stream), where);
  if (!status.ok()) return status;
  status = launch_status(cudaMemsetAsync(&bad_rows->first, 0xff, sizeof(bad_rows->first), stream), where);
  if (!status.ok() || shape.num_tokens == 0) return status;
  const unsigned blocks = grid_size(shape.num_tokens, kThreads / kWarpSize, kMaxBlocks);
  router_topk_kernel<<<blocks, kThreads, 0, stream>>>(scores_TE, shape, output, bad_rows);
  return last_launch(where);
}

}  // namespace moescope::kernels
