#pragma once
// The values that may change while a run goes on, by full key, checked against the same declarations the reader of the
// configuration uses.
// Threads: trainer thread only.

#include <cstdint>
#include <map>
#include <string>

#include "core/config/run_config.h"
#include "core/model/model.h"
#include "core/moe/method.h"
#include "core/train/lr_schedule.h"
#include "core/train/outcome.h"

namespace moescope::train {

class LiveSettings {
 public:
  /// Keeps references; all must outlive it.
  LiveSettings(const moe::Method& method, const config::RunConfig& config, model::Model& model, LrSchedule& schedule);

  /// `key` := `value` before step `step`. "lr 0.004 → 0.002", or the reason against it and nothing changed.
  Outcome set(const std::string& key, const config::Value& value, std::int64_t step);

  /// Every value as it is now, by key; train.lr as it was last set.
  const std::map<std::string, config::Value>& values() const { return values_; }
  /// What set() has changed so far, by key.
  const std::map<std::string, config::Value>& changed() const { return changed_; }
  /// Puts back what changed() gave: these values, and the configured one for every other key. train.lr is only noted:
  /// the schedule keeps its own number. An empty text, or why a value does not fit.
  std::string restore(const std::map<std::string, config::Value>& changed, std::int64_t step);

 private:
  std::string unknown(const std::string& key) const;
  config::Value current(const std::string& key, std::int64_t step) const;
  std::string write(const std::string& key, const config::Value& value, std::int64_t step);
  std::string write_router(const std::string& field, const config::Value& value);
  std::string write_capacity(double factor);

  const moe::Method& method_;
  model::Model& model_;
  LrSchedule& schedule_;
  std::int64_t tokens_per_step_;
  std::map<std::string, config::FieldSpec> fields_;
  const std::map<std::string, config::Value> configured_;
  std::map<std::string, config::Value> values_;
  std::map<std::string, config::Value> changed_;
};

}  // namespace moescope::train
