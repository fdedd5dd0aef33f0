#pragma once
// MOESCOPE_HOST_DEVICE marks the arithmetic that the scalar reference and the CUDA version share: compiled for both
// sides under nvcc, a plain inline function elsewhere. So CPU tests cover the arithmetic of the CUDA code too.

#if defined(__CUDACC__)
#define MOESCOPE_HOST_DEVICE __host__ __device__
#else
#define MOESCOPE_HOST_DEVICE
#endif
