// The training process of a window: one run, told and steered over a socket. What it does is train::TrainerThread's;
// here bytes move between its queues and the socket, on the main thread.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "app/cli/interrupt.h"
#include "app/cli/registered.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/child_request.h"
#include "app/workbench/message_pipe.h"
#include "core/base/log.h"
#include "core/bus/command_json.h"
#include "core/telemetry/frame_bytes.h"
#include "core/train/trainer_thread.h"

namespace moescope::cli {
namespace {

using app::MessageKind;
using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 10;
constexpr std::size_t kMostUnsent = std::size_t{8}
                                    << 20;  // beyond it frames wait in their queue, which drops the oldest
constexpr auto kStatusEvery = std::chrono::milliseconds(100);  // while only the heartbeat changes
constexpr auto kSignOfLife = std::chrono::seconds(1);
constexpr auto kFirstWord = std::chrono::seconds(30);
constexpr auto kLastWords = std::chrono::seconds(10);
constexpr auto kMostAlone = std::chrono::seconds(60);  // for the step that is under way when the window is gone

class Server {
 public:
  explicit Server(app::MessagePipe pipe) : pipe_(std::move(pipe)) {}

  int run() {
    std::string bytes;
    if (!receive_request(bytes)) return kWrongInput;
    Result<train::RunRequest> request = app::read_request(bytes, registered_methods());
    if (!request) {
      refuse(format(request.error()));
      return kWrongInput;
    }
    train::TrainerThread trainer(std::move(*request), channels_);
    bool ended = false;
    while (!ended) {
      wait();
      // Asked first: whatever the trainer sent before it ended is then in the queues.
      ended = trainer.ended();
      if (!take_messages(trainer)) be_alone(trainer);
      if (interrupted()) trainer.request_stop();
      if (alone_since_ && Clock::now() - *alone_since_ > kMostAlone) std::_Exit(kRunFailed);
      send_news(ended);
    }
    pipe_.send(MessageKind::kBye, {});
    send_the_rest();
    return channels_->status.read().state == bus::RunState::kFailed ? kRunFailed : kDone;
  }

 private:
  void wait() {
    std::array<pollfd, 2> waits{pipe_.poll_in(), pipe_.poll_out()};
    ::poll(waits.data(), waits.size(), kTickMs);
  }

  /// False: nobody sent one.
  bool receive_request(std::string& bytes) {
    const auto begin = Clock::now();
    bool open = true;
    while (open && Clock::now() - begin < kFirstWord) {
      wait();
      open = pipe_.exchange();
      Result<std::optional<app::Message>> message = pipe_.next();
      if (!message) {
        std::fprintf(stderr, "error: what came is %s\n", message.error().front().message.c_str());
        return false;
      }
      if (!*message) continue;
      if ((*message)->kind != MessageKind::kRequest) break;
      bytes = std::move((*message)->body);
      return true;
    }
    std::fputs("error: no run was sent; this verb is for windows, 'train' is for people\n", stderr);
    return false;
  }

  void refuse(const std::string& why) {
    bus::RunStatus status;
    status.state = bus::RunState::kFailed;
    status.failure = {0, "prepare", why};
    pipe_.send(MessageKind::kStatus, bus::to_json(status));
    pipe_.send(MessageKind::kBye, {});
    send_the_rest();
  }

  /// False: the window is gone.
  bool take_messages(train::TrainerThread& trainer) {
    if (!pipe_.is_open()) return false;
    const bool open = pipe_.exchange();
    while (true) {
      Result<std::optional<app::Message>> message = pipe_.next();
      if (!message) return false;
      if (!*message) return open;
      if ((*message)->kind == MessageKind::kStop) trainer.request_stop();
      if ((*message)->kind == MessageKind::kCommand) take_command((*message)->body);
    }
  }

  void take_command(const std::string& body) {
    Result<bus::Command> command = bus::command_from_json(body);
    if (!command) {
      log::warning("a command that cannot be read: " + command.error().front().message);
      return;
    }
    if (channels_->commands.try_push(*command)) return;
    bus::Reply reply;
    reply.command = std::move(*command);
    reply.step = channels_->status.read().step;
    reply.text = "too many commands wait; try again in a moment";
    pipe_.send(MessageKind::kReply, bus::to_json(reply));
  }

