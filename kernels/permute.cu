// A counting sort in three passes over chunks of kChunk assignments, one warp per chunk:
//   count_chunks   how many of each expert a chunk holds
//   scan_chunks    per (group, expert): exclusive sums over the group's chunks, so each chunk knows its first rank
//   place          ranks inside the chunk, in list order; rank < capacity decides, offset + rank is the row
// Inside a warp __match_any_sync finds the lanes of the same expert and the lanes below give the rank. A chunk's
// counters are one row of E integers in global memory that only its warp touches: there is no limit on E, no shared
// memory, and no order that depends on atomics, so the result is the same in every run.
// Several groups under a capacity need the passes twice: once per group to decide what is kept, then over the whole
// list to place the kept ones in list order.

#include "kernels/cuda_check.h"
#include "kernels/permute.h"

namespace moescope::kernels {
namespace {

constexpr int kThreads = 128;
constexpr std::int64_t kChunk = 512;
constexpr std::int64_t kMaxBlocks = 1 << 20;

/// How a list is cut into chunks: chunk c is number c % chunks_per_group of group c / chunks_per_group.
struct ChunkPlan {
  GroupWalk walk;
  std::int64_t num_groups;
  std::int64_t chunks_per_group;

  __host__ __device__ std::int64_t num_chunks() const { return num_groups * chunks_per_group; }
};

ChunkPlan chunk_plan(const GroupWalk& walk) {
  return {walk, walk.num_groups(), (walk.length(0) + kChunk - 1) / kChunk};
}

/// The whole list as one group of single-choice tokens: plain list order.
GroupWalk flat_walk(std::int64_t num_assignments) { return {num_assignments, num_assignments, num_assignments}; }

/// An assignment as one lane sees it: expert −1 if there is nothing to count.
struct Arrival {
  std::int64_t assignment;  // −1 past the end of the chunk
  std::int32_t expert;
  std::int32_t rank;  // earlier ones of the same expert, counted from counter_E's start values; −1 without expert
};

// Calls visit(Arrival) for every assignment of the chunk. `counter_E` is read and advanced. `eligible_N` may be null.
// All 32 lanes run the same number of rounds, as __match_any_sync and __syncwarp need.
template <typename Visit>
__device__ void walk_chunk(const ChunkPlan& plan, std::int64_t chunk, const std::int32_t* expert_N,
                           std::int32_t num_experts, const std::uint8_t* eligible_N, std::int32_t* counter_E,
                           Visit visit) {
  const unsigned lane = static_cast<unsigned>(warp_lane());
  const std::int64_t group = chunk / plan.chunks_per_group;
  const std::int64_t begin = chunk % plan.chunks_per_group * kChunk;
  const std::int64_t length = plan.walk.length(group);
  const std::int64_t end = begin + kChunk < length ? begin + kChunk : length;
  for (std::int64_t round = begin; round < end; round += kWarpSize) {
    const std::int64_t position = round + lane;
    Arrival arrival{-1, -1, -1};
    if (position < end) {
      arrival.assignment = plan.walk.assignment(group, position);
      const std::int32_t expert = expert_N[arrival.assignment];
      const bool eligible = eligible_N == nullptr || eligible_N[arrival.assignment] != 0;
      if (eligible && is_assignment(expert, num_experts)) arrival.expert = expert;
    }
    const unsigned peers = __match_any_sync(kFullWarp, arrival.expert);
    const int peers_below = __popc(peers & ((1u << lane) - 1u));
    if (arrival.expert >= 0) arrival.rank = counter_E[arrival.expert] + peers_below;
    __syncwarp();  // every lane has read its counter before the first of its peers moves it
    if (arrival.expert >= 0 && peers_below == 0) counter_E[arrival.expert] += __popc(peers);
    __syncwarp();  // and the next round sees it moved
    if (arrival.assignment >= 0) visit(arrival);
  }
}

__global__ void count_chunks(ChunkPlan plan, const std::int32_t* expert_N, std::int32_t num_experts,
                             const std::uint8_t* eligible_N, std::int32_t* counter_CE) {
  for (std::int64_t chunk = grid_warp(); chunk < plan.num_chunks(); chunk += grid_warps()) {
    walk_chunk(plan, chunk, expert_N, num_experts, eligible_N, counter_CE + chunk * num_experts, [](const Arrival&) {});
  }
}

__device__ std::int32_t warp_inclusive_sum(std::int32_t value, int lane) {
  for (int offset = 1; offset < kWarpSize; offset *= 2) {
    const std::int32_t below = __shfl_up_sync(kFullWarp, value, static_cast<unsigned>(offset));
    if (lane >= offset) value += below;
  }
  return value;
}

// One warp per (group, expert): turns its chunk counts into first ranks and writes the total.
__global__ void scan_chunks(ChunkPlan plan, std::int32_t num_experts, std::int32_t* counter_CE,
                            std::int32_t* total_GE) {
  const int lane = warp_lane();
  for (std::int64_t column = grid_warp(); column < plan.num_groups * num_experts; column += grid_warps()) {
    const std::int64_t group = column / num_experts;
    std::int32_t* counter =
        counter_CE + group * plan.chunks_per_group * num_experts + column % num_experts;  // stride num_experts
    std::int32_t carry = 0;
    for (std::int64_t first = 0; first < plan.chunks_per_group; first += kWarpSize) {
      const std::int64_t chunk = first + lane;
      const std::int32_t count = chunk < plan.chunks_per_group ? counter[chunk * num_experts] : 0;
      const std::int32_t inclusive = warp_inclusive_sum(count, lane);
      if (chunk < plan.chunks_per_group) counter[chunk * num_experts] = carry + inclusive - count;
      carry += __shfl_sync(kFullWarp, inclusive, kWarpSize - 1);
    }
    if (lane == 0) total_GE[column] = carry;
  }
}

__global__ void sum_groups(const std::int32_t* total_GE, std::int64_t num_groups, std::int32_t num_experts,
                           std::int32_t* count_E) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t e = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; e < num_experts;
       e += stride) {
    std::int32_t sum = 0;
    for (std::int64_t group = 0; group < num_groups; ++group) sum += total_GE[group * num_experts + e];
    count_E[e] = sum;
  }
}

