#include "core/telemetry/history.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::telemetry {
namespace {

float share(std::uint32_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0F : static_cast<float>(static_cast<double>(part) / static_cast<double>(whole));
}

/// One frame's loads as a column of their own.
LoadColumn column_of(const TelemetryFrame& frame) {
  LoadColumn column;
  column.first_step = column.last_step = frame.step;
  std::size_t experts = 0;
  for (const LayerStep& layer : frame.layers) experts = std::max(experts, layer.load_E.size());
  for (const LayerStep& layer : frame.layers) {
    std::uint64_t pairs = 0;
    for (const std::uint32_t load : layer.load_E) pairs += load;
    for (std::size_t e = 0; e < experts; ++e) {
      const std::uint32_t load = e < layer.load_E.size() ? layer.load_E[e] : 0;
      const std::uint32_t dropped = e < layer.dropped_E.size() ? layer.dropped_E[e] : 0;
      column.share_LE.push_back(share(load, pairs));
      column.dropped_LE.push_back(share(dropped, load));
    }
  }
  column.min_LE = column.max_LE = column.share_LE;
  return column;
}

void merge(LoadColumn& into, const LoadColumn& later) {
  const float sum = static_cast<float>(into.frames + later.frames);
  const float before = static_cast<float>(into.frames) / sum, after = static_cast<float>(later.frames) / sum;
  for (std::size_t i = 0; i < into.share_LE.size(); ++i) {
    into.share_LE[i] = before * into.share_LE[i] + after * later.share_LE[i];
    into.dropped_LE[i] = before * into.dropped_LE[i] + after * later.dropped_LE[i];
    into.min_LE[i] = std::min(into.min_LE[i], later.min_LE[i]);
    into.max_LE[i] = std::max(into.max_LE[i], later.max_LE[i]);
  }
  into.last_step = later.last_step;
  into.frames += later.frames;
}

void merge_pairs(std::vector<LoadColumn>& columns) {
  std::vector<LoadColumn> halved;
  halved.reserve(columns.size() / 2 + 1);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i % 2 == 0) {
      halved.push_back(std::move(columns[i]));
    } else {
      merge(halved.back(), columns[i]);
    }
  }
  columns = std::move(halved);
}

/// Each pair becomes its mean at its later step. The newest points stay as they are: they are what is looked at.
void merge_pairs(ScalarSeries& series) {
  constexpr std::size_t kKept = History::kMaxPoints / 4;
  const std::size_t merged = (series.step.size() - kKept) / 2 * 2;
  std::size_t out = 0;
  for (std::size_t i = 0; i < merged; i += 2, ++out) {
    series.step[out] = series.step[i + 1];
    series.value[out] = (series.value[i] + series.value[i + 1]) / 2;
  }
  for (std::size_t i = merged; i < series.step.size(); ++i, ++out) {
    series.step[out] = series.step[i];
    series.value[out] = series.value[i];
  }
  series.step.resize(out);
  series.value.resize(out);
}

using Probe = std::shared_ptr<const ProbeSnapshot>;

/// Drops every second probe of the older half; one after a break stays, since its comparison is not with its neighbour.
void thin(std::vector<Probe>& probes) {
  std::vector<Probe> kept;
  const std::size_t older = probes.size() / 2;
  std::int64_t skipped = 0;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (i % 2 == 1 && i < older && !probes[i]->after_break) {
      skipped += probes[i]->spacing;
      continue;
    }
    if (skipped > 0 && !probes[i]->after_break) {
      auto wider = std::make_shared<ProbeSnapshot>(*probes[i]);
      wider->spacing += skipped;
      kept.push_back(std::move(wider));
    } else {
      kept.push_back(probes[i]);
    }
    skipped = 0;
  }
  probes = std::move(kept);
}

std::size_t bytes_of(const RouterSpace& space) {
  return sizeof space + space.token_S.size() * sizeof(std::int32_t) + space.expert_S.size() * sizeof(std::int16_t) +
         (space.vectors_SR.size() + space.rows_ER.size()) * sizeof(float);
}

/// Drops every second of the older half.
void thin(std::vector<std::shared_ptr<const RouterSpace>>& spaces) {
  const std::size_t older = spaces.size() / 2;
  std::size_t out = 0;
  for (std::size_t i = 0; i < spaces.size(); ++i)
    if (i % 2 == 0 || i >= older) {
      if (out != i) spaces[out] = std::move(spaces[i]);
      ++out;
    }
  spaces.resize(out);
}

}  // namespace

void History::start(std::shared_ptr<const RunInfo> run) {
  const std::uint64_t version = version_;
  *this = History();
  run_ = std::move(run);
  version_ = version + 1;
}

void History::go_on(std::shared_ptr<const RunInfo> run) {
  run_ = std::move(run);
  ++version_;
}

