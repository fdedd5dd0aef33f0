#include "tests/app/desktop/fake_trainer.h"

#include <algorithm>

#include "core/record/run_reader.h"
#include "tests/app/desktop/fake_run.h"

namespace moescope::test {
namespace {

using bus::CommandKind;
using bus::RunState;

}  // namespace

class FakeTrainer::Body {
 public:
  Body(train::RunRequest request, std::shared_ptr<bus::Channels> channels, FakeOptions options)
      : channels_(std::move(channels)),
        options_(options),
        total_(request.config.train.steps),
        run_(request.config.top.name, request.folder, total_),
        paused_(request.start_paused) {
    controls_.resize(FakeRun::kLayers);
    run_.told().id = "id of " + request.folder;
    if (request.origin) begin_at(*request.origin);
  }

  void work(const std::stop_token& stop) {
    prepare(stop);
    if (stop.stop_requested()) return set_state(RunState::kFinished);
    channels_->runs.push_drop_oldest(run_.info());
    while (run_.step() < options_.jump_to) {
      publish();
      // As fast as the window takes them: its queue holds 256.
      if (run_.step() % 64 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
    set_state(paused_ ? RunState::kPaused : RunState::kRunning);
    while (!stop.stop_requested() && !stopping_) {
      for (const bus::Command& command : channels_->commands.drain()) serve(command);
      if (run_.step() == options_.fail_at) return fail();
      if (run_.step() >= total_) break;
      std::this_thread::sleep_for(options_.step);
      if (!paused_) publish();
      channels_->status.update([&](bus::RunStatus& status) { status.step = run_.step(); });
      if (steps_left_ > 0 && --steps_left_ == 0) {
        paused_ = true;
        set_state(RunState::kPaused);
      }
    }
    set_state(RunState::kFinished);
  }

 private:
  /// As the real one: everything up to there happens again, unseen.
  void begin_at(const train::Origin& origin) {
    const auto record = record::RunReader::open(origin.folder);
    const std::int64_t step = origin.step >= 0 ? origin.step : record ? (*record)->last_step() : 0;
    while (run_.step() < step) run_.next(stage_, controls_, wants_);
    if (origin.use == train::Origin::Use::kContinue) {
      if (record) run_.told().id = (*record)->facts().id;
    } else {
      run_.told().parent_folder = origin.folder;
      run_.told().parent_step = step;
    }
    channels_->status.update([&](bus::RunStatus& status) { status.inexact = options_.inexact; });
  }

  void prepare(const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + options_.prepare;
    while (std::chrono::steady_clock::now() < until && !stop.stop_requested()) {
      channels_->status.update([&](bus::RunStatus& status) {
        status.activity = "rendering manual pages";
        status.progress = 0.4;
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    channels_->status.update([](bus::RunStatus& status) { status.activity.clear(); });
  }

  void set_state(RunState state) {
    channels_->status.update([&](bus::RunStatus& status) {
      status.state = state;
      status.step = run_.step();
    });
  }

  void fail() {
    channels_->status.update([&](bus::RunStatus& status) {
      status.state = RunState::kFailed;
      status.failure = {run_.step(), "forward", "the made-up model ran into a made-up wall"};
    });
  }

  void publish() {
    if (run_.step() == options_.switch_at && stage_ == 0) {
      stage_ = 1;
      events_.push_back({telemetry::Event::Kind::kStageSwitch, run_.step(), "switched to stage 2", "schedule"});
    }
    auto frame = run_.next(stage_, controls_, wants_);
    frame->events = std::exchange(events_, {});
    channels_->frames.push_drop_oldest(std::move(frame));
    if (options_.checkpoint_every > 0 && run_.step() % options_.checkpoint_every == 0) keep_checkpoint();
  }

  void keep_checkpoint() {
    channels_->status.update([&](bus::RunStatus& status) {
      status.checkpoints.push_back(run_.step());
      if (status.checkpoints.size() > 2) status.checkpoints.erase(status.checkpoints.begin());
    });
  }

  void serve(const bus::Command& command) {
    bus::Reply reply;
    reply.command = command;
    reply.step = run_.step();
    reply.done = true;
    if (command.kind != CommandKind::kWatch) reply.number = ++logged_;
    apply(command, reply);
    channels_->replies.push_drop_oldest(std::move(reply));
  }

  void pause(bool paused, std::int64_t steps) {
    paused_ = paused;
    steps_left_ = steps;
    set_state(paused ? RunState::kPaused : RunState::kRunning);
  }

  void apply(const bus::Command& command, bus::Reply& reply) {
    switch (command.kind) {
      case CommandKind::kPause: pause(true, 0); break;
      case CommandKind::kResume: pause(false, 0); break;
      case CommandKind::kStep: pause(false, command.count); break;
      case CommandKind::kStop: stopping_ = true; break;
      case CommandKind::kWatch: wants_ = command.wants; break;
      case CommandKind::kSet: set(command, reply); break;
      case CommandKind::kSwitchStage:
        stage_ = static_cast<int>(command.count);
        note(telemetry::Event::Kind::kStageSwitch, "switched to stage " + std::to_string(stage_ + 1), reply);
        break;
      case CommandKind::kProbeSentence: sentence(command, reply); break;
      case CommandKind::kSaveWeights: reply.text = "saved to " + command.text; break;
      default: hold(command, reply);
    }
  }

  void set(const bus::Command& command, bus::Reply& reply) {
    if (command.key == "moe.capacity_factor") {
      reply.done = false;
      reply.text = "this method has no capacity";
      return;
    }
    reply.old_value = 4e-3;
    note(telemetry::Event::Kind::kCommand, command.key + " → " + config::to_text(command.value), reply);
  }

  void hold(const bus::Command& command, bus::Reply& reply) {
    const auto bit = std::uint64_t{1} << std::max(command.expert, 0);
    for (int layer = 0; layer < FakeRun::kLayers; ++layer) {
      if (command.layer != bus::kAllLayers && command.layer != layer) continue;
      telemetry::LayerControls& one = controls_[static_cast<std::size_t>(layer)];
      if (command.kind == CommandKind::kFreezeRouter) one.router_frozen = true;
      if (command.kind == CommandKind::kUnfreezeRouter) one.router_frozen = false;
      if (command.kind == CommandKind::kFreezeExpert) one.frozen_experts |= bit;
      if (command.kind == CommandKind::kUnfreezeExpert) one.frozen_experts &= ~bit;
      if (command.kind == CommandKind::kPinAssignment) one.assignment_pinned = true;
      if (command.kind == CommandKind::kUnpinAssignment) one.assignment_pinned = false;
    }
    note(telemetry::Event::Kind::kCommand, bus::describe(command), reply);
  }

  void note(telemetry::Event::Kind kind, const std::string& text, bus::Reply& reply) {
    reply.text = text;
    events_.push_back({kind, run_.step(), text, reply.command.who});
  }

  static void sentence(const bus::Command& command, bus::Reply& reply) {
    bus::SentenceResult result;
    result.sentence = command.text;
    std::string word;
    for (const char c : command.text + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      bus::SentenceToken token;
      token.text = std::exchange(word, {});
      for (int layer = 0; layer < FakeRun::kLayers; ++layer) {
        token.expert_LK.push_back(static_cast<std::int16_t>((token.text.size() + static_cast<std::size_t>(layer)) % 8));
        token.gate_LK.push_back(0.7F);
        token.margin_L.push_back(0.4F);
      }
      result.tokens.push_back(std::move(token));
    }
    result.continuation = " and so on";
    reply.sentence = std::move(result);
  }

  std::shared_ptr<bus::Channels> channels_;
  FakeOptions options_;
  std::int64_t total_;
  FakeRun run_;
  bool paused_;
  bool stopping_ = false;
  std::int64_t steps_left_ = 0;
  int stage_ = 0;
  std::vector<telemetry::LayerControls> controls_;
  std::vector<telemetry::Event> events_;
  telemetry::Wants wants_;
  std::int64_t logged_ = 0;
};

FakeTrainer::FakeTrainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels, FakeOptions options)
    : thread_([this, request, channels, options](std::stop_token stop) {
        Body(request, channels, options).work(stop);
        ended_ = true;
      }) {}

FakeTrainer::~FakeTrainer() = default;

app::StartTrainer fake_starter(std::shared_ptr<FakeOptions> options) {
  return [options](train::RunRequest request, std::shared_ptr<bus::Channels> channels) {
    options->requests.push_back(request);
    return std::make_unique<FakeTrainer>(std::move(request), std::move(channels), *options);
  };
}

namespace {

struct TwoStageRouter {
  double balance_coefficient = 0.3;
  double distillation_coefficient = 1;
  int top_k = 1;
  bool discrete_evaluation = false;
};

struct TwoStageSchedule {
  std::int64_t learn_steps = 200;
};

config::MethodInfo two_stage() {
  config::MethodInfo info;
  info.id = "two_stage";
  info.title = "TwoStage";
  info.summary = "learns a routing, distils it, freezes it";
  info.paper = "made up, 2026";
  info.traits.has_student = true;
  info.traits.has_router_rows = true;
  info.stages = {{"learn", "Learn", "routers learn"}, {"frozen", "Frozen", "the student decides"}};
  info.router = config::schema_of<TwoStageRouter>(
      "moe.router",
      {config::field(&TwoStageRouter::balance_coefficient, "balance_coefficient", "weight of the balance loss")
           .range(0, 100)
           .live(),
       config::field(&TwoStageRouter::distillation_coefficient, "distillation_coefficient",
                     "weight of the student's loss")
           .range(0, 100)
           .live(),
       config::field(&TwoStageRouter::discrete_evaluation, "discrete_evaluation", "evaluate as it would be served")
           .live(),
       config::field(&TwoStageRouter::top_k, "top_k", "experts per token").range(1, 8)});
  info.stage_schedule = config::schema_of<TwoStageSchedule>(
      "stages", {config::field(&TwoStageSchedule::learn_steps, "learn_steps", "steps before the student takes over")
                     .range(0, 1e9)
                     .unit("steps")});
  return info;
}

}  // namespace

app::Methods fake_methods() {
  config::MethodInfo plain;
  plain.id = "plain";
  plain.title = "Plain";
  plain.summary = "one stage, no student";
  plain.stages = {{"train", "Train", "all of it"}};
  plain.traits.router_learns = false;
  const auto check = [](const config::RunConfig& config) {
    Diagnostics found;
    if (config.top.seed == 13) found.push_back(config::error_at(config, "seed", "'seed' is 13, which brings bad luck"));
    return found;
  };
  const auto plan = [](const config::RunConfig& config) {
    app::RunPlan made{"about 9 MB of memory", "about 7 MB", {}};
    if (config.model.d_model >= 4096)
      made.problems.push_back(config::error_at(config, "model.d_model", "the run needs 9 GB", "a smaller one fits"));
    return made;
  };
  return {{two_stage(), plain}, check, plan};
}

}  // namespace moescope::test