  /// What is done is recorded; then the process has no purpose.
  void be_alone(train::TrainerThread& trainer) {
    if (!alone_since_) alone_since_ = Clock::now();
    pipe_.close();
    trainer.request_stop();
  }

  void send_news(bool ended) {
    if (!ended && pipe_.waiting_bytes() >= kMostUnsent) return;
    // What a status tells of happened before it was set, so it is read first and sent last. A run is announced before
    // its first frame, so the frames are taken first and sent second.
    const bus::RunStatus status = channels_->status.read();
    const auto frames = channels_->frames.drain();
    for (const auto& info : channels_->runs.drain())
      pipe_.send(MessageKind::kRunInfo, telemetry::run_info_bytes(*info));
    for (const telemetry::FramePtr& frame : frames) send(*frame);
    for (const bus::Reply& reply : channels_->replies.drain()) pipe_.send(MessageKind::kReply, bus::to_json(reply));
    if (const std::uint64_t dropped = channels_->frames.dropped() + too_large_; dropped != told_dropped_)
      pipe_.send(MessageKind::kDropped, std::to_string(told_dropped_ = dropped));
    send(status);
  }

  void send(const telemetry::TelemetryFrame& frame) {
    const std::string bytes = telemetry::frame_bytes(frame);
    if (bytes.size() > app::kMostBody) {
      ++too_large_;
    } else {
      pipe_.send(MessageKind::kFrame, bytes);
    }
  }

  void send(const bus::RunStatus& status) {
    const auto now = Clock::now();
    const bool changed = !bus::same_but_heartbeat(status, told_);
    const bool beats = status.heartbeat != told_.heartbeat && now - told_at_ >= kStatusEvery;
    if (!changed && !beats && now - told_at_ < kSignOfLife) return;
    pipe_.send(MessageKind::kStatus, bus::to_json(status));
    told_ = status;
    told_at_ = now;
  }

  void send_the_rest() {
    const auto begin = Clock::now();
    while (pipe_.waiting_bytes() > 0 && pipe_.exchange() && Clock::now() - begin < kLastWords) wait();
  }

  app::MessagePipe pipe_;
  std::shared_ptr<bus::Channels> channels_ = std::make_shared<bus::Channels>();
  bus::RunStatus told_;
  Clock::time_point told_at_{};
  std::uint64_t told_dropped_ = 0, too_large_ = 0;
  std::optional<Clock::time_point> alone_since_;
};

int serve(int descriptor) {
  const bool standard = descriptor < 0;
  if (!standard && ::fcntl(descriptor, F_GETFD) < 0) {
    std::fprintf(stderr, "error: descriptor %d is not open; it is the socket that a window hands over\n", descriptor);
    return kWrongInput;
  }
  if (standard && (is_terminal(STDIN_FILENO) || is_terminal(STDOUT_FILENO))) {
    std::fputs("error: this verb speaks to a window, not to a terminal; 'train' is for people\n", stderr);
    return kWrongInput;
  }
  log::set_console(false);  // the run's log is in its folder; here stderr is for what ends the process
  watch_interrupts();
  return Server(standard ? app::MessagePipe(STDIN_FILENO, STDOUT_FILENO) : app::MessagePipe(descriptor, descriptor))
      .run();
}

}  // namespace

Verb add_serve(CLI::App& program) {
  auto descriptor = std::make_shared<int>(-1);
  CLI::App* verb = program.add_subcommand("serve", "Train for a window (moescope --isolate) that started this process");
  verb->add_option("--fd", *descriptor, "The socket it was handed over; else standard input and output")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->footer(
      "One run is sent, then commands; frames, replies and states come back. When the other side goes, the run stops "
      "at\n"
      "its next step with everything recorded.\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong.");
  return {verb, [descriptor] { return serve(*descriptor); }};
}

}  // namespace moescope::cli
