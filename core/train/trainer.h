#pragma once
// A run from preparation to its last step: the state machine, the step, and the answers to commands.
// Everything happens on the thread that calls run(); trainer_thread.h is what others see of it.
// Threads: one thread; only the channels are shared.

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/bus/channels.h"
#include "core/train/live_controls.h"
#include "core/train/live_settings.h"
#include "core/train/lr_schedule.h"
#include "core/train/optimizer.h"
#include "core/train/phase.h"
#include "core/train/preparation.h"
#include "core/train/run_log.h"
#include "core/train/train_step.h"
#include "core/train/trainer_thread.h"
#include "core/train/watch.h"

namespace moescope::train {

class Trainer {
 public:
  Trainer(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks);

  /// Prepares, trains to the end or to a stop, then answers until `stop`. Exceptions leave it: see fail().
  void run(const std::stop_token& stop);
  /// What run() threw becomes the state Failed, with the step and phase it happened in.
  void fail(const std::exception_ptr& exception);
  /// Refuses what still waits; the last call.
  void refuse_waiting(const std::string& why);

  // The parts of run(), for tests and the benchmark.
  void prepare(const std::stop_token& stop);
  /// Applies every command that waits. Between steps only.
  void serve_commands();
  /// One step with everything around it: due stage switch, training, validation, frame, record.
  void step();

  model::Model& model() { return *material_.model; }
  const Material& material() const { return material_; }
  const PhaseClock& clock() const { return clock_; }
  std::int64_t steps_done() const { return step_; }
  std::int64_t tokens_per_step() const {
    return std::int64_t{request_.config.train.batch_size} * request_.config.model.context;
  }
  bool paused() const { return paused_; }

 private:
  // trainer.cpp: the course of a run
  void set_state(bus::RunState state);
  void beat();
  void wait_for_command();
  void switch_stage_when_due();
  void mark_break(const bus::Command& command);
  std::shared_ptr<telemetry::TelemetryFrame> make_frame(const StepPlan& plan, const StepResult& result);
  void validate_when_due(telemetry::TelemetryFrame& frame);
  void measure_quality();
  void record(telemetry::TelemetryFrame& frame);
  void publish(std::shared_ptr<telemetry::TelemetryFrame> frame);
  void finish();
  bool disk_trouble(const std::string& problem);

  // trainer_commands.cpp: what a command does
  void serve(const bus::Command& command);
  void answer(bus::Reply reply);
  Outcome apply(const bus::Command& command, bus::Reply& reply);
  Outcome apply_when_finished(const bus::Command& command, bus::Reply& reply);
  Outcome pause();
  Outcome resume();
  Outcome run_steps(std::int64_t count);
  Outcome stop();
  Outcome steer(const bus::Command& command);
  std::string distil_for(const bus::Command& command);
  Outcome set(const bus::Command& command);
  Outcome sentence(const bus::Command& command, bus::Reply& reply);
  Outcome save(const bus::Command& command);
  void mark(const bus::Command& command, const std::string& text);

  RunRequest request_;
  std::shared_ptr<bus::Channels> channels_;
  TrainerHooks hooks_;
  PhaseClock clock_;
  LrSchedule schedule_;
  std::unique_ptr<RunLog> log_;
  Material material_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<LiveControls> controls_;
  std::unique_ptr<LiveSettings> settings_;
  std::unique_ptr<Watch> watch_;

  std::stop_token stop_;
  std::int64_t step_ = 0;  ///< optimiser steps done
  int stage_due_ = 0;      ///< by the schedule, at the last look
  bool paused_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  std::string disk_problem_;              ///< waits for space; empty: all is written
  std::int64_t steps_until_pause_ = 0;    ///< of kStep; 0: none asked for
  std::vector<telemetry::Event> events_;  ///< since the last frame
  double unreported_watch_ms_ = 0;        ///< spent handing the last frame over
};

}  // namespace moescope::train
