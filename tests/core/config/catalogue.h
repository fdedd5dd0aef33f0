#pragma once
// Three made-up methods, so that these tests depend on no registered one.

#include "core/config/run_config.h"

namespace moescope::config {

struct TestRouterConfig {
  std::int64_t top_k = 2;
  double balance_coefficient = 0.01;
  double distillation_coefficient = 0.3;
  std::string student = "word";
  bool noisy = false;
  double temperature = 1;
};

struct TestStages {
  std::int64_t learn_steps = 400;
};

inline MethodInfo test_method(std::string id, FieldList<TestRouterConfig> fields, FieldList<TestStages> stages = {}) {
  MethodInfo info;
  info.id = id;
  info.title = std::move(id);
  info.summary = "A method for tests";
  info.router = schema_of("moe.router", fields);
  info.stage_schedule = schema_of("stages", stages);
  return info;
}

inline MethodCatalogue test_catalogue() {
  const auto balance =
      field(&TestRouterConfig::balance_coefficient, "balance_coefficient", "weight of the balance loss")
          .range(0, 100)
          .live();
  const auto top_k = field(&TestRouterConfig::top_k, "top_k", "experts each token chooses").range(1, 64).live();
  const auto distillation =
      field(&TestRouterConfig::distillation_coefficient, "distillation_coefficient", "weight of the distillation loss")
          .range(0, 100);
  const auto student =
      field(&TestRouterConfig::student, "student", "what the student sees").choices({"word", "bigram"});
  const auto noisy = field(&TestRouterConfig::noisy, "noisy", "adds noise to the scores");
  const auto temperature = field(&TestRouterConfig::temperature, "temperature", "divides the scores").above(0);
  const auto learn = field(&TestStages::learn_steps, "learn_steps", "steps of stage 1").range(0, 1e9).unit("steps");
  MethodInfo plain = test_method("switch", {balance, noisy, temperature});
  plain.defaults = {{"moe.capacity_factor", 1.25}, {"moe.placement", std::string("ffn")}};
  return {test_method("smoe", {top_k, balance}), test_method("stablemoe", {balance, distillation, student}, {learn}),
          plain};
}

/// All messages of a configuration that must be refused, as one text.
inline std::string messages(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const auto config = read_run_config(text, "run.toml", test_catalogue(), overrides);
  return config ? "accepted" : format(config.error());
}

}  // namespace moescope::config
