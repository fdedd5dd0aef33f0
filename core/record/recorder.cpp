#include "core/record/recorder.h"

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/text.h"
#include "core/record/probe_thinning.h"

namespace moescope::record {
namespace {

// The wall clock may jump; only this one decides when something is due.
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kNoticeableWait{100};

template <class Row>
void append(std::vector<Row>& to, std::vector<Row>& from) {
  if (to.empty()) return to.swap(from);
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

/// All of `from` behind `to`; `from` is empty afterwards.
void append(RunBatch& to, RunBatch& from) {
  append(to.frames, from.frames);
  to.without_probe.merge(from.without_probe);
  to.without_tokens.merge(from.without_tokens);
  append(to.commands, from.commands);
  append(to.results, from.results);
  append(to.events, from.events);
  append(to.hashes, from.hashes);
  append(to.checkpoints, from.checkpoints);
  append(to.forgotten_checkpoints, from.forgotten_checkpoints);
  append(to.gaps, from.gaps);
  from = {};
}

}  // namespace

class Recorder::Impl {
 public:
  Impl(std::unique_ptr<RunWriter> writer, const RecorderOptions& options)
      : options_(options),
        writer_(std::move(writer)),
        probe_bytes_(writer_->probe_bytes()),
        thinning_(options.probe_every, options.probe_budget_bytes),
        thread_([this] { run(); }) {}

  ~Impl() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void add_frame(const telemetry::FramePtr& frame) {
    mutex_.lock();
    const auto waited = wait_for_room();
    const bool first = pending_.empty();
    if (waited >= kNoticeableWait)
      pending_.events.push_back(
          {frame->step, "disk",
           "training waited " + with_thousands(waited / std::chrono::milliseconds(1)) + " ms, because the disk is slow",
           "lab"});
    thinning_.add(frame, probe_bytes_, pending_);
    const bool wake = first || pending_.frames.size() == options_.commit_steps;
    if (first) due_ = Clock::now() + options_.commit_every;
    mutex_.unlock();
    if (wake) wake_.notify_one();
  }

  /// `change` is done to what waits to be written.
  template <class Change>
  void add(const Change& change) {
    bool first = false;
    {
      MutexLock lock(mutex_);
      first = pending_.empty();
      change(pending_);
      if (first) due_ = Clock::now() + options_.commit_every;
    }
    if (first) wake_.notify_one();
  }

  Status flush(const CommandRow* command) {
    mutex_.lock();
    urgent_ = command;
    const std::uint64_t mine = ++asked_;
    wake_.notify_one();
    while (answered_ < mine) room_.wait(mutex_);
    urgent_ = nullptr;
    Status answer = std::move(answer_);
    answer_ = Done{};
    mutex_.unlock();
    return answer;
  }

  std::string trouble() const {
    MutexLock lock(mutex_);
    return trouble_;
  }

 private:
  void run() {
    for (bool last = false; !last;) {
      RunBatch batch;
      const CommandRow* command = nullptr;
      std::uint64_t asked = 0;
      mutex_.lock();
      wait_for_work();
      last = stopping_;
      append(kept_, pending_);
      std::swap(batch, kept_);
      writing_frames_ = batch.frames.size();
      asked = asked_;
      command = answered_ < asked ? urgent_ : nullptr;
      mutex_.unlock();

      if (command != nullptr) batch.commands.push_back(*command);
      const Status written = writer_->commit(batch);
      if (command != nullptr && !written) batch.commands.pop_back();

      mutex_.lock();
      if (written) {
        writing_frames_ = 0;
        probe_bytes_ = writer_->probe_bytes();
        end_trouble();
      } else {
        kept_ = std::move(batch);
        begin_trouble(one_line(written.error()), last);
      }
      if (answered_ < asked) {
        answered_ = asked;
        answer_ = written;
      }
      mutex_.unlock();
      room_.notify_all();
    }
    // What the end of trouble left to say; or a last word on what is lost.
    mutex_.lock();
    append(kept_, pending_);
    RunBatch rest = std::move(kept_);
    mutex_.unlock();
    if (!rest.empty() && trouble().empty()) static_cast<void>(writer_->commit(rest));
    writer_.reset();
  }

  std::chrono::steady_clock::duration wait_for_room() MOESCOPE_REQUIRES(mutex_) {
    const auto full = [this]() MOESCOPE_REQUIRES(mutex_) {
      return pending_.frames.size() + writing_frames_ >= options_.ring_frames && trouble_.empty();
    };
    if (!full()) return {};
    const auto begin = Clock::now();
    while (full()) room_.wait(mutex_);
    return Clock::now() - begin;
  }

