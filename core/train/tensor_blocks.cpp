#include "core/train/tensor_blocks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/assert.h"

namespace moescope::train {

namespace {

struct TypeName {
  at::ScalarType type;
  const char* name;
};

constexpr TypeName kTypes[] = {{at::kFloat, "F32"}, {at::kDouble, "F64"}, {at::kLong, "I64"},
                               {at::kInt, "I32"},   {at::kByte, "U8"},    {at::kBool, "BOOL"}};

}  // namespace

record::TensorBlock to_block(const std::string& name, const at::Tensor& tensor) {
  at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
  if (values.scalar_type() == at::kBool) values = values.to(at::kByte);
  const auto* known = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const TypeName& one) { return one.type == values.scalar_type(); });
  MOESCOPE_ASSERT(known != std::end(kTypes), "the lab makes tensors of these types only");
  const auto* bytes = static_cast<const std::uint8_t*>(values.const_data_ptr());
  return {name, known->name, values.sizes().vec(), {bytes, bytes + values.nbytes()}};
}

at::Tensor to_tensor(const record::TensorBlock& block) {
  const auto* known =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& one) { return block.dtype == one.name; });
  if (known == std::end(kTypes)) {
    throw std::runtime_error("'" + block.name + "' is of type " + block.dtype +
                             ", which is not read here; F32, F64, I64, I32, U8 and BOOL are");
  }
  const at::Tensor tensor = at::empty(block.shape, known->type);
  std::copy(block.bytes.begin(), block.bytes.end(), static_cast<std::uint8_t*>(tensor.mutable_data_ptr()));
  return tensor;
}

}  // namespace moescope::train
