#include "core/train/live_controls.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/assert.h"

namespace moescope::train {

using bus::Command;
using bus::CommandKind;

namespace {

constexpr int kMostFreezableExperts = 64;  // LayerControls keeps a bit for each

std::string layer_name(int layer) { return "L" + std::to_string(layer + 1); }

std::string count_of(int count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

LiveControls::LiveControls(const moe::Method& method, model::Model& model, int stage)
    : method_(method), model_(model), stage_(stage), layers_(static_cast<std::size_t>(model.num_layers())) {
  for (int layer = 0; layer < model_.num_layers(); ++layer) push_to_router(layer);
}

void LiveControls::push_to_router(int layer) {
  const auto l = static_cast<std::size_t>(layer);
  moe::MoeLayer& here = model_.layers()[l];
  here.router().apply({stage_, layers_[l].router_frozen, layers_[l].assignment_pinned});
  for (int expert = 0; expert < model_.num_experts(); ++expert) {
    const bool by_hand = expert < kMostFreezableExperts && (layers_[l].frozen_experts >> expert & 1U);
    here.experts().set_frozen(expert, by_hand || here.router().experts_frozen());
  }
}

void LiveControls::restore(int stage, std::vector<LayerControls> layers) {
  MOESCOPE_ASSERT(layers.size() == layers_.size(), "what is held still is kept by layer");
  stage_ = stage;
  layers_ = std::move(layers);
  for (int layer = 0; layer < model_.num_layers(); ++layer) push_to_router(layer);
}

std::vector<int> LiveControls::layers_of(const Command& command) const {
  if (command.layer != bus::kAllLayers) return {command.layer};
  std::vector<int> all(static_cast<std::size_t>(model_.num_layers()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// "L2", "every layer"
std::string LiveControls::name_of(const Command& command) const {
  return command.layer == bus::kAllLayers ? "every layer" : layer_name(command.layer);
}

std::string LiveControls::objection_to_router(const Command& command, bool freeze) const {
  if (!method_.info.traits.router_learns) return method_.info.title + " trains no router: there is nothing to freeze";
  for (const int layer : layers_of(command)) {
    if (layers_[static_cast<std::size_t>(layer)].router_frozen != freeze) return {};
  }
  return "the router of " + name_of(command) + (freeze ? " is frozen already" : " is not frozen");
}

std::string LiveControls::objection_to_expert(const Command& command, bool freeze) const {
  if (command.layer == bus::kAllLayers) return "an expert is named by its layer and its number, as L2·E5";
  if (command.expert < 0 || command.expert >= model_.num_experts()) {
    return "there is no expert " + std::to_string(command.expert) + ": each layer has " +
           count_of(model_.num_experts(), "expert") + ", counted from 0";
  }
  if (command.expert >= kMostFreezableExperts) return "only experts 0 to 63 can be frozen while a run goes on";
  const bool frozen = layers_[static_cast<std::size_t>(command.layer)].frozen_experts >> command.expert & 1U;
  if (frozen != freeze) return {};
  return layer_name(command.layer) + "·E" + std::to_string(command.expert) +
         (freeze ? " is frozen already" : " is not frozen");
}

std::string LiveControls::objection_to_pin(const Command& command, bool pin) const {
  bool moves = false;
  for (const int layer : layers_of(command)) {
    const auto l = static_cast<std::size_t>(layer);
    const moe::Router& router = model_.layers()[l].router();
    if (pin && !router.has_student() && !router.has_table()) {
      return method_.info.title + " does not choose experts token by token: there is no assignment to pin";
    }
    moves = moves || layers_[l].assignment_pinned != pin;
  }
  if (moves) return {};
  return "the assignment of " + name_of(command) + (pin ? " is pinned already" : " is not pinned");
}

std::string LiveControls::objection_to_stage(std::int64_t stage) const {
  const auto count = static_cast<int>(method_.info.stages.size());
  if (count <= 1) return method_.info.title + " has one stage only";
  if (stage < 0 || stage >= count) {
    return "there is no stage " + std::to_string(stage + 1) + ": " + method_.info.title + " has " +
           count_of(count, "stage");
  }
  if (stage != stage_) return {};
  return "already in stage " + std::to_string(stage + 1) + ", " +
         method_.info.stages[static_cast<std::size_t>(stage)].title;
}

std::string LiveControls::objection(const Command& command) const {
  if (command.kind == CommandKind::kSwitchStage) return objection_to_stage(command.count);
  if (command.layer != bus::kAllLayers && (command.layer < 0 || command.layer >= model_.num_layers())) {
    return "there is no layer " + layer_name(command.layer) + ": the model has " +
           count_of(model_.num_layers(), "MoE layer");
  }
  switch (command.kind) {
    case CommandKind::kFreezeRouter: return objection_to_router(command, true);
    case CommandKind::kUnfreezeRouter: return objection_to_router(command, false);
    case CommandKind::kFreezeExpert: return objection_to_expert(command, true);
    case CommandKind::kUnfreezeExpert: return objection_to_expert(command, false);
    case CommandKind::kPinAssignment: return objection_to_pin(command, true);
    case CommandKind::kUnpinAssignment: return objection_to_pin(command, false);
    default: break;
  }
  MOESCOPE_ASSERT(false, "the trainer sends only these kinds here");
  return {};
}

std::vector<int> LiveControls::layers_breaking(const Command& command) const {
  if (!objection(command).empty()) return {};
  if (command.kind == CommandKind::kSwitchStage) {
    std::vector<int> with_student;
    for (int layer = 0; layer < model_.num_layers(); ++layer) {
      if (model_.layers()[static_cast<std::size_t>(layer)].router().has_student()) with_student.push_back(layer);
    }
    return with_student;
  }
  const bool pin = command.kind == CommandKind::kPinAssignment;
  if (!pin && command.kind != CommandKind::kUnpinAssignment) return {};
  std::vector<int> moving = layers_of(command);
  std::erase_if(moving, [&](int layer) { return layers_[static_cast<std::size_t>(layer)].assignment_pinned == pin; });
  return moving;
}

std::vector<int> LiveControls::layers_to_distil(const Command& command) const {
  std::vector<int> wanted;
  if (command.kind != CommandKind::kPinAssignment || !method_.info.traits.token_choice) return wanted;
  const bool known = command.layer == bus::kAllLayers || (command.layer >= 0 && command.layer < model_.num_layers());
  if (!known) return wanted;
  for (const int layer : layers_of(command)) {
    const auto l = static_cast<std::size_t>(layer);
    if (!layers_[l].assignment_pinned && !model_.layers()[l].router().has_student()) wanted.push_back(layer);
  }
  return wanted;
}

Outcome LiveControls::apply(const Command& command) {
  if (std::string why = objection(command); !why.empty()) return refused(std::move(why));
  if (command.kind == CommandKind::kSwitchStage) {
    stage_ = static_cast<int>(command.count);
    for (int layer = 0; layer < model_.num_layers(); ++layer) push_to_router(layer);
    return accepted("switched to stage " + std::to_string(stage_ + 1) + ", " +
                    method_.info.stages[static_cast<std::size_t>(stage_)].title);
  }
  if (command.kind == CommandKind::kFreezeExpert || command.kind == CommandKind::kUnfreezeExpert) {
    const bool freeze = command.kind == CommandKind::kFreezeExpert;
    const auto l = static_cast<std::size_t>(command.layer);
    layers_[l].frozen_experts ^= std::uint64_t{1} << command.expert;
    push_to_router(command.layer);
    return accepted(layer_name(command.layer) + "·E" + std::to_string(command.expert) +
                    (freeze ? " frozen" : " unfrozen"));
  }
  for (const int layer : layers_of(command)) {
    LayerControls& controls = layers_[static_cast<std::size_t>(layer)];
    switch (command.kind) {
      case CommandKind::kFreezeRouter: controls.router_frozen = true; break;
      case CommandKind::kUnfreezeRouter: controls.router_frozen = false; break;
      case CommandKind::kPinAssignment: controls.assignment_pinned = true; break;
      default: controls.assignment_pinned = false; break;
    }
    push_to_router(layer);
  }
  switch (command.kind) {
    case CommandKind::kFreezeRouter: return accepted("router of " + name_of(command) + " frozen");
    case CommandKind::kUnfreezeRouter: return accepted("router of " + name_of(command) + " unfrozen");
    case CommandKind::kPinAssignment: return accepted("assignment of " + name_of(command) + " pinned");
    default: return accepted("assignment of " + name_of(command) + " unpinned");
  }
}

}  // namespace moescope::train