  /// Returns when a commit is due: by time, by steps, because somebody waits for it, or at the end.
  void wait_for_work() MOESCOPE_REQUIRES(mutex_) {
    while (!stopping_ && answered_ == asked_) {
      const auto now = Clock::now();
      if (!trouble_.empty()) {
        if (now >= retry_) return;
        wake_.wait_until(mutex_, retry_);
      } else if (pending_.empty()) {
        wake_.wait(mutex_);
      } else {
        if (now >= due_ || pending_.frames.size() >= options_.commit_steps) return;
        wake_.wait_until(mutex_, due_);
      }
    }
  }

  void begin_trouble(std::string why, bool last) MOESCOPE_REQUIRES(mutex_) {
    retry_ = Clock::now() + options_.retry_every;
    if (trouble_.empty()) {
      trouble_since_ = Clock::now();
      log::warning("recording waits: " + why);
    }
    trouble_ = std::move(why);
    if (last)
      log::error("the run ends with " + with_thousands(static_cast<long long>(kept_.frames.size())) +
                 " steps that could not be recorded: " + trouble_);
  }

  void end_trouble() MOESCOPE_REQUIRES(mutex_) {
    if (trouble_.empty()) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - trouble_since_).count();
    EventRow event;
    event.step = writer_->last_step();
    event.kind = "disk";
    event.text = "recording waited " + with_thousands(seconds) + " s: " + trouble_ + "; nothing is missing";
    log::info(event.text);
    if (pending_.empty()) due_ = Clock::now();
    pending_.events.push_back(std::move(event));
    trouble_.clear();
  }

  const RecorderOptions options_;
  std::unique_ptr<RunWriter> writer_;  // the recorder thread's
  RunBatch kept_;                      // the recorder thread's: what a failed commit left

  mutable Mutex mutex_;
  std::condition_variable_any wake_;  // the recorder thread
  std::condition_variable_any room_;  // whoever waits for room or for an answer
  RunBatch pending_ MOESCOPE_GUARDED_BY(mutex_);
  std::size_t writing_frames_ MOESCOPE_GUARDED_BY(mutex_) = 0;
  std::int64_t probe_bytes_ MOESCOPE_GUARDED_BY(mutex_);
  ProbeThinning thinning_ MOESCOPE_GUARDED_BY(mutex_);
  Clock::time_point due_ MOESCOPE_GUARDED_BY(mutex_);
  Clock::time_point retry_ MOESCOPE_GUARDED_BY(mutex_);
  Clock::time_point trouble_since_ MOESCOPE_GUARDED_BY(mutex_);
  std::string trouble_ MOESCOPE_GUARDED_BY(mutex_);
  const CommandRow* urgent_ MOESCOPE_GUARDED_BY(mutex_) = nullptr;
  std::uint64_t asked_ MOESCOPE_GUARDED_BY(mutex_) = 0, answered_ MOESCOPE_GUARDED_BY(mutex_) = 0;
  Status answer_ MOESCOPE_GUARDED_BY(mutex_) = Done{};
  bool stopping_ MOESCOPE_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

Recorder::Recorder(std::unique_ptr<RunWriter> writer, RecorderOptions options)
    : impl_(std::make_unique<Impl>(std::move(writer), options)) {}
Recorder::~Recorder() = default;

void Recorder::add(const telemetry::FramePtr& frame) { impl_->add_frame(frame); }
void Recorder::add(RunBatch::CommandResult result) {
  impl_->add([&](RunBatch& batch) { batch.results.push_back(std::move(result)); });
}
void Recorder::add(EventRow event) {
  impl_->add([&](RunBatch& batch) { batch.events.push_back(std::move(event)); });
}
void Recorder::add(StateHashRow hash) {
  impl_->add([&](RunBatch& batch) { batch.hashes.push_back(std::move(hash)); });
}
void Recorder::add(CheckpointRow checkpoint) {
  impl_->add([&](RunBatch& batch) {
    // In a batch rows go last; a name that is used again must stay.
    std::erase(batch.forgotten_checkpoints, checkpoint.file);
    batch.checkpoints.push_back(std::move(checkpoint));
  });
}
void Recorder::forget_checkpoint(std::string file) {
  impl_->add([&](RunBatch& batch) { batch.forgotten_checkpoints.push_back(std::move(file)); });
}

Status Recorder::log(const CommandRow& command) { return impl_->flush(&command); }
Status Recorder::flush() { return impl_->flush(nullptr); }
std::string Recorder::trouble() const { return impl_->trouble(); }

}  // namespace moescope::record
