#include "core/train/weights_file.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>

#include "core/base/text.h"
#include "core/record/safetensors.h"
#include "core/train/messages.h"
#include "core/train/tensor_blocks.h"

namespace moescope::train {

namespace {

constexpr const char* kFinalWeights = "final.safetensors";
constexpr std::size_t kMostNamed = 4;  ///< in one message

/// A tensor of a model under the name it has in a file.
struct Slot {
  std::string name;
  at::Tensor tensor;
  int layer = -1;     ///< of a router's state; −1: a parameter
  std::string state;  ///< its name there
};

std::string router_prefix(int layer) { return "moe." + std::to_string(layer + 1) + ".router."; }

std::vector<Slot> slots_of(const model::Model& model) {
  std::vector<Slot> slots;
  for (const moe::Parameter& parameter : model.parameters().all()) {
    slots.push_back({parameter.name, parameter.tensor, -1, {}});
  }
  for (int layer = 0; layer < model.num_layers(); ++layer) {
    for (const moe::NamedTensor& one : model.layers()[static_cast<std::size_t>(layer)].router().state()) {
      slots.push_back({router_prefix(layer) + one.name, one.tensor, layer, one.name});
    }
  }
  return slots;
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMostNamed ? text + ", …" : text;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : " × ") + with_thousands(size);
  return text.empty() ? "a single number" : text;
}

struct OpenFile {
  std::string path;
  std::map<std::string, record::TensorBlock> blocks;
};

Result<OpenFile> open(const std::string& given) {
  OpenFile file{given, {}};
  std::error_code ignored;
  if (std::filesystem::is_directory(given, ignored)) {
    file.path = (std::filesystem::path(given) / kFinalWeights).string();
    if (!std::filesystem::exists(file.path, ignored)) {
      return error("the folder '" + printable(given) + "' holds no " + kFinalWeights,
                   "a run writes it when it ends; name a safetensors file instead");
    }
  }
  Result<record::SafetensorsFile> read = record::read_safetensors(file.path);
  if (!read) return read.error();
  for (record::TensorBlock& block : read->blocks) file.blocks.emplace(block.name, std::move(block));
  return file;
}

/// Which block goes where, and what hinders it; nothing is written yet.
struct Plan {
  std::vector<std::pair<Slot, at::Tensor>> copies;
  LoadedWeights told;
  Diagnostics problems;
};

Plan plan(const OpenFile& file, const model::Model& model) {
  Plan made;
  made.told.path = file.path;
  std::map<std::string, bool> used;
  for (const Slot& slot : slots_of(model)) {
    const auto found = file.blocks.find(slot.name);
    if (found == file.blocks.end()) {
      made.told.fresh.push_back(slot.name);
      continue;
    }
    used[slot.name] = true;
    if (slot.tensor.sizes() != at::IntArrayRef(found->second.shape)) {
      made.problems.push_back(error("'" + slot.name + "' is " + shape_text(found->second.shape) + " in " + file.path +
                                        ", but " + shape_text(slot.tensor.sizes()) + " in this run",
                                    "both runs need the same sizes, experts and vocabulary"));
      continue;
    }
    made.copies.emplace_back(slot, to_tensor(found->second));
    made.told.loaded.push_back(slot.name);
  }
  for (const auto& [name, block] : file.blocks) {
    if (!used.contains(name)) made.told.ignored.push_back(name);
  }
  return made;
}

void carry_out(const Plan& plan, model::Model& model) {
  const c10::AutoGradMode no_gradient(false);
  for (const auto& [slot, value] : plan.copies) {
    if (slot.layer < 0) {
      slot.tensor.copy_(value);
      continue;
    }
    moe::Router& router = model.layers()[static_cast<std::size_t>(slot.layer)].router();
    const std::string why = router.restore(slot.state, value.to(slot.tensor.scalar_type()));
    if (!why.empty()) throw std::runtime_error(slot.name + ": " + why);
  }
}

/// What a router keeps only at times (a pinned table) is no slot of a fresh model.
bool restore_extra(const std::string& name, const at::Tensor& value, model::Model& model) {
  for (int layer = 0; layer < model.num_layers(); ++layer) {
    const std::string prefix = router_prefix(layer);
    if (!name.starts_with(prefix)) continue;
    return model.layers()[static_cast<std::size_t>(layer)].router().restore(name.substr(prefix.size()), value).empty();
  }
  return false;
}

}  // namespace

Status save_weights(const std::string& path, const model::Model& model, const std::string& method, std::int64_t step) {
  std::vector<record::TensorBlock> blocks;
  for (const Slot& slot : slots_of(model)) blocks.push_back(to_block(slot.name, slot.tensor));
  return record::write_safetensors(path, blocks,
                                   {{"format", "moescope"}, {"method", method}, {"step", std::to_string(step)}});
}

Result<LoadedWeights> load_weights(const std::string& path, model::Model& model) {
  const Result<OpenFile> file = open(path);
  if (!file) return file.error();
  try {
    const Plan planned = plan(*file, model);
    if (!planned.problems.empty()) return planned.problems;
    if (planned.told.loaded.empty()) {
      return error("nothing in " + file->path + " has the name of a tensor of this run",
                   file->blocks.empty() ? "the file holds no tensors" : "it holds " + some_of(planned.told.ignored));
    }
    carry_out(planned, model);
    return planned.told;
  } catch (const std::exception& problem) {  // a type that is not read here, a state that does not fit
    return error(problem.what());
  }
}

std::string in_words(const LoadedWeights& weights) {
  const auto counted = [](const std::vector<std::string>& names, const std::string& what) {
    return names.empty() ? "" : ", " + std::to_string(names.size()) + " " + what + " (" + some_of(names) + ")";
  };
  return "started from " + weights.path + ": " + std::to_string(weights.loaded.size()) +
         (weights.loaded.size() == 1 ? " tensor" : " tensors") + " loaded" + counted(weights.fresh, "left fresh") +
         counted(weights.ignored, "ignored");
}

void load_exact_weights(const std::string& path, model::Model& model) {
  const Result<OpenFile> file = open(path);
  if (!file) throw std::runtime_error(one_line(file.error()));
  const Plan planned = plan(*file, model);
  if (!planned.problems.empty()) throw std::runtime_error(one_line(planned.problems));
  const std::vector<std::string>& missing = planned.told.fresh;
  if (!missing.empty()) throw std::runtime_error(file->path + " lacks " + some_of(missing) + " of this configuration");
  carry_out(planned, model);
  std::vector<std::string> unknown;
  for (const std::string& name : planned.told.ignored) {
    if (!restore_extra(name, to_tensor(file->blocks.at(name)), model)) unknown.push_back(name);
  }
  if (!unknown.empty()) {
    throw std::runtime_error(file->path + " holds " + some_of(unknown) + ", which this configuration has no place for");
  }
}

}  // namespace moescope::train
