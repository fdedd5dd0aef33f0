#include "app/workbench/message_pipe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace moescope::app {
namespace {

void make_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // not for programs that either side starts
}

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// Without SIGPIPE where it can be had; programs that use pipes ignore the signal themselves.
ssize_t put(int descriptor, std::string_view bytes) {
  const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && errno == ENOTSOCK ? ::write(descriptor, bytes.data(), bytes.size()) : sent;
}

}  // namespace

MessagePipe::MessagePipe(int in, int out) : in_(in), out_(out) {
  make_nonblocking(in_);
  if (out_ != in_) make_nonblocking(out_);
}

MessagePipe::~MessagePipe() { close(); }

MessagePipe::MessagePipe(MessagePipe&& other) noexcept { *this = std::move(other); }

MessagePipe& MessagePipe::operator=(MessagePipe&& other) noexcept {
  std::swap(in_, other.in_);
  std::swap(out_, other.out_);
  std::swap(reader_, other.reader_);
  std::swap(waiting_, other.waiting_);
  std::swap(written_, other.written_);
  std::swap(waiting_bytes_, other.waiting_bytes_);
  return *this;
}

void MessagePipe::close() {
  if (in_ >= 0) ::close(in_);
  if (out_ >= 0 && out_ != in_) ::close(out_);
  in_ = out_ = -1;
  waiting_.clear();
  written_ = waiting_bytes_ = 0;
}

pollfd MessagePipe::poll_in() const { return {in_, POLLIN, 0}; }

pollfd MessagePipe::poll_out() const { return {waiting_.empty() ? -1 : out_, POLLOUT, 0}; }

void MessagePipe::send(MessageKind kind, std::string_view body) {
  if (!is_open()) return;
  waiting_.push_back(encode(kind, body));
  waiting_bytes_ += waiting_.back().size();
}

bool MessagePipe::exchange() {
  if (!is_open()) return false;
  const bool written = write_waiting();
  const bool read = read_arrived();
  // A socket whose other end has gone says so once everything that end sent is read, and not before.
  return read && (written || in_ == out_);
}

bool MessagePipe::write_waiting() {
  while (!waiting_.empty()) {
    const std::string_view rest = std::string_view(waiting_.front()).substr(written_);
    const ssize_t count = put(out_, rest);
    if (count < 0 && must_wait()) return true;
    if (count < 0) {
      waiting_.clear();
      written_ = waiting_bytes_ = 0;
      return false;
    }
    written_ += static_cast<std::size_t>(count);
    waiting_bytes_ -= static_cast<std::size_t>(count);
    if (written_ < waiting_.front().size()) return true;
    waiting_.pop_front();
    written_ = 0;
  }
  return true;
}

bool MessagePipe::read_arrived() {
  constexpr int kMostReads = 64;  // then the owner has its turn, however fast the other side writes
  std::array<char, 65536> block;  // NOLINT: filled by read()
  for (int i = 0; i < kMostReads; ++i) {
    const ssize_t count = ::read(in_, block.data(), block.size());
    if (count == 0) return false;
    if (count < 0) return must_wait();
    reader_.add({block.data(), static_cast<std::size_t>(count)});
  }
  return true;
}

}  // namespace moescope::app
