#include "core/train/training_state.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "core/bus/command_json.h"
#include "core/corpus/hash.h"
#include "core/telemetry/frame_bytes.h"
#include "core/train/messages.h"
#include "core/train/tensor_blocks.h"

namespace moescope::train {

namespace {

using Visit = std::function<void(const std::string& name, const at::Tensor& tensor)>;

const std::string kWatch = "watch/";

at::Tensor number(std::int64_t value) { return at::scalar_tensor(value, at::kLong); }

at::Tensor bytes_tensor(std::string_view bytes) {
  const at::Tensor tensor = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::copy(bytes.begin(), bytes.end(), tensor.mutable_data_ptr<std::uint8_t>());
  return tensor;
}

std::string text_of(const at::Tensor& bytes) {
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  return {data, data + bytes.numel()};
}

std::string router_prefix(std::size_t layer) { return "router/" + std::to_string(layer + 1) + "/"; }

void visit_controls(const LiveControls& controls, const Visit& visit) {
  const auto L = static_cast<std::int64_t>(controls.layers().size());
  const at::Tensor frozen = at::empty({L}, at::kByte), pinned = at::empty({L}, at::kByte),
                   experts = at::empty({L}, at::kLong);
  for (std::int64_t l = 0; l < L; ++l) {
    const telemetry::LayerControls& layer = controls.layers()[static_cast<std::size_t>(l)];
    frozen.mutable_data_ptr<std::uint8_t>()[l] = layer.router_frozen ? 1 : 0;
    pinned.mutable_data_ptr<std::uint8_t>()[l] = layer.assignment_pinned ? 1 : 0;
    experts.mutable_data_ptr<std::int64_t>()[l] = static_cast<std::int64_t>(layer.frozen_experts);
  }
  visit("control/router_frozen", frozen);
  visit("control/assignment_pinned", pinned);
  visit("control/frozen_experts", experts);
}

std::string settings_text(const LiveSettings& settings) {
  std::string text;
  for (const auto& [key, value] : settings.changed()) {
    bus::Command command;
    command.kind = bus::CommandKind::kSet;
    command.key = key;
    command.value = value;
    text += bus::to_json(command) + '\n';
  }
  return text;
}

std::map<std::string, config::Value> settings_from(const std::string& text) {
  std::map<std::string, config::Value> settings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const Result<bus::Command> command = bus::command_from_json(line);
    if (!command) throw std::runtime_error("control/settings: " + one_line(command.error()));
    settings[command->key] = command->value;
  }
  return settings;
}

void visit_watch(const Watch& watch, const Visit& visit) {
  const Watch::Memory memory = watch.memory();
  visit(kWatch + "spacing", number(memory.spacing));
  if (!memory.probe.last) return;
  visit(kWatch + "probe", bytes_tensor(telemetry::probe_bytes(*memory.probe.last)));
  telemetry::ProbeSnapshot reference;
  reference.reference = memory.probe.reference;
  visit(kWatch + "reference", bytes_tensor(telemetry::probe_bytes(reference)));
}

/// In an order that is the same for every run of one configuration.
void visit_all(const TrainingState& state, const Visit& visit) {
  for (const moe::Parameter& parameter : state.model.parameters().all())
    visit("model/" + parameter.name, parameter.tensor);
  const auto& layers = state.model.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (const moe::NamedTensor& one : layers[l].router().state()) visit(router_prefix(l) + one.name, one.tensor);
  }
  for (const auto& [name, moments] : state.optimizer.moments()) {
    visit("optim/" + name + "/mean", moments.mean);
    visit("optim/" + name + "/square", moments.square);
    visit("optim/" + name + "/count", moments.count);
  }
  visit("schedule/peak", at::scalar_tensor(state.schedule.peak(), at::kDouble));
  visit("control/stage", number(state.controls.stage()));
  visit("control/stage_due", number(state.stage_due));
  visit_controls(state.controls, visit);
  visit("control/settings", bytes_tensor(settings_text(state.settings)));
  visit("data/step", number(state.step));
  visit("data/seed", number(state.seed));
  visit_watch(state.watch, visit);
}

StateHash combined(std::vector<record::TensorHash> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const record::TensorHash& a, const record::TensorHash& b) { return a.name < b.name; });
  corpus::Hasher all;
  for (const record::TensorHash& one : tensors) all.add(one.name).add(one.hash);
  return {all.hex(), std::move(tensors)};
}

/// The blocks of a file, each taken once.
class Taken {
 public:
  explicit Taken(const std::vector<record::TensorBlock>& blocks) {
    for (const record::TensorBlock& block : blocks) blocks_[block.name] = &block;
  }

