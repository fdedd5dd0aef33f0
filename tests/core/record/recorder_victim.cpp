// Records made-up steps as fast as it can until it is killed, and tells on stdout which step is durable: eight bytes
// each time flush() or log() came back. Usage: recorder_victim FOLDER SEED
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/base/log.h"
#include "core/record/recorder.h"
#include "core/record/run_reader.h"
#include "tests/core/record/recorded_run.h"

int main(int argc, char** argv) {
  using namespace moescope;
  using namespace moescope::record;
  if (argc != 3) return 2;
  log::set_console(false);
  const std::string folder = argv[1];
  std::mt19937 random(static_cast<unsigned>(std::atoi(argv[2])));
  // Small numbers, so that a short life sees chunks fill, the WAL move into the file and start anew.
  WriterOptions writer_options;
  writer_options.checkpoint_pages = 60;
  const bool begun = std::filesystem::exists(folder + "/run.db");
  std::int64_t commands = 0;
  std::string hash;
  if (begun) {
    if (const auto reader = RunReader::open(folder)) {
      const auto rows = (*reader)->commands();
      commands = static_cast<std::int64_t>(rows.size());
      if (!rows.empty()) hash = rows.back().hash;
    }
  }
  auto writer =
      begun ? RunWriter::reopen(folder, writer_options) : RunWriter::create(folder, test_facts(), writer_options);
  if (!writer) {
    std::fputs(format(writer.error()).c_str(), stderr);
    return 3;
  }
  std::int64_t step = (*writer)->last_step();
  if (!(*writer)->set_run_info(test_info())) return 3;
  RecorderOptions options;
  options.commit_every = std::chrono::milliseconds(5);
  Recorder recorder(std::move(*writer), options);
  while (true) {
    const std::uint64_t steps = 1 + random() % 40;
    for (std::uint64_t i = 0; i < steps; ++i) recorder.add(test_frame(++step));
    Status durable = Done{};
    if (random() % 4 == 0) {
      CommandRow row;
      row.number = ++commands;
      row.apply_step = step;
      row.command.kind = bus::CommandKind::kFreezeRouter;
      row.command.layer = static_cast<int>(commands % 2);
      row.hash = hash = chain_hash(hash, row.number, row.apply_step, row.command);
      durable = recorder.log(row);
    } else {
      durable = recorder.flush();
    }
    if (!durable) return 4;
    if (::write(STDOUT_FILENO, &step, sizeof step) != sizeof step) return 5;
  }
}
