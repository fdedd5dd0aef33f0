#include "core/record/run_frames.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/record/chunk_reader.h"
#include "core/record/run_rows.h"
#include "core/record/run_schema.h"
#include "core/telemetry/frame_bytes.h"
#include "core/telemetry/frame_check.h"

namespace moescope::record {
namespace {

using telemetry::TelemetryFrame;

constexpr std::int64_t kMostBytesAtOnce = 1LL << 30;  // unpacked, in one call
constexpr std::int64_t kMostIds = std::int64_t{1} << 40;
constexpr int kMostHoles = 1000;
constexpr std::size_t kMostGuessed = 4096;  // layers or experts

/// "run.db: losses and loads"
std::string what_is_in(const RunFile& file, const std::string& stream) {
  const char* name = stream == kStepStream    ? "losses and loads"
                     : stream == kProbeStream ? "probes"
                     : stream == kSpaceStream ? "router spaces"
                                              : "tokens of experts";
  return file.name + ": " + name;
}

/// Where a chunk is: by the index of its stream, or past it by its row.
struct ChunkPlace {
  std::int64_t first_step = 0;
  std::int64_t id = 0;  ///< 0: by its stream and first step (a chunk that grows gets another row each time)
};

/// After a row that cannot be reached: the next id from which the table can be read on. Nothing: there is none.
std::optional<std::int64_t> next_readable(ReadOnlyDb& db, std::int64_t bad) {
  bool beyond_end = false;
  const auto readable = [&](std::int64_t id) {
    beyond_end = true;
    return db
        .each("SELECT id FROM chunk NOT INDEXED WHERE id >= ?1 ORDER BY id LIMIT 1", {id},
              [&](const DbRow&) {
                beyond_end = false;
                return false;
              })
        .has_value();
  };
  std::int64_t good = bad + 1;
  for (std::int64_t step = 1; !readable(good); step *= 2, good = bad + step)
    if (step > kMostIds) return std::nullopt;
  while (good - bad > 1) {
    const std::int64_t middle = bad + (good - bad) / 2;
    (readable(middle) ? good : bad) = middle;
  }
  readable(good);
  if (beyond_end) return std::nullopt;
  return good;
}

/// Row by row past the index, which is damaged: every row that can still be reached.
std::vector<ChunkPlace> salvaged(ReadOnlyDb& db, const std::string& stream) {
  std::vector<ChunkPlace> places;
  std::optional<std::int64_t> from = 1;
  for (int holes = 0; from && holes < kMostHoles; ++holes) {
    const Status read = db.each("SELECT id, stream, first_step FROM chunk NOT INDEXED WHERE id >= ?1 ORDER BY id",
                                {*from}, [&](const DbRow& row) {
                                  if (row.bytes(1) == stream) places.push_back({row.number(2), row.number(0)});
                                  from = row.number(0) + 1;
                                  return row.number(0) < kMostIds;
                                });
    if (read) break;
    from = next_readable(db, *from);
  }
  return places;
}

std::string list_problem(const RunFile& file, const std::string& stream, const Status& why) {
  return what_is_in(file, stream) + " are looked for one by one, since their list " + why.error().front().message;
}

std::vector<ChunkPlace> places_of(RunFile& file, const std::string& stream, std::int64_t first, std::int64_t last,
                                  Damages& damages) {
  if (file.index_doubtful) return salvaged(*file.db, stream);
  std::vector<ChunkPlace> places;
  const Status read = file.db->each(
      "SELECT first_step FROM chunk WHERE stream = ?1 AND first_step <= ?3 AND first_step >= "
      "coalesce((SELECT max(first_step) FROM chunk WHERE stream = ?1 AND first_step <= ?2), ?2) ORDER BY first_step",
      {stream, first, last}, [&](const DbRow& row) {
        places.push_back({row.number(0), 0});
        return true;
      });
  if (!read) damages.add(list_problem(file, stream, read));
  return read ? places : salvaged(*file.db, stream);
}

/// Calls `take` with the chunk there; false: there is none any more.
template <class Take>
Result<bool> read_chunk(RunFile& file, const std::string& stream, const ChunkPlace& place, Take take) {
  bool there = false;
  const auto row = [&](const DbRow& found) {
    there = true;
    take(StoredChunk{found.number(0), found.number(1), found.number(2), found.number(3), found.number(4),
                     found.bytes(5)});
    return false;
  };
  const Status read =
      place.id == 0
          ? file.db->each(
                "SELECT first_step, last_step, n, raw_bytes, xxh64, data FROM chunk "
                "WHERE stream = ?1 AND first_step = ?2",
                {stream, place.first_step}, row)
          : file.db->each(
                "SELECT first_step, last_step, n, raw_bytes, xxh64, data FROM chunk NOT INDEXED WHERE id = ?1",
                {place.id}, row);
  if (!read) return read.error();
  return there;
}

class Reading {
 public:
  Reading(const telemetry::RunInfo& info, std::int64_t first, std::int64_t last, Damages& damages)
      : info_(info), first_(first), last_(last), damages_(damages) {}

