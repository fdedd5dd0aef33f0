#pragma once
// Tensors as the blocks of a safetensors file, and back. Threads: pure functions.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/record/safetensors.h"

namespace moescope::train {

/// F32, F64, I64, U8 (of bool too). Requires: one of these types. Any device; no gradient.
record::TensorBlock to_block(const std::string& name, const at::Tensor& tensor);

/// A tensor of its own on the CPU; BOOL becomes bool. Throws for a type this program does not read, with the block's
/// name.
at::Tensor to_tensor(const record::TensorBlock& block);

}  // namespace moescope::train
