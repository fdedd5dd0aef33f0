// What goes up, from a pipe or a chunk of a run file: the first byte chooses the reader. What is read can be written
// again to the same bytes, and what fits a run can be indexed as views do.

#include "core/record/chunk_builder.h"
#include "core/record/chunk_reader.h"
#include "core/record/run_facts.h"
#include "core/record/tensor_list.h"
#include "core/telemetry/frame_bytes.h"
#include "core/telemetry/frame_check.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

namespace {

telemetry::RunInfo small_run() {
  telemetry::RunInfo info;
  info.num_layers = 2;
  info.num_experts = 4;
  info.labels = {"en"};
  info.probe.resize(5);
  return info;
}

/// As the views do.
void index(const telemetry::RunInfo& info, const telemetry::TelemetryFrame& frame) {
  std::int64_t sum = 0;
  for (const auto& layer : frame.layers)
    for (std::size_t e = 0; e < layer.load_E.size(); ++e) sum += layer.load_E[e] - layer.dropped_E.at(e);
  if (frame.probe)
    for (const auto& layer : frame.probe->layers)
      for (std::size_t t = 0; t < info.probe.size(); ++t)
        for (int k = 0; k < layer.top_k; ++k)
          sum += layer.expert_TK.at(t * static_cast<std::size_t>(layer.top_k) + static_cast<std::size_t>(k));
  for (const auto& space : frame.spaces)
    for (std::size_t s = 0; s < space->token_S.size(); ++s) {
      sum += info.probe.at(static_cast<std::size_t>(space->token_S[s])).id;
      if (space->expert_S[s] >= 0)
        sum +=
            static_cast<std::int64_t>(space->rows_ER.at(static_cast<std::size_t>(space->expert_S[s] * space->dim)) > 0);
    }
  static_cast<void>(sum);
}

template <class Read, class Write>
void read_all(std::string_view bytes, Read read, Write write) {
  while (!bytes.empty()) {
    const std::string_view before = bytes;
    const auto value = read(bytes);
    if (!value) {
      fuzz::require(bytes.size() == before.size(), "an error leaves the bytes alone");
      fuzz::require(!value.error().front().message.empty(), "an error says something");
      return;
    }
    const std::string once = write(*value);
    std::string_view rest = once;
    const auto again = read(rest);
    fuzz::require(again.has_value() && rest.empty() && write(*again) == once, "what was read can be written and read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const telemetry::RunInfo info = small_run();
  if (size == 0) return 0;
  std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  switch (data[0] % 9) {
    case 0:
      read_all(bytes, telemetry::read_frame, [](const auto& frame) {
        if (telemetry::misfit(info, *frame).empty()) index(info, *frame);
        return telemetry::frame_bytes(*frame);
      });
      break;
    case 1: read_all(bytes, telemetry::read_step, [](const auto& v) { return telemetry::step_bytes(*v); }); break;
    case 2: read_all(bytes, telemetry::read_probe, [](const auto& v) { return telemetry::probe_bytes(*v); }); break;
    case 3: read_all(bytes, telemetry::read_space, [](const auto& v) { return telemetry::space_bytes(*v); }); break;
    case 4:
      read_all(bytes, telemetry::read_tokens, [](const auto& v) { return telemetry::tokens_bytes(v.step, v.tokens); });
      break;
    case 5:
      read_all(bytes, telemetry::read_run_info, [](const auto& v) {
        static_cast<void>(telemetry::misfit(v));
        return telemetry::run_info_bytes(v);
      });
      break;
    case 6: {
      // The checksum is made to fit, since no fuzzer finds one.
      record::StoredChunk chunk{1, 64, 0, 0, record::chunk_hash(bytes), bytes};
      for (chunk.raw_bytes = 1; chunk.raw_bytes < (1 << 24); chunk.raw_bytes *= 64)
        for (chunk.n = 1; chunk.n < 100; chunk.n *= 64) {
          const auto raw = record::unpack_chunk(chunk);
          if (raw) fuzz::require(raw->size() == static_cast<std::size_t>(chunk.raw_bytes), "a chunk has its size");
        }
      break;
    }
    case 7: {
      const auto tensors = record::read_tensor_list(bytes);
      if (tensors) static_cast<void>(record::tensor_list_blob(*tensors));
      break;
    }
    default: {
      const auto facts = record::facts_from_json(bytes);
      if (facts) fuzz::require(record::facts_from_json(record::facts_json(*facts)).has_value(), "facts come back");
      break;
    }
  }
  return 0;
}
