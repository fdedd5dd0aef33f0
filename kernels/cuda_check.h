#pragma once
// For .cu files only: turns CUDA's error codes into a LaunchStatus, and the few launch helpers the kernels share.

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda_launch.h"

namespace moescope::kernels {

inline constexpr int kWarpSize = 32;
inline constexpr unsigned kFullWarp = 0xffffffffu;

inline LaunchStatus launch_status(cudaError_t error, const char* where) {
  if (error == cudaSuccess) return {};
  return {static_cast<int>(error), cudaGetErrorString(error), where};
}

/// To be called straight after a <<<launch>>>; clears a non-sticky error so that it is reported once.
inline LaunchStatus last_launch(const char* where) { return launch_status(cudaGetLastError(), where); }

/// Blocks needed for `items` at `items_per_block`, at most `limit`; kernels stride over what is left.
inline unsigned grid_size(std::int64_t items, std::int64_t items_per_block, std::int64_t limit) {
  const std::int64_t blocks = (items + items_per_block - 1) / items_per_block;
  return static_cast<unsigned>(blocks < limit ? blocks : limit);
}

/// Index of this thread's warp in the whole grid, and how many there are. Block size must be a multiple of kWarpSize.
__device__ inline std::int64_t grid_warp() {
  return (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarpSize;
}
__device__ inline std::int64_t grid_warps() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x / kWarpSize; }
__device__ inline int warp_lane() { return static_cast<int>(threadIdx.x % kWarpSize); }

}  // namespace moescope::kernels
