#include "app/workbench/child_trainer.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <exception>
#include <filesystem>
#include <thread>
#include <utility>

#include "app/workbench/child_process.h"
#include "core/base/log.h"
#include "core/bus/command_json.h"
#include "core/telemetry/frame_bytes.h"
#include "core/telemetry/frame_check.h"

namespace moescope::app {
namespace {

using Clock = std::chrono::steady_clock;
using bus::RunState;

constexpr int kTickMs = 10;                     // a command or a stop waits no longer
constexpr std::size_t kMostUnsent = 64U << 10;  // beyond it commands stay in the queue, which refuses when it is full

std::string program_beside_this_one() {
  std::error_code failure;
  return (std::filesystem::read_symlink("/proc/self/exe", failure).parent_path() / "moescope-cli").string();
}

std::string whole_seconds(Clock::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

/// Everything but the three atomics belongs to the thread.
class ChildTrainer::Body {
 public:
  Body(std::string request, std::string folder, std::shared_ptr<bus::Channels> channels, ChildOptions options)
      : request_(std::move(request)),
        folder_(std::move(folder)),
        channels_(std::move(channels)),
        options_(std::move(options)),
        thread_([this] { run(); }) {}

  std::atomic<bool> stop_wanted{false};
  std::atomic<bool> ended{false};
  std::atomic<int> process_id{-1};

 private:
  void run() noexcept {
    try {
      if (start()) {
        while (!turn()) {
        }
      }
    } catch (const std::exception& failure) {  // out of memory here: the process is killed by its owner's destructor
      fail(std::string("the training process was given up: ") + failure.what());
    }
    process_id = -1;
    ended = true;
  }

  bool start() {
    if (request_.size() > kMostBody) {
      fail("the description of the run is too large for a process of its own: train it in this one");
      return false;
    }
    const std::string program = options_.program.empty() ? program_beside_this_one() : options_.program;
    if (const Status started = process_.start(program, options_.arguments); !started) {
      fail(started.error().front().message);
      return false;
    }
    process_id = process_.id();
    process_.pipe().send(MessageKind::kRequest, request_);
    request_ = {};
    last_word_ = Clock::now();
    return true;
  }

  /// One round. True once the process is over.
  bool turn() {
    std::array<pollfd, 3> waits{process_.pipe().poll_in(), process_.pipe().poll_out(), process_.poll_errors()};
    ::poll(waits.data(), waits.size(), kTickMs);
    // Asked first: whatever it sent before it ended can then be read.
    const std::optional<int> wait_status = process_.reap();
    if (!wait_status) {
      exchange();
      take_errors();
      send_commands();
      mind_stop();
      mind_silence();
      return false;
    }
    process_id = -1;
    pollfd more = process_.pipe().poll_in();
    while (process_.pipe().is_open() && ::poll(&more, 1, 0) > 0) exchange();
    process_.pipe().close();
    take_errors();
    say_how_it_ended(*wait_status);
    return true;
  }

  void exchange() {
    if (!process_.pipe().is_open()) return;
    const bool open = process_.pipe().exchange();
    while (true) {
      const Result<std::optional<Message>> message = process_.pipe().next();
      std::string problem = message ? "" : message.error().front().message;
      if (message && !*message) break;
      if (message) problem = take(**message);
      if (problem.empty()) continue;
      quarrel_ = problem;
      leave();
      return;
    }
    if (!open) leave();
  }

  /// No more words. A process that still lives sees it and stops, or is made to.
  void leave() {
    process_.pipe().close();
    if (!leaving_since_) leaving_since_ = Clock::now();
  }

  /// An empty text, or what is wrong with the message.
  std::string take(const Message& message) {
    last_word_ = Clock::now();
    std::string_view body = message.body;
    switch (message.kind) {
      case MessageKind::kRunInfo: return pass(telemetry::read_run_info(body), &Body::take_info);
      case MessageKind::kFrame: return pass(telemetry::read_frame(body), &Body::take_frame);
      case MessageKind::kReply: return pass(bus::reply_from_json(body), &Body::take_reply);
      case MessageKind::kStatus: return pass(bus::status_from_json(body), &Body::take_status);
      case MessageKind::kDropped: return take_dropped(body);
      case MessageKind::kBye: return {};
      case MessageKind::kRequest:
      case MessageKind::kCommand:
      case MessageKind::kStop: break;
    }
    return "a message that only a window sends";
  }

  template <class Value>
  std::string pass(Result<Value> value, std::string (Body::*use)(Value)) {
    return value ? (this->*use)(std::move(*value)) : value.error().front().message;
  }

  std::string take_info(telemetry::RunInfo info) {
    if (std::string problem = telemetry::misfit(info); !problem.empty())
      return "the description of a run that cannot be: " + problem;
    info_ = std::make_shared<const telemetry::RunInfo>(std::move(info));
    channels_->runs.push_drop_oldest(info_);
    return {};
  }

  std::string take_frame(std::shared_ptr<telemetry::TelemetryFrame> frame) {
    if (!info_) return "a frame before its run";
    if (const std::string problem = telemetry::misfit(*info_, *frame); problem.empty()) {
      channels_->frames.push_drop_oldest(std::move(frame));
    } else {  // nothing to end a run for: a view goes without this step
      if (misfits_++ == 0) log::warning("a frame does not fit its run: " + problem);
      channels_->frames.count_dropped(1);
    }
    return {};
  }

  std::string take_reply(bus::Reply reply) {
    channels_->replies.push_drop_oldest(std::move(reply));
    return {};
  }

  std::string take_status(bus::RunStatus status) {
    const bool beats = std::exchange(heartbeat_, status.heartbeat) != status.heartbeat;
    publish([&](bus::RunStatus& shown) { shown = std::move(status); }, beats);
    silent_ = false;
    return {};
  }

  std::string take_dropped(std::string_view text) {
    std::uint64_t dropped = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), dropped);
    if (problem != std::errc() || end != text.data() + text.size() || dropped < dropped_)
      return "a count of dropped frames that is none";
    channels_->frames.count_dropped(dropped - std::exchange(dropped_, dropped));
    return {};
  }