__global__ void keep_in_groups(ChunkPlan plan, const std::int32_t* expert_N, PermuteShape shape,
                               std::int32_t* counter_CE, std::uint8_t* kept_N) {
  for (std::int64_t chunk = grid_warp(); chunk < plan.num_chunks(); chunk += grid_warps()) {
    walk_chunk(plan, chunk, expert_N, shape.num_experts, nullptr, counter_CE + chunk * shape.num_experts,
               [&](const Arrival& arrival) {
                 const bool kept = arrival.expert >= 0 && fits_capacity(arrival.rank, shape.capacity);
                 kept_N[arrival.assignment] = kept ? 1 : 0;
               });
  }
}

// A single warp: E is small, and the sums depend on each other.
__global__ void scan_experts(const std::int32_t* total_E, std::int32_t num_experts, std::int32_t capacity,
                             std::int32_t* offset_E1) {
  const int lane = warp_lane();
  std::int32_t carry = 0;
  for (std::int32_t first = 0; first < num_experts; first += kWarpSize) {
    const std::int32_t e = first + lane;
    std::int32_t kept = e < num_experts ? total_E[e] : 0;
    if (!fits_capacity(kept, capacity)) kept = capacity;
    const std::int32_t inclusive = warp_inclusive_sum(kept, lane);
    if (e < num_experts) offset_E1[e] = carry + inclusive - kept;
    carry += __shfl_sync(kFullWarp, inclusive, kWarpSize - 1);
  }
  if (lane == 0) offset_E1[num_experts] = carry;
}

__global__ void place(ChunkPlan plan, const std::int32_t* expert_N, std::int32_t num_experts, std::int32_t capacity,
                      const std::uint8_t* eligible_N, std::int32_t* counter_CE, PermuteOutput output) {
  for (std::int64_t chunk = grid_warp(); chunk < plan.num_chunks(); chunk += grid_warps()) {
    walk_chunk(plan, chunk, expert_N, num_experts, eligible_N, counter_CE + chunk * num_experts,
               [&](const Arrival& arrival) {
                 const bool kept = arrival.expert >= 0 && fits_capacity(arrival.rank, capacity);
                 const std::int32_t row = kept ? output.offset_E1[arrival.expert] + arrival.rank : -1;
                 output.kept_N[arrival.assignment] = kept ? 1 : 0;
                 output.slot_N[arrival.assignment] = kept ? arrival.rank : -1;
                 output.row_of_assignment_N[arrival.assignment] = row;
                 if (kept) output.source_of_row_N[row] = static_cast<std::int32_t>(arrival.assignment);
               });
  }
}

bool needs_group_pass(const PermuteShape& shape) {
  return shape.capacity > 0 && shape.num_assignments > 0 && group_walk(shape).num_groups() > 1;
}

/// Counters for the larger of the two plans, then totals per (group, expert).
std::int64_t counter_elements(const PermuteShape& shape) {
  if (shape.num_assignments == 0) return 0;
  std::int64_t chunks = chunk_plan(flat_walk(shape.num_assignments)).num_chunks();
  if (needs_group_pass(shape)) {
    const std::int64_t group_chunks = chunk_plan(group_walk(shape)).num_chunks();
    if (group_chunks > chunks) chunks = group_chunks;
  }
  return chunks * shape.num_experts;
}

std::int64_t total_elements(const PermuteShape& shape) {
  return (needs_group_pass(shape) ? group_walk(shape).num_groups() : 1) * shape.num_experts;
}

