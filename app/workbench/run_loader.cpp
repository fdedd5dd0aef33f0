#include "app/workbench/run_loader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/record/checkpoint_files.h"
#include "core/record/run_reader.h"

namespace moescope::app {
namespace {

constexpr std::int64_t kStepsAtOnce = 128;  // of frames: a cancelled load ends after one such piece

void add_rows(record::RunReader& reader, LoadedRun& run) {
  run.commands = reader.commands();
  run.events = reader.events();
  run.checkpoints = record::steps_to_start_from(reader.checkpoints());
  run.damages = reader.damages();
  if (std::string problem = reader.journal_problem(); !problem.empty()) run.damages.push_back(std::move(problem));
}

}  // namespace

Result<LoadedRun> load_run(const std::string& path, const std::function<void(double)>& progress,
                           const std::stop_token& stop, const Reading& reading) {
  const std::optional<std::int64_t> after = reading.after;
  auto opened = record::RunReader::open(path);
  if (!opened) return opened.error();
  record::RunReader& reader = **opened;
  LoadedRun run;
  run.folder = reader.folder();
  run.facts = reader.facts();
  // Asked first: what is read of a run that nobody writes to is all there is.
  run.being_written = reader.being_written();
  run.last_step = reader.last_step();
  auto info = std::make_shared<telemetry::RunInfo>(reader.info());
  info->id = run.facts.id;
  info->ancestors = run.facts.ancestors();
  info->folder = run.folder;
  if (info->name.empty()) info->name = run.facts.name;
  run.history.start(std::move(info));
  const std::int64_t first = after ? *after + 1 : run.facts.parent_step;
  for (std::int64_t step = first; step <= run.last_step; step += kStepsAtOnce) {
    if (stop.stop_requested()) return error("the run was not read to its end: stopped");
    for (telemetry::FramePtr& frame : reader.frames(step, std::min(run.last_step, step + kStepsAtOnce - 1))) {
      if (after) {
        run.frames.push_back(std::move(frame));
      } else {
        run.history.add(std::move(frame));
      }
    }
    progress(static_cast<double>(step - first) / static_cast<double>(std::max<std::int64_t>(1, run.last_step - first)));
  }
  add_rows(reader, run);
  // While it is written another recorder may be in the middle of a change.
  if (reading.asks_if_it_goes_on && !run.being_written)
    if (const Status free = reader.can_go_on(); !free) run.obstacle = one_line(free.error());
  return run;
}

RunLoader::RunLoader(std::string path, const Reading& reading)
    : path_(std::move(path)), thread_([this, reading](const std::stop_token& stop) {
        result_.emplace(load_run(
            path_, [this](double share) { progress_ = share; }, stop, reading));
        ended_ = true;
      }) {}

}  // namespace moescope::app
