#pragma once
// What a caller of a CUDA kernel needs to know about CUDA, without including it: the stream handle and the answer of a
// launch. No kernel library function prints, throws or ends the process; the caller decides what a failure means.
// Threads: values only.

struct CUstream_st;  // cudaStream_t is a pointer to this

namespace moescope::kernels {

using CudaStream = CUstream_st*;

/// Answer of a launch. It says that the work was accepted by the stream, not that it has run: a fault inside a kernel
/// shows up at the next synchronising call.
struct LaunchStatus {
  int code = 0;            // cudaError_t, 0 on success
  const char* what = "";   // CUDA's own text, static storage
  const char* where = "";  // the launch that was refused, static storage

  bool ok() const { return code == 0; }
};

}  // namespace moescope::kernels