/// The launches of one call. The first failure is kept and the later steps are skipped.
class PermuteLaunch {
 public:
  PermuteLaunch(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output, void* workspace,
                CudaStream stream)
      : expert_N_(expert_N), shape_(shape), output_(output), stream_(stream) {
    counter_CE_ = static_cast<std::int32_t*>(workspace);
    total_GE_ = counter_CE_ + counter_elements(shape);
  }

  LaunchStatus run() {
    const bool two_passes = needs_group_pass(shape_);
    if (shape_.num_assignments == 0) return clear_for_empty_list();
    clear(output_.source_of_row_N, 0xff, shape_.num_assignments);
    if (two_passes) decide_kept();
    const ChunkPlan flat = chunk_plan(flat_walk(shape_.num_assignments));
    const std::int32_t capacity = two_passes ? 0 : shape_.capacity;
    const std::uint8_t* eligible_N = two_passes ? output_.kept_N : nullptr;
    std::int32_t* total_E = two_passes ? total_GE_ : output_.count_E;
    rank_chunks(flat, eligible_N, total_E);
    if (status_.ok()) {
      scan_experts<<<1, kWarpSize, 0, stream_>>>(total_E, shape_.num_experts, capacity, output_.offset_E1);
      status_ = last_launch("permute: scan_experts");
    }
    if (status_.ok()) {
      place<<<chunk_grid(flat), kThreads, 0, stream_>>>(flat, expert_N_, shape_.num_experts, capacity, eligible_N,
                                                        counter_CE_, output_);
      status_ = last_launch("permute: place");
    }
    return status_;
  }

 private:
  static unsigned chunk_grid(const ChunkPlan& plan) {
    return grid_size(plan.num_chunks(), kThreads / kWarpSize, kMaxBlocks);
  }

  void clear(std::int32_t* values, int byte, std::int64_t count) {
    if (!status_.ok() || count == 0) return;
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(std::int32_t);
    status_ = launch_status(cudaMemsetAsync(values, byte, bytes, stream_), "permute: clear");
  }

  LaunchStatus clear_for_empty_list() {
    clear(output_.count_E, 0, shape_.num_experts);
    clear(output_.offset_E1, 0, static_cast<std::int64_t>(shape_.num_experts) + 1);
    return status_;
  }

  /// Counts and scans: afterwards counter_CE_ holds the first rank of every chunk and expert.
  void rank_chunks(const ChunkPlan& plan, const std::uint8_t* eligible_N, std::int32_t* total_GE) {
    clear(counter_CE_, 0, plan.num_chunks() * shape_.num_experts);
    if (!status_.ok() || shape_.num_experts == 0) return;
    count_chunks<<<chunk_grid(plan), kThreads, 0, stream_>>>(plan, expert_N_, shape_.num_experts, eligible_N,
                                                             counter_CE_);
    status_ = last_launch("permute: count_chunks");
    if (!status_.ok()) return;
    const unsigned blocks = grid_size(plan.num_groups * shape_.num_experts, kThreads / kWarpSize, kMaxBlocks);
    scan_chunks<<<blocks, kThreads, 0, stream_>>>(plan, shape_.num_experts, counter_CE_, total_GE);
    status_ = last_launch("permute: scan_chunks");
  }

  void decide_kept() {
    const ChunkPlan groups = chunk_plan(group_walk(shape_));
    rank_chunks(groups, nullptr, total_GE_);
    if (!status_.ok()) return;
    if (shape_.num_experts > 0) {
      sum_groups<<<grid_size(shape_.num_experts, kThreads, kMaxBlocks), kThreads, 0, stream_>>>(
          total_GE_, groups.num_groups, shape_.num_experts, output_.count_E);
      status_ = last_launch("permute: sum_groups");
      if (!status_.ok()) return;
    }
    keep_in_groups<<<chunk_grid(groups), kThreads, 0, stream_>>>(groups, expert_N_, shape_, counter_CE_,
                                                                 output_.kept_N);
    status_ = last_launch("permute: keep_in_groups");
  }

  const std::int32_t* expert_N_;
  PermuteShape shape_;
  PermuteOutput output_;
  CudaStream stream_;
  std::int32_t* counter_CE_ = nullptr;
  std::int32_t* total_GE_ = nullptr;
  LaunchStatus status_;
};

}  // namespace

std::size_t permute_cuda_workspace_bytes(const PermuteShape& shape) {
  return static_cast<std::size_t>(counter_elements(shape) + total_elements(shape)) * sizeof(std::int32_t);
}

LaunchStatus permute_cuda(const std::int32_t* expert_N, const PermuteShape& shape, const PermuteOutput& output,
                          void* workspace, CudaStream stream) {
  return PermuteLaunch(expert_N, shape, output, workspace, stream).run();
}

}  // namespace moescope::kernels
