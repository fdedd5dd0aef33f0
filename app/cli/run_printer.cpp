#include "app/cli/run_printer.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/progress_line.h"
#include "core/base/text.h"
#include "core/record/run_lines.h"

namespace moescope::cli {
namespace {

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

RunPrinter::RunPrinter(bool json, std::string folder)
    : json_(json), folder_(std::move(folder)), validation_nats_(std::numeric_limits<double>::quiet_NaN()) {}

void RunPrinter::print(const std::string& line) {
  if (output_failed()) return;
  const bool written = std::fputs((line + '\n').c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!written) output_problem_ = std::strerror(errno);
}

void RunPrinter::announce(const Start& start) {
  if (json_) {
    nlohmann::ordered_json json = {
        {"run", folder_}, {"name", start.name}, {"method", start.method}, {"steps", start.total_steps}};
    if (!start.parent.empty()) json.update({{"from", start.parent}, {"from_step", start.step}});
    print(json_text(json));
  } else {
    print("Run folder: " + folder_);
  }
}

void RunPrinter::run(std::shared_ptr<const telemetry::RunInfo> info) {
  info_ = std::move(info);
  if (json_) return;
  print(info_->method + " on " + info_->corpus + ": " + with_thousands(info_->num_parameters) + " parameters, " +
        std::to_string(info_->num_layers) + " MoE layers of " + std::to_string(info_->num_experts) + " experts, " +
        std::to_string(info_->threads) + (info_->threads == 1 ? " thread" : " threads"));
}

void RunPrinter::frame(const telemetry::TelemetryFrame& frame) {
  if (std::isfinite(frame.validation_loss)) validation_nats_ = frame.validation_loss;
  if (json_) print(record::metrics_line(frame));
  for (const telemetry::Event& event : frame.events)
    if (!json_) say("step " + with_thousands(event.step) + ": " + event.text);
  if (!json_) show_progress(frame);
}

void RunPrinter::show_progress(const telemetry::TelemetryFrame& frame) {
  if (!line_.visible()) return;
  ProgressFacts facts;
  facts.step = frame.step;
  facts.steps_per_second = steps_per_second(frame.step);
  facts.task_nats = task_loss(frame);
  facts.effective_experts = effective_experts(frame);
  if (info_) {
    facts.total_steps = info_->total_steps;
    facts.num_experts = info_->num_experts;
    const auto stage = static_cast<std::size_t>(frame.stage);
    if (info_->stages.size() > 1 && stage < info_->stages.size()) facts.stage = info_->stages[stage];
  }
  line_.show(progress_line(facts, terminal_columns()));
}

/// Over the last seconds, so that it follows a stage that is faster or slower.
double RunPrinter::steps_per_second(std::int64_t step) {
  constexpr double kWindowSeconds = 5;
  const auto now = Clock::now();
  pace_.emplace_back(now, step);
  const auto age = [&] { return std::chrono::duration<double>(now - pace_.front().first).count(); };
  while (pace_.size() > 2 && age() > kWindowSeconds) pace_.pop_front();
  return age() > 0.2 ? static_cast<double>(step - pace_.front().second) / age() : 0;
}

void RunPrinter::reply(const bus::Reply& reply) {
  if (!reply.done)
    say("step " + with_thousands(reply.step) + ": '" + bus::describe(reply.command) + "' was refused: " + reply.text);
}

void RunPrinter::tell_inexact(const bus::RunStatus& status) {
  if (status.inexact == inexact_) return;
  inexact_ = status.inexact;
  if (!inexact_.empty()) say("warning: not bit-exact: " + inexact_);
}

void RunPrinter::status(const bus::RunStatus& status) {
  tell_inexact(status);
  if (status.activity.empty()) return;
  // Without a terminal each new activity is one line.
  if (!line_.visible() && status.activity != activity_) say(status.activity);
  activity_ = status.activity;
  const bool known = status.progress >= 0;
  line_.show(status.activity + (known ? ' ' + bar(status.progress, 20) : "…"));
}

std::string RunPrinter::summary(const bus::RunStatus& status, bool was_interrupted) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  std::string text = was_interrupted ? "Stopped" : "Finished";
  text += " at step " + with_thousands(status.step) + " after " + duration_text(seconds);
  if (std::isfinite(validation_nats_)) text += "; validation " + bits_text(validation_nats_);
  if (info_ && std::isfinite(validation_nats_))
    text += " (unigram entropy " + shortest(std::round(100 * info_->unigram_entropy_bits) / 100) + ')';
  return text;
}

void RunPrinter::finish(const bus::RunStatus& status, bool was_interrupted, std::uint64_t frames_not_shown) {
  tell_inexact(status);
  if (status.state == bus::RunState::kFailed) {
    say("error: the run failed at step " + std::to_string(status.failure.step) + " (" + status.failure.phase +
        "): " + status.failure.message);
  } else if (!json_) {
    say(summary(status, was_interrupted));
  }
  if (!json_) return;
  nlohmann::ordered_json json = {{"state", was_interrupted ? "interrupted" : bus::state_name(status.state)},
                                 {"step", status.step},
                                 {"run", folder_}};
  if (status.state == bus::RunState::kFailed) {
    json["step"] = status.failure.step;
    json["phase"] = status.failure.phase;
    json["message"] = status.failure.message;
  }
  if (std::isfinite(validation_nats_)) json["validation"] = validation_nats_;
  if (!status.inexact.empty()) json["inexact"] = status.inexact;
  // The run file has every step; here a slow reader may have missed some.
  if (frames_not_shown > 0) json["steps_not_shown"] = frames_not_shown;
  print(json_text(json));
}

}  // namespace moescope::cli
