#include "core/bus/command.h"

#include "core/base/text.h"

namespace moescope::bus {
namespace {

/// Layers count from 1 wherever a person reads them.
std::string on_layer(const std::string& verb, const std::string& noun, int layer) {
  return layer == kAllLayers ? verb + " every " + noun : verb + ' ' + noun + " L" + std::to_string(layer + 1);
}

std::string on_expert(const std::string& verb, const Command& command) {
  const std::string expert = "E" + std::to_string(command.expert);
  return command.layer == kAllLayers ? verb + " expert " + expert + " of every layer"
                                     : verb + " expert L" + std::to_string(command.layer + 1) + "·" + expert;
}

/// A text value reads better without its quotes here.
std::string plain(const config::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? printable(*text) : config::to_text(value);
}

}  // namespace

std::string describe(const Command& command) {
  switch (command.kind) {
    case CommandKind::kPause: return "pause";
    case CommandKind::kResume: return "resume";
    case CommandKind::kStep: return command.count == 1 ? "step" : "step " + std::to_string(command.count);
    case CommandKind::kStop: return "stop";
    case CommandKind::kFreezeRouter: return on_layer("freeze", "router", command.layer);
    case CommandKind::kUnfreezeRouter: return on_layer("unfreeze", "router", command.layer);
    case CommandKind::kFreezeExpert: return on_expert("freeze", command);
    case CommandKind::kUnfreezeExpert: return on_expert("unfreeze", command);
    case CommandKind::kPinAssignment: return on_layer("pin", "assignment", command.layer);
    case CommandKind::kUnpinAssignment: return on_layer("unpin", "assignment", command.layer);
    case CommandKind::kSwitchStage: return "switch to stage " + std::to_string(command.count + 1);
    case CommandKind::kSet: return "set " + command.key + ' ' + plain(command.value);
    case CommandKind::kProbeSentence: return "probe \"" + printable(command.text) + '"';
    case CommandKind::kSaveWeights: return "save weights to " + printable(command.text);
    case CommandKind::kCheckpoint: return "save a checkpoint";
    case CommandKind::kWatch: return "watch";
  }
  return "unknown command";
}

std::string kind_name(CommandKind kind) {
  switch (kind) {
    case CommandKind::kPause: return "pause";
    case CommandKind::kResume: return "resume";
    case CommandKind::kStep: return "step";
    case CommandKind::kStop: return "stop";
    case CommandKind::kFreezeRouter: return "freeze_router";
    case CommandKind::kUnfreezeRouter: return "unfreeze_router";
    case CommandKind::kFreezeExpert: return "freeze_expert";
    case CommandKind::kUnfreezeExpert: return "unfreeze_expert";
    case CommandKind::kPinAssignment: return "pin_assignment";
    case CommandKind::kUnpinAssignment: return "unpin_assignment";
    case CommandKind::kSwitchStage: return "switch_stage";
    case CommandKind::kSet: return "set";
    case CommandKind::kProbeSentence: return "probe_sentence";
    case CommandKind::kSaveWeights: return "save_weights";
    case CommandKind::kCheckpoint: return "checkpoint";
    case CommandKind::kWatch: return "watch";
  }
  return "unknown";
}

bool changes_training(CommandKind kind) {
  switch (kind) {
    case CommandKind::kFreezeRouter:
    case CommandKind::kUnfreezeRouter:
    case CommandKind::kFreezeExpert:
    case CommandKind::kUnfreezeExpert:
    case CommandKind::kPinAssignment:
    case CommandKind::kUnpinAssignment:
    case CommandKind::kSwitchStage:
    case CommandKind::kSet: return true;
    default: return false;
  }
}

}  // namespace moescope::bus
