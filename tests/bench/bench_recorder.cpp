// What recording costs: the trainer's side of one frame, commits a second, and the size of a run file. 3 layers × 8
// experts, probes of 512 tokens every 10 steps with the router spaces (2 × 512 × 64 numbers) at every fifth of them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "core/base/log.h"
#include "core/record/recorder.h"

namespace {

using namespace moescope;
using Clock = std::chrono::steady_clock;

constexpr int kLayers = 3, kExperts = 8, kTokens = 512, kSpace = 64;

/// Numbers as random as those of a training, so that they compress no better.
telemetry::FramePtr frame_at(std::int64_t step, std::mt19937& random) {
  std::uniform_real_distribution<float> share(0, 1);
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = step;
  frame->losses = {{"task", 5.0 + static_cast<double>(share(random))},
                   {"balance", 0.01 * static_cast<double>(share(random))}};
  frame->losses.push_back({"total", frame->losses[0].value + frame->losses[1].value});
  frame->lr = 0.004;
  frame->grad_norm = static_cast<double>(share(random));
  frame->step_ms = 40 + static_cast<double>(share(random));
  frame->tokens_per_second = 1024 / frame->step_ms;
  frame->layers.resize(kLayers);
  frame->controls.resize(kLayers);
  for (telemetry::LayerStep& layer : frame->layers) {
    for (int e = 0; e < kExperts; ++e) layer.load_E.push_back(static_cast<std::uint32_t>(100 + random() % 56));
    layer.dropped_E.assign(kExperts, 0);
    layer.router_entropy = share(random);
    for (std::uint32_t& bin : layer.margin_histogram) bin = static_cast<std::uint32_t>(random() % 64);
  }
  if (step % 10 != 0) return frame;
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = step;
  probe->spacing = 10;
  for (int l = 0; l < kLayers; ++l) {
    telemetry::LayerProbe layer;
    for (int t = 0; t < kTokens; ++t) {
      layer.expert_TK.push_back(static_cast<std::int16_t>(random() % kExperts));
      layer.gate_TK.push_back(share(random));
      layer.margin_T.push_back(share(random));
    }
    probe->layers.push_back(std::move(layer));
    if (step % 50 != 0) continue;
    auto space = std::make_shared<telemetry::RouterSpace>();
    space->step = step;
    space->layer = l;
    space->dim = kSpace;
    for (int t = 0; t < kTokens; ++t) {
      space->token_S.push_back(t);
      space->expert_S.push_back(static_cast<std::int16_t>(random() % kExperts));
    }
    space->vectors_SR.resize(std::size_t{kTokens} * kSpace);
    for (float& number : space->vectors_SR) number = share(random);
    space->rows_ER.assign(std::size_t{kExperts} * kSpace, 0.5F);
    frame->spaces.push_back(std::move(space));
  }
  frame->probe = std::move(probe);
  return frame;
}

std::string folder_made() {
  std::string pattern = (std::filesystem::temp_directory_path() / "moescope_bench_XXXXXX").string();
  return ::mkdtemp(pattern.data());
}

std::unique_ptr<record::RunWriter> begin(const std::string& folder) {
  record::RunFacts facts;
  facts.id = "0123456789abcdef";
  auto writer = record::RunWriter::create(folder, facts);
  if (!writer) {
    std::fputs(format(writer.error()).c_str(), stderr);
    std::exit(1);
  }
  return std::move(writer).value();
}

/// Frames at the pace of a training: `pause` apart.
void measure_adding(int steps, std::chrono::microseconds pause) {
  const std::string folder = folder_made();
  std::mt19937 random(1);
  std::vector<double> us;
  {
    record::Recorder recorder(begin(folder));
    for (int step = 1; step <= steps; ++step) {
      auto frame = frame_at(step, random);
      const auto before = Clock::now();
      recorder.add(std::move(frame));
      us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
      std::this_thread::sleep_for(pause);
    }
  }
  std::sort(us.begin(), us.end());
  std::printf("add() at %.0f steps/s: median %.1f us, p99 %.1f us, most %.1f us\n",
              1e6 / static_cast<double>(pause.count()), us[us.size() / 2], us[us.size() * 99 / 100], us.back());
  std::filesystem::remove_all(folder);
}

void measure_commits(int commits, int steps_each) {
  const std::string folder = folder_made();
  std::mt19937 random(2);
  double seconds = 0, most = 0;
  std::int64_t step = 0;
  {
    auto writer = begin(folder);
    for (int i = 0; i < commits; ++i) {
      record::RunBatch batch;
      for (int j = 0; j < steps_each; ++j) batch.frames.push_back(frame_at(++step, random));
      const auto before = Clock::now();
      if (!writer->commit(batch)) std::exit(1);
      const double took = std::chrono::duration<double>(Clock::now() - before).count();
      seconds += took;
      most = std::max(most, took);
    }
  }
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += entry.file_size();
  std::printf("commits of %2d steps: %.0f a second, %.1f ms on average, %.1f ms at most; %.2f MB for 1,000 steps\n",
              steps_each, commits / seconds, 1000 * seconds / commits, 1000 * most,
              static_cast<double>(bytes) / 1e6 * 1000 / static_cast<double>(step));
  std::filesystem::remove_all(folder);
}

}  // namespace

int main() {
  moescope::log::set_console(false);
  measure_adding(2000, std::chrono::microseconds(2000));
  measure_commits(300, 5);
  measure_commits(60, 64);
}
