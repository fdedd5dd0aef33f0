#pragma once
// What a window and its training process say to each other: messages over a stream socket.
// A message is: the four bytes "MoE" and the version, the length of the body (32 bit, little end first), the kind (one
// byte), the body. Whatever else arrives is an error, found before anything is made of the length.
// Threads: pure functions; a MessageReader has one owner.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::app {

inline constexpr std::size_t kMostBody = std::size_t{16} << 20;
inline constexpr std::size_t kMessageHead = 9;

enum class MessageKind : std::uint8_t {
  // to the training process
  kRequest = 1,  ///< first and once: child_request.h
  kCommand = 2,  ///< bus::to_json(Command)
  kStop = 3,     ///< empty; stop at the next step boundary and end
  // to the window
  kRunInfo = 16,  ///< telemetry::run_info_bytes()
  kFrame = 17,    ///< telemetry::frame_bytes()
  kReply = 18,    ///< bus::to_json(Reply)
  kStatus = 19,   ///< bus::to_json(RunStatus); at least once a second, whatever the trainer does
  kDropped = 20,  ///< decimal: frames left out so far because the window was slow
  kBye = 21,      ///< empty; everything was sent and the process ends
};

struct Message {
  MessageKind kind = MessageKind::kStop;
  std::string body;
};

/// Requires: the body is no larger than kMostBody.
std::string encode(MessageKind kind, std::string_view body);

/// Cuts a stream into messages. Holds at most one message more than it was asked for.
class MessageReader {
 public:
  void add(std::string_view bytes);
  /// The next complete message, or nothing yet. After an error (not our protocol, another version of it, an unknown
  /// kind, too large) every further call gives the same error: a stream has no place to begin anew.
  Result<std::optional<Message>> next();

 private:
  Result<std::optional<Message>> broken(std::string why);

  std::string bytes_;
  std::size_t begin_ = 0;  ///< of what has not been handed out
  std::string problem_;
};

}  // namespace moescope::app