  at::Tensor take(const std::string& name) {
    const auto found = blocks_.find(name);
    if (found == blocks_.end()) throw std::runtime_error("'" + name + "' is missing");
    const at::Tensor tensor = to_tensor(*found->second);
    blocks_.erase(found);
    return tensor;
  }
  at::Tensor take(const std::string& name, const at::Tensor& like) {
    at::Tensor tensor = take(name);
    if (tensor.sizes() != like.sizes()) throw std::runtime_error("'" + name + "' has another shape than in this run");
    return tensor;
  }
  bool has(const std::string& name) const { return blocks_.contains(name); }
  /// Names that begin with `prefix` and were not taken.
  std::vector<std::string> left(const std::string& prefix = {}) const {
    std::vector<std::string> names;
    for (const auto& [name, block] : blocks_)
      if (name.starts_with(prefix)) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, const record::TensorBlock*> blocks_;
};

void restore_router(moe::Router& router, const std::string& prefix, Taken& taken) {
  // A table that was distilled later than the state that comes back.
  if (router.has_table() && !taken.has(prefix + "pinned_table")) router.adopt_table({});
  for (const std::string& name : taken.left(prefix)) {
    const std::string why = router.restore(name.substr(prefix.size()), taken.take(name));
    if (!why.empty()) throw std::runtime_error("'" + name + "': " + why);
  }
}

void restore_controls(LiveControls& controls, Taken& taken) {
  const auto count = static_cast<std::int64_t>(controls.layers().size());
  const at::Tensor frozen = taken.take("control/router_frozen"), pinned = taken.take("control/assignment_pinned"),
                   experts = taken.take("control/frozen_experts");
  if (frozen.numel() != count || pinned.numel() != count || experts.numel() != count)
    throw std::runtime_error("'control/router_frozen' is of another number of layers");
  std::vector<telemetry::LayerControls> layers;
  for (std::int64_t l = 0; l < count; ++l) {
    layers.push_back({frozen.const_data_ptr<std::uint8_t>()[l] != 0, pinned.const_data_ptr<std::uint8_t>()[l] != 0,
                      static_cast<std::uint64_t>(experts.const_data_ptr<std::int64_t>()[l])});
  }
  controls.restore(static_cast<int>(taken.take("control/stage").item<std::int64_t>()), std::move(layers));
}

std::shared_ptr<telemetry::ProbeSnapshot> probe_from(const at::Tensor& bytes) {
  const std::string text = text_of(bytes);
  std::string_view rest = text;
  auto probe = telemetry::read_probe(rest);
  if (!probe) throw std::runtime_error("watch/probe: " + one_line(probe.error()));
  return *probe;
}

void restore_watch(Watch& watch, Taken& taken) {
  Watch::Memory memory;
  memory.spacing = taken.take(kWatch + "spacing").item<std::int64_t>();
  if (taken.has(kWatch + "probe")) {
    memory.probe.last = probe_from(taken.take(kWatch + "probe"));
    memory.probe.reference = probe_from(taken.take(kWatch + "reference"))->reference;
  }
  watch.restore(std::move(memory));
}

}  // namespace

record::Blocks capture(const TrainingState& state) {
  auto blocks = std::make_shared<std::vector<record::TensorBlock>>();
  visit_all(state,
            [&](const std::string& name, const at::Tensor& tensor) { blocks->push_back(to_block(name, tensor)); });
  return blocks;
}

void restore(TrainingState state, const std::vector<record::TensorBlock>& blocks) {
  const c10::AutoGradMode no_gradient(false);
  Taken taken(blocks);
  for (const moe::Parameter& parameter : state.model.parameters().all()) {
    parameter.tensor.copy_(taken.take("model/" + parameter.name, parameter.tensor));
  }
  for (const auto& [name, moments] : state.optimizer.moments()) {
    moments.mean.copy_(taken.take("optim/" + name + "/mean", moments.mean));
    moments.square.copy_(taken.take("optim/" + name + "/square", moments.square));
    moments.count.copy_(taken.take("optim/" + name + "/count", moments.count));
  }
  if (taken.take("data/seed").item<std::int64_t>() != state.seed)
    throw std::runtime_error("'data/seed' is another run's");
  state.step = taken.take("data/step").item<std::int64_t>();
  state.schedule.set_peak(taken.take("schedule/peak").item<double>());
  const auto settings = settings_from(text_of(taken.take("control/settings")));
  if (const std::string why = state.settings.restore(settings, state.step); !why.empty())
    throw std::runtime_error("control/settings: " + why);
  const std::string section = "moe.router.";
  for (const auto& [key, value] : state.settings.values()) {
    if (key.starts_with(section)) state.objective.set(key.substr(section.size()), value);
  }
  for (std::size_t l = 0; l < state.model.layers().size(); ++l)
    restore_router(state.model.layers()[l].router(), router_prefix(l), taken);
  restore_controls(state.controls, taken);
  state.stage_due = static_cast<int>(taken.take("control/stage_due").item<std::int64_t>());
  restore_watch(state.watch, taken);
  if (const auto left = taken.left(); !left.empty())
    throw std::runtime_error("'" + left.front() + "' has no place in this configuration");
}

StateHash hash_of(const TrainingState& state) {
  std::vector<record::TensorHash> tensors;
  visit_all(state, [&](const std::string& name, const at::Tensor& tensor) {
    if (name.starts_with(kWatch)) return;
    const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
    const auto* bytes = static_cast<const char*>(values.const_data_ptr());
    tensors.push_back({name, corpus::hash64({bytes, values.nbytes()})});
  });
  return combined(std::move(tensors));
}

StateHash hash_of(const std::vector<record::TensorBlock>& blocks) {
  std::vector<record::TensorHash> tensors;
  for (const record::TensorBlock& block : blocks) {
    if (block.name.starts_with(kWatch)) continue;
    tensors.push_back(
        {block.name, corpus::hash64({reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size()})});
  }
  return combined(std::move(tensors));
}

}  // namespace moescope::train