void History::add(FramePtr frame) {
  if (!frame || (latest_ && frame->step < latest_->step)) return;
  const TelemetryFrame& now = *frame;
  for (const NamedScalar& loss : now.losses) add_scalar(loss.name, now.step, loss.value);
  add_scalar("validation", now.step, now.validation_loss);
  // A frame without a step (a command while paused) carries no measurements.
  if (!now.losses.empty()) {
    add_scalar("lr", now.step, now.lr);
    add_scalar("grad_norm", now.step, now.grad_norm);
    add_scalar("step_ms", now.step, now.step_ms);
    add_scalar("watch_ms", now.step, now.watch_ms);
    add_scalar("tokens_per_second", now.step, now.tokens_per_second);
  }
  add_load(now);
  events_.insert(events_.end(), now.events.begin(), now.events.end());
  if (events_.size() > kMaxEvents) events_.erase(events_.begin(), events_.end() - kMaxEvents);
  if (now.probe) add_probe(now.probe);
  for (const auto& space : now.spaces)
    if (space && space->layer >= 0) add_space(space);
  if (!now.expert_tokens.empty()) expert_tokens_ = now.expert_tokens;
  latest_ = std::move(frame);
  ++version_;
}

void History::add_probe(std::shared_ptr<const ProbeSnapshot> probe) {
  // A probe repeated at the same step (on demand, while paused) replaces the one before, unless a break lies between.
  if (!probes_.empty() && probes_.back()->step == probe->step && !probe->after_break) {
    if (probes_.back()->after_break) return;
    probes_.back() = std::move(probe);
    return;
  }
  if (probes_.size() >= kMaxProbes) thin(probes_);
  probes_.push_back(std::move(probe));
}

void History::add_space(std::shared_ptr<const RouterSpace> space) {
  const auto layer = static_cast<std::size_t>(space->layer);
  if (spaces_.size() <= layer) spaces_.resize(layer + 1);
  auto& of_layer = spaces_[layer];
  if (!of_layer.empty() && of_layer.back()->step >= space->step) {
    space_bytes_ -= bytes_of(*of_layer.back());
    of_layer.pop_back();
  }
  space_bytes_ += bytes_of(*space);
  of_layer.push_back(std::move(space));
  if (space_bytes_ <= kMaxSpaceBytes) return;
  for (auto& one : spaces_) thin(one);
  space_bytes_ = 0;
  for (const auto& one : spaces_)
    for (const auto& kept : one) space_bytes_ += bytes_of(*kept);
}

void History::add_scalar(const std::string& name, std::int64_t step, double value) {
  if (std::isnan(value)) return;
  auto found = std::find_if(series_.begin(), series_.end(), [&](const ScalarSeries& one) { return one.name == name; });
  if (found == series_.end()) found = series_.insert(series_.end(), ScalarSeries{name, {}, {}});
  if (!found->step.empty() && found->step.back() == step) {
    found->value.back() = value;
    return;
  }
  if (found->step.size() >= kMaxPoints) merge_pairs(*found);
  found->step.push_back(step);
  found->value.push_back(value);
}

void History::add_load(const TelemetryFrame& frame) {
  if (frame.layers.empty()) return;
  if (!loads_.empty() && loads_.back().last_step == frame.step) return;  // the same step again
  LoadColumn column = column_of(frame);
  if (column.share_LE.empty()) return;
  const bool fits = !loads_.empty() && loads_.back().share_LE.size() == column.share_LE.size() &&
                    column.last_step - loads_.back().first_step < steps_per_column_;
  if (fits) {
    merge(loads_.back(), column);
    return;
  }
  if (!loads_.empty() && loads_.back().share_LE.size() != column.share_LE.size()) loads_.clear();
  if (loads_.size() >= kMaxColumns) {
    merge_pairs(loads_);
    steps_per_column_ *= 2;
  }
  loads_.push_back(std::move(column));
}

const ScalarSeries* History::series(const std::string& name) const {
  const auto found =
      std::find_if(series_.begin(), series_.end(), [&](const ScalarSeries& one) { return one.name == name; });
  return found == series_.end() ? nullptr : &*found;
}

const RouterSpace* History::space(int layer) const { return space_at(layer, std::numeric_limits<std::int64_t>::max()); }

const RouterSpace* History::space_at(int layer, std::int64_t step) const {
  if (layer < 0 || static_cast<std::size_t>(layer) >= spaces_.size()) return nullptr;
  const auto& of_layer = spaces_[static_cast<std::size_t>(layer)];
  const auto after = std::upper_bound(of_layer.begin(), of_layer.end(), step,
                                      [](std::int64_t wanted, const auto& space) { return wanted < space->step; });
  return after == of_layer.begin() ? nullptr : std::prev(after)->get();
}

const ProbeSnapshot* History::probe_at(std::int64_t step) const {
  const auto after = std::upper_bound(probes_.begin(), probes_.end(), step,
                                      [](std::int64_t wanted, const auto& probe) { return wanted < probe->step; });
  return after == probes_.begin() ? nullptr : std::prev(after)->get();
}

}  // namespace moescope::telemetry
