#include "app/export/weights_export.h"

#include <utility>

#include "core/base/text.h"
#include "core/record/output_file.h"
#include "core/record/safetensors.h"

namespace moescope::exports {
namespace {

constexpr std::string_view kModel = "model/";
constexpr std::string_view kRouter = "router/";

/// The name in a file of weights; empty: the tensor is none of the model's.
std::string weight_name(const std::string& name) {
  if (name.starts_with(kModel)) return name.substr(kModel.size());
  if (!name.starts_with(kRouter)) return {};
  const std::size_t slash = name.find('/', kRouter.size());
  if (slash == std::string::npos) return {};
  return "moe." + name.substr(kRouter.size(), slash - kRouter.size()) + ".router." + name.substr(slash + 1);
}

std::string steps_of(const std::vector<record::CheckpointRow>& checkpoints) {
  std::string text;
  for (const record::CheckpointRow& row : checkpoints) text += (text.empty() ? "" : ", ") + with_thousands(row.step);
  return text;
}

}  // namespace

Result<record::CheckpointRow> chosen_checkpoint(const std::vector<record::CheckpointRow>& checkpoints,
                                                std::optional<std::int64_t> step) {
  const record::CheckpointRow* chosen = nullptr;
  for (const record::CheckpointRow& row : checkpoints) {
    const bool tainted = row.kind == record::CheckpointKind::kTainted;
    const bool fits = step ? row.step == *step : !tainted;
    const bool better = !chosen || chosen->kind == record::CheckpointKind::kTainted || !tainted;
    if (fits && better) chosen = &row;
  }
  if (chosen) return *chosen;
  if (checkpoints.empty())
    return error(
        "the run has no checkpoint",
        "training writes them into the run's folder, and final.safetensors, with the weights alone, at its end");
  if (!step)
    return error("the run's only checkpoint was taken when a step failed",
                 "to have it all the same, name its step: " + steps_of(checkpoints));
  return error("the run has no checkpoint at step " + with_thousands(*step),
               "there are checkpoints at " + steps_of(checkpoints));
}

std::optional<std::int64_t> step_of_weights(const std::string& file) {
  const auto weights = record::read_safetensors(file);
  return weights ? record::number_in(weights->metadata, "step") : std::nullopt;
}

Status copy_weights(const std::string& from, const std::string& to) {
  const Result<record::SafetensorsFile> file = record::read_safetensors(from);
  if (!file) return file.error();
  return record::write_safetensors(to, file->blocks, file->metadata);
}

Status export_weights(const std::string& from, const std::string& to, const std::string& method, std::int64_t step) {
  Result<record::SafetensorsFile> file = record::read_safetensors(from);
  if (!file) return file.error();
  std::vector<record::TensorBlock> weights;
  for (record::TensorBlock& block : file->blocks) {
    block.name = weight_name(block.name);
    if (!block.name.empty()) weights.push_back(std::move(block));
  }
  if (weights.empty())
    return record::about_file(from, "holds no tensor of a model", "name the step of another checkpoint with --step");
  return record::write_safetensors(to, weights,
                                   {{"format", "moescope"}, {"method", method}, {"step", std::to_string(step)}});
}

}  // namespace moescope::exports
