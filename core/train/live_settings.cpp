#include "core/train/live_settings.h"

#include <vector>

#include "core/base/text.h"

namespace moescope::train {

namespace {

const std::string kRouterSection = "moe.router.";

bool of_router(const std::string& key) { return key.rfind(kRouterSection, 0) == 0; }

/// "moe.router.top_k" → "top_k"
std::string field_of(const std::string& key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

LiveSettings::LiveSettings(const moe::Method& method, const config::RunConfig& config, model::Model& model,
                           LrSchedule& schedule)
    : method_(method),
      model_(model),
      schedule_(schedule),
      tokens_per_step_(std::int64_t{config.train.batch_size} * config.model.context),
      fields_(config::run_fields(method.info)),
      configured_(config::values_of(config, method.info)),
      values_(configured_) {}

std::string LiveSettings::unknown(const std::string& key) const {
  std::vector<std::string> known;
  for (const auto& [name, spec] : fields_) known.push_back(name);
  const auto near = nearest_word(key, known);
  return "there is no setting '" + printable(key) + "'" + (near ? "; did you mean '" + *near + "'?" : "");
}

config::Value LiveSettings::current(const std::string& key, std::int64_t step) const {
  return key == "train.lr" ? config::Value(schedule_.value(step)) : values_.at(key);
}

Outcome LiveSettings::set(const std::string& key, const config::Value& value, std::int64_t step) {
  const auto found = fields_.find(key);
  if (found == fields_.end()) return refused(unknown(key));
  config::FieldSpec spec = found->second;
  spec.key = key;  // messages name the full key
  if (!spec.live) return refused("'" + key + "' cannot change while a run goes on");
  if (std::string wrong = config::check_value(spec, value); !wrong.empty()) return refused(std::move(wrong));
  const config::Value wanted = config::coerce(spec, value), before = current(key, step);
  if (std::string why = write(key, wanted, step); !why.empty()) return refused(std::move(why));
  values_[key] = wanted;
  changed_[key] = wanted;
  Outcome outcome = accepted(field_of(key) + " " + config::to_text(before) + " → " + config::to_text(wanted));
  outcome.old_value = before;
  return outcome;
}

std::string LiveSettings::restore(const std::map<std::string, config::Value>& changed, std::int64_t step) {
  std::map<std::string, config::Value> wanted = changed;
  for (const auto& [key, value] : changed_) wanted.emplace(key, configured_.at(key));
  for (const auto& [key, value] : wanted) {
    if (!fields_.contains(key)) return unknown(key);
    if (key == "train.lr") continue;
    if (std::string why = write(key, value, step); !why.empty()) return why;
    values_[key] = value;
  }
  changed_ = changed;
  return {};
}

std::string LiveSettings::write(const std::string& key, const config::Value& value, std::int64_t step) {
  if (of_router(key)) return write_router(field_of(key), value);
  if (key == "moe.capacity_factor") return write_capacity(std::get<double>(value));
  if (key == "train.lr") {
    schedule_.set_value(std::get<double>(value), step);
    return {};
  }
  return "'" + key + "' cannot change while a run goes on";
}

std::string LiveSettings::write_router(const std::string& field, const config::Value& value) {
  std::vector<moe::MoeLayer>& layers = model_.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::string why = layers[l].router().set(field, value);
    if (why.empty()) continue;
    for (std::size_t done = 0; done < l; ++done) layers[done].router().set(field, values_.at(kRouterSection + field));
    return why;
  }
  return {};
}

std::string LiveSettings::write_capacity(double factor) {
  const double before = std::get<double>(values_.at("moe.capacity_factor"));
  for (moe::MoeLayer& layer : model_.layers()) {
    layer.router().set_capacity_factor(factor);
    if (factor <= 0 || layer.router().capacity(tokens_per_step_, moe::RouteMode::kTrain).slots > 0) continue;
    for (moe::MoeLayer& each : model_.layers()) each.router().set_capacity_factor(before);
    return method_.info.title + " has no capacity limit";
  }
  return {};
}

}  // namespace moescope::train
