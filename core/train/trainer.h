#pragma once
// A run from preparation to its last step: the state machine, the step, the answers to commands, and the ways back: a
// recorded run gone on with or forked, and the state before a step that ran out of memory.
// Everything happens on the thread that calls run(); trainer_thread.h is what others see of it.
// Threads: one thread; only the channels are shared.

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/bus/channels.h"
#include "core/record/run_reader.h"
#include "core/record/run_rows.h"
#include "core/train/live_controls.h"
#include "core/train/live_settings.h"
#include "core/train/lr_schedule.h"
#include "core/train/optimizer.h"
#include "core/train/phase.h"
#include "core/train/preparation.h"
#include "core/train/run_log.h"
#include "core/train/snapshot_ring.h"
#include "core/train/train_step.h"
#include "core/train/trainer_thread.h"
#include "core/train/training_state.h"
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

  // The parts of run(), for tests, the benchmark and verify_run().
  void prepare(const std::stop_token& stop);
  /// Applies every command that waits. Between steps only.
  void serve_commands();
  /// One step with everything around it: due stage switch, training, validation, frame, record.
  telemetry::FramePtr step();
  /// The same, with what run() does when memory runs out. False: `step` did not happen.
  bool try_step();
  void finish();

  /// Puts the recorded state back that is nearest at or before `step` and has at most `commands` commands behind it.
  /// Returns that checkpoint; nothing when the start of the run is nearer. Requires: prepare() has just been called.
  std::optional<record::CheckpointRow> load(record::RunReader& recorded, std::int64_t step, std::int64_t commands);
  /// A command of a journal acts as it did when it was recorded; it is neither logged nor answered.
  Outcome act_again(const bus::Command& command);
  TrainingState state();
  StateHash state_hash() { return hash_of(state()); }

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
  void begin(const std::stop_token& stop);
  void make_parts();
  void switch_stage_when_due();
  void mark_break(const bus::Command& command);
  std::shared_ptr<telemetry::TelemetryFrame> make_frame(const StepPlan& plan, const StepResult& result);
  void validate_when_due(telemetry::TelemetryFrame& frame);
  void measure_quality();
  double watching_ms() const { return clock_.ms(Phase::kProbe) + clock_.ms(Phase::kPublish); }
  void publish(telemetry::FramePtr frame);
  void notice(const std::string& text);

  // trainer_record.cpp: what is kept of it
  void begin_record(std::vector<telemetry::ProbeToken> probe);
  void keep_state();
  void take_snapshot(std::int64_t commands);
  void save_checkpoint(record::CheckpointKind kind, std::int64_t commands);
  std::string note_checkpoints(bool wait);
  void watch_disk();

  // trainer_past.cpp: where it starts from, and back
  void open_past();
  void start_from_past();
  std::int64_t past_step() const;
  std::int64_t commands_wanted(const std::vector<record::CommandRow>& journal) const;
  void retrace(const std::vector<record::CommandRow>& rows, std::int64_t target);
  void act_of_journal(const record::CommandRow& row);
  void compare_with_past(const StateHash& now);
  void say_inexact(const std::string& why);
  bool recover(const std::exception_ptr& exception);

  // trainer_commands.cpp: what a command does
  void serve_script();
  void serve(const bus::Command& command);
  Outcome carry_out(const bus::Command& command, bus::Reply& reply);
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
  Outcome checkpoint();
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
  std::string trouble_;                               ///< waits for space on the disk; empty: all is written
  std::chrono::steady_clock::time_point retry_at_{};  ///< not before is it tried whether there is space
  std::int64_t steps_until_pause_ = 0;                ///< of kStep; 0: none asked for
  std::size_t script_done_ = 0;                       ///< rows of the request's script behind us
  std::vector<telemetry::Event> events_;              ///< since the last frame
  double unreported_watch_ms_ = 0;                    ///< spent handing the last frame over, told with the next
  std::int64_t trying_ = 0;                           ///< the step that is or was being trained

  std::string run_id_;
  std::unique_ptr<record::RunReader> past_;        ///< what the run starts from, until it has
  std::optional<std::int64_t> past_journal_ends_;  ///< how many commands the checkpoint has behind it that is forked
                                                   ///< without the journal, which is damaged; nothing: it is whole
  std::vector<record::StateHashRow> past_hashes_;  ///< to hold the retraced steps against
  bool retracing_ = false;                         ///< trains recorded steps again: nothing is told or written
  std::int64_t retraced_ = 0;                      ///< journal rows that have acted again
  Snapshot newest_;                                ///< a state in memory …
  std::vector<record::CommandRow> acted_;          ///< … and the commands that changed the training since
  std::int64_t told_ = 0;                          ///< newest step whose frame was recorded and published
  std::int64_t shortage_step_ = -1;                ///< where memory ran out last
};

}  // namespace moescope::train