  void add(RunFile& file) {
    taken_.clear();
    each_value(file, kStepStream, telemetry::read_step, [&](std::shared_ptr<TelemetryFrame> frame) {
      return keep(frame->step, telemetry::misfit(info_, *frame), [&] { frames_[frame->step] = std::move(frame); });
    });
    each_value(file, kProbeStream, telemetry::read_probe, [&](const std::shared_ptr<telemetry::ProbeSnapshot>& probe) {
      return keep(probe->step, telemetry::misfit(info_, *probe), [&] { probes_[probe->step] = probe; });
    });
    each_value(file, kSpaceStream, telemetry::read_space, [&](const std::shared_ptr<telemetry::RouterSpace>& space) {
      return keep(space->step, telemetry::misfit(info_, *space), [&] {
        // Those of the earlier file go when the first of this one comes.
        if (taken_.insert(space->step).second) spaces_[space->step].clear();
        spaces_[space->step].push_back(space);
      });
    });
    each_value(file, kTokensStream, telemetry::read_tokens, [&](telemetry::StampedTokens tokens) {
      std::string why;
      for (const telemetry::ExpertTokens& one : tokens.tokens)
        if (why.empty()) why = telemetry::misfit(info_, one);
      return keep(tokens.step, why, [&] { tokens_[tokens.step] = std::move(tokens.tokens); });
    });
    add_events(file);
  }

  std::vector<telemetry::FramePtr> finish() {
    for (auto& [step, probe] : probes_) at(step, probe->stage).probe = std::move(probe);
    for (auto& [step, spaces] : spaces_) at(step, 0).spaces = std::move(spaces);
    for (auto& [step, tokens] : tokens_) at(step, 0).expert_tokens = std::move(tokens);
    for (auto& [id, event] : events_) at(event.first, 0).events.push_back(std::move(event.second));
    std::vector<telemetry::FramePtr> frames;
    for (auto& [step, frame] : frames_) {
      if (!frames.empty() && step > frames.back()->step + 1)
        damages_.add_stretch("the file lacks ", frames.back()->step + 1, step - 1);
      frames.push_back(std::move(frame));
    }
    return frames;
  }

 private:
  /// A part without its step, which was damaged or never there, still has a place on the time axis.
  TelemetryFrame& at(std::int64_t step, int stage) {
    std::shared_ptr<TelemetryFrame>& frame = frames_[step];
    if (!frame) {
      frame = std::make_shared<TelemetryFrame>();
      frame->step = step;
      frame->stage = stage;
    }
    return *frame;
  }

  /// Returns what is wrong with a value, after keeping it if that is nothing.
  template <class Keep>
  std::string keep(std::int64_t step, std::string problem, Keep keep_it) const {
    if (problem.empty() && step >= first_ && step <= last_) keep_it();
    return problem;
  }

  template <class Read, class Take>
  void each_value(RunFile& file, const std::string& stream, Read read, Take take) {
    for (const ChunkPlace& place : places_of(file, stream, first_, last_, damages_)) {
      std::int64_t last_step = 0, n = 0, raw_bytes = 0;
      Result<std::string> raw = error("its row is gone");
      const Result<bool> found = read_chunk(file, stream, place, [&](const StoredChunk& chunk) {
        last_step = chunk.last_step;
        n = chunk.n;
        raw_bytes = chunk.raw_bytes;
        const bool too_much = raw_bytes > kMostBytesAtOnce - bytes_;
        raw = too_much ? error("more than can be read at once") : unpack_chunk(chunk);
      });
      if (found && raw) bytes_ += raw_bytes;
      const std::string why = !found ? "the file " + found.error().front().message
                              : !raw ? raw.error().front().message
                                     : read_values(*raw, n, read, take);
      if (why.empty()) continue;
      const std::int64_t last = found ? std::max(place.first_step, last_step) : place.first_step - 1;
      damages_.add_stretch(what_is_in(file, stream) + " of ", place.first_step, last,
                           " cannot be read (" + why + ") and are left out");
    }
  }

