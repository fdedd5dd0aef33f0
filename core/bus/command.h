#pragma once
// What goes down: commands, applied by the trainer at step boundaries only; and what answers: replies.
// A command is {seq, kind, target, value}. Every live parameter changes through the one kind kSet with an absolute
// value. Plain values; who sends them (button, key, script, command line) makes no difference.
// Threads: plain values.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"
#include "core/telemetry/frame.h"

namespace moescope::bus {

enum class CommandKind {
  kPause,
  kResume,
  kStep,  ///< run `count` steps, then pause
  kStop,
  kFreezeRouter,  ///< layer, or every layer with layer = kAllLayers
  kUnfreezeRouter,
  kFreezeExpert,  ///< layer and expert
  kUnfreezeExpert,
  kPinAssignment,  ///< the choice moves to the layer's student and is fixed
  kUnpinAssignment,
  kSwitchStage,    ///< to stage `count` (index), either direction
  kSet,            ///< live parameter `key` := `value`
  kProbeSentence,  ///< route `text` with the current weights and continue it
  kSaveWeights,    ///< to the file `text`
  kCheckpoint,     ///< save the whole state now; it stays
  kWatch,          ///< which streams are wanted; not journalled
};

inline constexpr int kAllLayers = -1;

struct Command {
  std::uint64_t seq = 0;  ///< given by the sender's queue, rising
  CommandKind kind = CommandKind::kPause;
  std::string who = "you";
  int layer = kAllLayers;
  int expert = -1;
  std::int64_t count = 1;
  std::string key;
  config::Value value = false;
  std::string text;
  telemetry::Wants wants;
};

/// One piece of a probed sentence and where it went.
struct SentenceToken {
  std::string text;
  std::vector<std::int16_t> expert_LK;  ///< [layer][choice], row-major
  std::vector<float> gate_LK;
  std::vector<float> margin_L;
};

struct SentenceResult {
  std::string sentence;
  int top_k = 1;
  std::vector<SentenceToken> tokens;
  std::string continuation;
};

struct Reply {
  Command command;
  bool done = false;
  std::int64_t step = 0;                   ///< the step boundary it was applied at
  std::int64_t number = 0;                 ///< its row in the journal of the run file; 0: it has none
  std::string text;                        ///< done: what changed ("lr 0.004 → 0.002"); refused: the reason
  std::optional<config::Value> old_value;  ///< of kSet, so that it can be undone
  std::optional<SentenceResult> sentence;
};

/// A command as the journal and the list on screen name it: "freeze router L2", "set train.lr 0.002".
std::string describe(const Command& command);

/// The id used in the journal: "freeze_router".
std::string kind_name(CommandKind kind);

/// Whether a command changes what is trained. Only these are acted on again when a run is resumed or replayed: pauses,
/// saves and looks have no effect on the bits.
bool changes_training(CommandKind kind);

}  // namespace moescope::bus
