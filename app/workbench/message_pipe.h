#pragma once
// Messages over descriptors that never block: what cannot be written yet waits here. Both ends use it.
// Threads: one owner.

#include <poll.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "app/workbench/child_protocol.h"

namespace moescope::app {

class MessagePipe {
 public:
  MessagePipe() = default;
  /// Takes both over; they may be the same.
  MessagePipe(int in, int out);
  ~MessagePipe();
  MessagePipe(MessagePipe&& other) noexcept;
  MessagePipe& operator=(MessagePipe&& other) noexcept;

  bool is_open() const { return in_ >= 0; }
  void close();

  /// What to wait for: bytes that come, and room where some wait to go.
  pollfd poll_in() const;
  pollfd poll_out() const;

  void send(MessageKind kind, std::string_view body);
  std::size_t waiting_bytes() const { return waiting_bytes_; }

  /// Writes what can be written now and reads what is there now, up to a few MiB. False: the other side is gone; what
  /// it sent before is still handed out.
  bool exchange();
  /// The next message that has come in, or nothing.
  Result<std::optional<Message>> next() { return reader_.next(); }

 private:
  bool write_waiting();
  bool read_arrived();

  int in_ = -1, out_ = -1;
  MessageReader reader_;
  std::deque<std::string> waiting_;
  std::size_t written_ = 0;  ///< of the first that waits
  std::size_t waiting_bytes_ = 0;
};

}  // namespace moescope::app