  /// The values of one chunk up to the first that cannot be read; those that do not fit are left out alone.
  template <class Read, class Take>
  static std::string read_values(std::string_view bytes, std::int64_t wanted, Read read, Take take) {
    std::string problem;
    std::int64_t count = 0;
    while (!bytes.empty()) {
      auto value = read(bytes);
      if (!value) return value.error().front().message;
      ++count;
      if (std::string why = take(std::move(*value)); !why.empty() && problem.empty())
        problem = "a value of it does not fit the run: " + why;
    }
    if (count != wanted && problem.empty())
      problem = "it holds " + std::to_string(count) + " values, not " + std::to_string(wanted);
    return problem;
  }

  void add_events(RunFile& file) {
    const Status read = file.db->each(
        "SELECT id, frame_step, step, kind, text, who FROM event WHERE frame_step BETWEEN ?1 AND ?2 ORDER BY id",
        {first_, last_}, [&](const DbRow& row) {
          const auto kind = event_kind_from(row.bytes(3));
          events_[row.number(0)] = {
              row.number(1), {kind.value_or(telemetry::Event::Kind::kNotice), row.number(2), row.text(4), row.text(5)}};
          return true;
        });
    if (!read)
      damages_.add(file.name + ": part of its events cannot be read: the file " + read.error().front().message);
  }

  const telemetry::RunInfo& info_;
  std::int64_t first_, last_;
  Damages& damages_;
  std::int64_t bytes_ = 0;
  std::map<std::int64_t, std::shared_ptr<TelemetryFrame>> frames_;
  std::map<std::int64_t, std::shared_ptr<const telemetry::ProbeSnapshot>> probes_;
  std::map<std::int64_t, std::vector<std::shared_ptr<const telemetry::RouterSpace>>> spaces_;
  std::map<std::int64_t, std::vector<telemetry::ExpertTokens>> tokens_;
  std::map<std::int64_t, std::pair<std::int64_t, telemetry::Event>> events_;  // by id: frame step, event
  std::set<std::int64_t> taken_;                                              // steps whose spaces this file has begun
};

}  // namespace

std::vector<telemetry::FramePtr> read_frames(std::vector<RunFile>& files, const telemetry::RunInfo& info,
                                             std::int64_t first, std::int64_t last, Damages& damages) {
  Reading reading(info, first, last, damages);
  for (RunFile& file : files) reading.add(file);
  return reading.finish();
}

std::int64_t newest_step(std::vector<RunFile>& files, Damages& damages) {
  std::int64_t newest = 0;
  for (RunFile& file : files) {
    const auto raise = [&](const DbRow& row) {
      newest = std::max(newest, row.number(0));
      return true;
    };
    if (!file.index_doubtful) {
      const Status read = file.db->each(
          "SELECT last_step FROM chunk WHERE stream = ?1 ORDER BY first_step DESC LIMIT 1", {kStepStream}, raise);
      if (read) continue;
      damages.add(list_problem(file, kStepStream, read));
    }
    for (const ChunkPlace& place : salvaged(*file.db, kStepStream))
      static_cast<void>(read_chunk(file, kStepStream, place,
                                   [&](const StoredChunk& chunk) { newest = std::max(newest, chunk.last_step); }));
  }
  return newest;
}

void guess_sizes(std::vector<RunFile>& files, telemetry::RunInfo& info) {
  Damages ignored;
  for (RunFile& file : files)
    for (const ChunkPlace& place : places_of(file, kStepStream, 0, std::numeric_limits<std::int64_t>::max(), ignored)) {
      static_cast<void>(read_chunk(file, kStepStream, place, [&](const StoredChunk& chunk) {
        const auto raw = unpack_chunk(chunk);
        if (!raw) return;
        std::string_view bytes = *raw;
        const auto frame = telemetry::read_step(bytes);
        if (!frame) return;
        std::size_t experts = 0;
        for (const telemetry::LayerStep& layer : (*frame)->layers) experts = std::max(experts, layer.load_E.size());
        info.num_layers = static_cast<int>(std::min((*frame)->layers.size(), kMostGuessed));
        info.num_experts = static_cast<int>(std::min(experts, kMostGuessed));
      }));
      if (info.num_layers > 0) return;
    }
}

}  // namespace moescope::record