  /// Changes the state as everyone sees it; the heartbeat grows with the trainer's own alone.
  template <class Change>
  void publish(Change&& change, bool beats) {
    channels_->status.update([&](bus::RunStatus& shown) {
      const std::uint64_t heartbeat = shown.heartbeat;
      change(shown);
      shown.heartbeat = beats ? heartbeat : heartbeat - 1;  // update() adds one
    });
  }

  void take_errors() {
    std::vector<std::string> lines;
    process_.read_errors(lines);
    for (const std::string& line : lines) log::warning("training process: " + line);
  }

  void send_commands() {
    MessagePipe& pipe = process_.pipe();
    while (pipe.is_open() && pipe.waiting_bytes() < kMostUnsent) {
      const std::optional<bus::Command> command = channels_->commands.try_pop();
      if (!command) break;
      pipe.send(MessageKind::kCommand, bus::to_json(*command));
    }
  }

  void mind_stop() {
    if (stop_wanted && !stop_sent_) {
      stop_sent_ = true;
      process_.pipe().send(MessageKind::kStop, {});
      if (!leaving_since_) leaving_since_ = Clock::now();
    }
    if (!leaving_since_) return;
    const auto time = Clock::now() - *leaving_since_;
    if (time >= options_.patience && !std::exchange(terminated_, true)) process_.signal(SIGTERM);
    if (time >= 2 * options_.patience && !std::exchange(killed_, true)) process_.signal(SIGKILL);
  }

  void mind_silence() {
    const auto time = Clock::now() - last_word_;
    if (time < options_.silence || has_ended(channels_->status.read().state)) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    if (std::exchange(silent_, true) && seconds == told_silence_) return;
    told_silence_ = seconds;
    publish([&](bus::RunStatus& shown) { shown.activity = "no sign of life for " + whole_seconds(time); }, false);
  }

  void say_how_it_ended(int wait_status) {
    const std::string how = how_it_ended(wait_status);
    if (has_ended(channels_->status.read().state)) {
      if (wait_status != 0) log::info("the training process " + how);
      return;
    }
    std::string text = "the training process " + how;
    if (!quarrel_.empty()) {
      text = "the training process was let go because it sent " + quarrel_ +
             " (are both programs of the same build?); it " + how;
    } else if (killed_ || (terminated_ && WIFSIGNALED(wait_status))) {
      text = "the training process did not stop when it was asked to and was killed";
    }
    if (!process_.last_error().empty()) text += "; its last words were: " + process_.last_error();
    fail(std::move(text));
  }

  void fail(std::string text) {
    const std::int64_t step = channels_->status.read().step;
    if (folder_.empty()) {
      text += ". Nothing of this run was recorded, since it has no folder: start it anew";
    } else if (step > 0) {
      text += ". The run is recorded in " + folder_ + " and can be continued";
    }
    log::error(text);
    publish(
        [&](bus::RunStatus& shown) {
          shown.state = RunState::kFailed;
          shown.activity.clear();
          shown.progress = -1;
          shown.failure = {step, "process", std::move(text)};
        },
        true);
  }

  std::string request_;
  const std::string folder_;
  const std::shared_ptr<bus::Channels> channels_;
  const ChildOptions options_;
  ChildProcess process_;
  std::shared_ptr<const telemetry::RunInfo> info_;
  std::string quarrel_;  ///< what it sent that cannot be understood
  std::uint64_t heartbeat_ = 0, dropped_ = 0, misfits_ = 0;
  Clock::time_point last_word_;
  std::chrono::seconds told_silence_{0};
  bool silent_ = false, stop_sent_ = false, terminated_ = false, killed_ = false;
  std::optional<Clock::time_point> leaving_since_;
  std::jthread thread_;  ///< last: it uses the members above, and joins before they go
};

ChildTrainer::ChildTrainer(std::string request, std::string folder, std::shared_ptr<bus::Channels> channels,
                           ChildOptions options)
    : body_(std::make_unique<Body>(std::move(request), std::move(folder), std::move(channels), std::move(options))) {}

ChildTrainer::~ChildTrainer() { request_stop(); }

void ChildTrainer::request_stop() { body_->stop_wanted = true; }
bool ChildTrainer::ended() const { return body_->ended; }
int ChildTrainer::process_id() const { return body_->process_id; }

}  // namespace moescope::app
