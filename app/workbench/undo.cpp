#include "app/workbench/undo.h"

#include <array>
#include <cstdio>
#include <numbers>

namespace moescope::app {
namespace {

using bus::CommandKind;

std::optional<CommandKind> opposite(CommandKind kind) {
  switch (kind) {
    case CommandKind::kFreezeRouter: return CommandKind::kUnfreezeRouter;
    case CommandKind::kUnfreezeRouter: return CommandKind::kFreezeRouter;
    case CommandKind::kFreezeExpert: return CommandKind::kUnfreezeExpert;
    case CommandKind::kUnfreezeExpert: return CommandKind::kFreezeExpert;
    case CommandKind::kPinAssignment: return CommandKind::kUnpinAssignment;
    case CommandKind::kUnpinAssignment: return CommandKind::kPinAssignment;
    default: return std::nullopt;
  }
}

/// Mean of the task loss, in nats, over steps in (after, last]; nothing when none was recorded.
std::optional<double> mean_task(const telemetry::ScalarSeries& task, std::int64_t after, std::int64_t last) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = task.step.size(); i-- > 0 && task.step[i] > after;)
    if (task.step[i] <= last) {
      sum += task.value[i];
      ++count;
    }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

std::optional<bus::Command> undo_of(const bus::Reply& reply, int stage_before) {
  if (!reply.done) return std::nullopt;
  bus::Command command = reply.command;
  if (const auto kind = opposite(command.kind)) {
    command.kind = *kind;
  } else if (command.kind == CommandKind::kSwitchStage && command.count != stage_before) {
    command.count = stage_before;
  } else if (command.kind == CommandKind::kSet && reply.old_value) {
    command.value = *reply.old_value;
  } else {
    return std::nullopt;
  }
  command.seq = 0;
  command.who = "you";
  return command;
}

std::optional<std::string> effect_on_loss(const telemetry::History& history, std::int64_t step) {
  constexpr std::int64_t kWindow = 10;  // one batch's loss jumps by more than most commands do
  const telemetry::ScalarSeries* task = history.series("task");
  if (task == nullptr || task->step.empty() || task->step.back() < step + kEffectSteps) return std::nullopt;
  const auto before = mean_task(*task, step - kWindow, step);
  const auto after = mean_task(*task, step + kEffectSteps - kWindow, step + kEffectSteps);
  if (!before || !after) return std::nullopt;
  const double bits = (*after - *before) / std::numbers::ln2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "Δ task %s%.2f bits after %d steps", bits < 0 ? "−" : "+",
                bits < 0 ? -bits : bits, static_cast<int>(kEffectSteps));
  return std::string(text.data());
}

}  // namespace moescope::app
