#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/interrupt.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/export/csv_exporter.h"
#include "app/export/jsonl_exporter.h"
#include "app/export/svg_exporter.h"
#include "app/export/tensorboard_exporter.h"
#include "app/export/weights_export.h"
#include "app/workbench/recorded_ghost.h"
#include "app/workbench/recorded_journal.h"
#include "core/base/text.h"
#include "core/record/run_reader.h"

namespace moescope::cli {
namespace {

using exports::ExportedRun;
using exports::Exporter;
using exports::ExportFiles;

constexpr std::int64_t kPiece = 256;  // steps read at once

struct ExportOptions {
  std::string run;
  std::string out;
  bool force = false;
  bool csv = false, jsonl = false, tensorboard = false, weights = false;
  std::string views;
  std::int64_t step = 0;  ///< 0: the last
  int layer = 1;
  std::string size = "760x440";
  std::string theme = "light";
  std::string against;  ///< run folder; empty: none
};

int tell(const Diagnostics& problem, int code) {
  std::fputs(format(problem).c_str(), stderr);
  return code;
}

void warn(const std::string& text) { std::fputs(format(warning(text)).c_str(), stderr); }

ExportedRun tables_of(record::RunReader& reader) {
  return {reader.facts(), reader.info(), reader.last_step(), reader.commands(), reader.events(), reader.gaps()};
}

/// One export: what is asked for, made ready, read and written.
class Export {
 public:
  Export(const ExportOptions& options, record::RunReader& reader)
      : options_(options),
        reader_(reader),
        run_(tables_of(reader)),
        files_(options.out.empty() ? (std::filesystem::path(reader.folder()) / "export").string() : options.out) {}

  int run() {
    if (const Status asked = prepare(); !asked) return interrupted() ? kInterrupted : tell(asked.error(), kWrongInput);
    if (const Status opened = files_.open(options_.force); !opened) return tell(opened.error(), kWrongInput);
    if (!read()) return kInterrupted;
    for (const auto& exporter : exporters_)
      if (const Status finished = exporter->finish(); !finished) return tell(finished.error(), kWrongInput);
    tell_what_is_missing();
    if (const Status written = files_.commit(); !written) return tell(written.error(), kRunFailed);
    for (const std::string& path : files_.paths()) std::puts(path.c_str());
    if (std::fflush(stdout) != 0) return tell({error("stdout cannot be written", "the files are there")}, kRunFailed);
    return kDone;
  }

 private:
  Status prepare() {
    if (options_.csv) exporters_.push_back(exports::csv_exporter(run_, files_));
    if (options_.jsonl) exporters_.push_back(exports::jsonl_exporter(run_, files_));
    if (options_.tensorboard) exporters_.push_back(exports::tensorboard_exporter(run_, files_));
    if (!options_.views.empty())
      if (Status svg = prepare_svg(); !svg) return svg;
    if (options_.weights) return prepare_weights();
    return Done{};
  }

  Status prepare_svg() {
    auto request = exports::read_svg_request(options_.views, options_.size, options_.theme);
    if (!request) return request.error();
    if (run_.last_step < 1) return error("the run has no recorded step, so there is nothing to draw");
    if (options_.step > run_.last_step) {
      return error("the run has no step " + with_thousands(options_.step),
                   "its last recorded step is " + with_thousands(run_.last_step));
    }
    if (options_.step != 0 && options_.step <= run_.facts.parent_step) {
      return error("the run has no step " + with_thousands(options_.step),
                   "it begins behind step " + with_thousands(run_.facts.parent_step) + " of " +
                       printable(run_.facts.parent_folder) + "; export that one for an earlier step");
    }
    if (options_.layer > std::max(1, run_.info.num_layers)) {
      return error("the run has no layer " + std::to_string(options_.layer),
                   "its MoE layers are 1 to " + std::to_string(std::max(1, run_.info.num_layers)));
    }
    request->step = options_.step == 0 ? run_.last_step : options_.step;
    request->look.layer = options_.layer - 1;
    if (!options_.against.empty())
      if (Status other = prepare_ghost(request->views, request->look); !other) return other;
    exporters_.push_back(exports::svg_exporter(run_, files_, std::move(*request)));
    return Done{};
  }

  /// The other run behind this one, and the difference to it where the views can show it.
  Status prepare_ghost(const std::vector<std::string>& views, views::StillOptions& look) const {
    if (std::none_of(views.begin(), views.end(), [](const auto& view) { return views::shown_of_others(view).any(); }))
      return error("none of these views shows another run", "fluctuation, load and loss do");
    StatusLine line;
    std::stop_source stop;
    const auto progress = [&](double share) {
      line.show("Reading " + options_.against + ' ' + bar(share, 20));
      if (interrupted()) stop.request_stop();
    };
    auto other = app::load_run(options_.against, progress, stop.get_token());
    if (!other) return other.error();
    if (app::same_folder(other->folder, reader_.folder()))
      return error("--against names the run itself", "name another one: a fork of it, its parent or a run beside it");
    for (const std::string& damage : other->damages) warn(printable(options_.against) + ": " + damage);
    telemetry::RunInfo shown = run_.info;
    shown.id = run_.facts.id;
    shown.ancestors = run_.facts.ancestors();
    look.ghosts = {app::ghost_of(std::move(*other), &shown)};
    look.against = look.ghosts.front().name;
    return Done{};
  }

