#include "core/train/weights_file.h"

#include "core/record/safetensors.h"

namespace moescope::train {

Status save_weights(const std::string& path, const model::Model& model, const std::string& method, std::int64_t step) {
  std::vector<record::TensorBlock> blocks;
  for (const moe::Parameter& parameter : model.parameters().all()) {
    const at::Tensor values = parameter.tensor.detach().contiguous();
    const auto* bytes = static_cast<const std::uint8_t*>(values.const_data_ptr());
    blocks.push_back({parameter.name, "F32", values.sizes().vec(), {bytes, bytes + values.nbytes()}});
  }
  return record::write_safetensors(path, blocks,
                                   {{"format", "moescope"}, {"method", method}, {"step", std::to_string(step)}});
}

}  // namespace moescope::train