  Status prepare_weights() {
    const auto step = options_.step == 0 ? std::nullopt : std::optional(options_.step);
    const auto chosen = exports::chosen_checkpoint(reader_.checkpoints(), step);
    if (!chosen) return prepare_final_weights(step) ? Status(Done{}) : chosen.error();
    if (chosen->kind == record::CheckpointKind::kTainted) {
      warn("the checkpoint of step " + with_thousands(chosen->step) +
           " was taken when that step failed; its weights may hold what failed");
    }
    files_.add("weights.safetensors",
               [from = reader_.checkpoint_path(*chosen), method = run_.facts.method,
                at = chosen->step](const std::string& to) { return exports::export_weights(from, to, method, at); });
    return Done{};
  }

  /// What a run whose checkpoints were taken away still holds. False: it does not hold what is asked for.
  bool prepare_final_weights(std::optional<std::int64_t> step) {
    const std::string from = (std::filesystem::path(reader_.folder()) / "final.safetensors").string();
    const auto of_step = exports::step_of_weights(from);
    if (!of_step || (step && *step != *of_step)) return false;
    files_.add("weights.safetensors", [from](const std::string& to) { return exports::copy_weights(from, to); });
    std::fprintf(stderr, "weights.safetensors is the run's final.safetensors, of step %s: no checkpoint is left\n",
                 with_thousands(*of_step).c_str());
    return true;
  }

  /// Hands all frames to all exporters. False: interrupted.
  bool read() {
    StatusLine line;
    for (const auto& exporter : exporters_) exporter->start();
    if (exporters_.empty()) return true;  // weights alone need no frame
    for (std::int64_t first = 0; first <= run_.last_step; first += kPiece) {
      if (interrupted()) return false;
      const auto frames = reader_.frames(first, std::min(first + kPiece - 1, run_.last_step));
      for (const auto& exporter : exporters_) exporter->add(frames);
      line.show("Exporting " +
                bar(static_cast<double>(first) / static_cast<double>(std::max<std::int64_t>(1, run_.last_step)), 20) +
                " step " + with_thousands(first) + '/' + with_thousands(run_.last_step));
    }
    return !interrupted();
  }

  /// A damaged record is exported as far as it can be read.
  void tell_what_is_missing() {
    for (const std::string& damage : reader_.damages()) warn(damage);
    const std::string journal = reader_.journal_problem();
    if (!journal.empty() && (options_.csv || options_.jsonl)) warn(journal);
    for (const auto& exporter : exporters_)
      for (const std::string& note : exporter->notes()) std::fprintf(stderr, "%s\n", note.c_str());
  }

  const ExportOptions& options_;
  record::RunReader& reader_;
  ExportedRun run_;
  ExportFiles files_;
  std::vector<std::unique_ptr<Exporter>> exporters_;
};

int export_run(const ExportOptions& options) {
  if (!options.csv && !options.jsonl && !options.tensorboard && !options.weights && options.views.empty()) {
    return tell(
        {error("no format is named", "name at least one of --csv, --jsonl, --tensorboard, --svg and --weights")},
        kWrongInput);
  }
  if (!options.against.empty() && options.views.empty())
    return tell({error("--against is for pictures only", "add --svg load, or --svg all")}, kWrongInput);
  const auto reader = record::RunReader::open(options.run);
  if (!reader) return tell(reader.error(), kWrongInput);
  watch_interrupts();
  return Export(options, **reader).run();
}

}  // namespace

Verb add_export(CLI::App& program) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = program.add_subcommand("export", "Write a recorded run as tables, pictures, TensorBoard or weights");
  verb->add_option("RUN", options->run, "Run folder; it may be training at this moment")->required();
  verb->add_option("--out", options->out, "Folder to write to; else RUN/export")->type_name("DIR");
  verb->add_flag("--force", options->force, "Write over the files of an earlier export");
  verb->add_flag("--csv", options->csv, "scalars.csv, layers.csv, loads.csv, probes.csv, journal.csv and more");
  verb->add_flag("--jsonl", options->jsonl, "metrics.jsonl, loads.jsonl and journal.jsonl");
  verb->add_flag("--tensorboard", options->tensorboard, "tensorboard/, for tensorboard --logdir");
  verb->add_option("--svg", options->views, "Views as pictures, like loss,load; all: every view that was recorded")
      ->type_name("VIEWS");
  verb->add_flag("--weights", options->weights,
                 "weights.safetensors, of the newest checkpoint, else of final.safetensors");
  verb->add_option("--step", options->step, "Of --svg, as the window looked then, and of --weights")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 53));
  verb->add_option("--layer", options->layer, "Of --svg, from 1")->check(CLI::Range(1, 1000));
  verb->add_option("--size", options->size, "Of --svg, like 760x440")->type_name("WxH");
  verb->add_option("--theme", options->theme, "Of --svg: light or dark")->type_name("THEME");
  verb->add_option(
          "--against", options->against,
          "Of --svg: another run, whose curves stand behind in loss and fluctuation; load and fluctuation show "
          "the difference to it if both are branches of one run")
      ->type_name("RUN");
  verb->footer(
      "Layers count from 1, experts from 0. Tables are UTF-8 with exact numbers; an empty cell was not measured.\n"
      "Parquet is not written: pandas, polars, DuckDB and R read the CSV and JSONL files.\n"
      "The paths of the files go to stdout. All of them appear at the end, or none. A damaged record is exported as "
      "far\n"
      "as it can be read: what is missing is told on stderr, and the exit code is 0.\n"
      "Exit codes: 0 done, 1 a file cannot be written, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return export_run(*options); }};
}

}  // namespace moescope::cli
