#pragma once
// The configuration of a model of a few thousand parameters.

#include <string>
#include <vector>

#include "core/base/assert.h"
#include "core/config/run_config.h"
#include "core/moe/method.h"

namespace moescope::test {

/// Of every registered method.
inline std::vector<std::string> method_ids() {
  std::vector<std::string> ids;
  for (const moe::Method& method : moe::methods()) ids.push_back(method.info.id);
  return ids;
}

/// `overrides` are --set texts: "moe.router.top_k=2".
inline config::RunConfig tiny_config(const std::string& method, const std::vector<std::string>& overrides = {}) {
  const std::string text = R"(
seed = 3
[model]
num_layers = 3
d_model = 16
num_heads = 2
context = 16
[moe]
method = ")" + method + R"("
layers = "1,2"
num_experts = 4
expert_hidden = 16
[train]
steps = 60
batch_size = 4
lr = 1e-2
warmup = 4
threads = 1
validate_every = 20
[probe]
tokens = 64
every = 5
)";
  const auto config = config::read_run_config(text, "tiny.toml", moe::method_catalogue(), overrides);
  if (!config) assertion_failed("tiny_config.h", 0, format(config.error()).c_str(), "the tiny configuration is good");
  return *config;
}

inline config::RunConfig tiny_stablemoe(int learn_steps, std::vector<std::string> overrides = {}) {
  overrides.push_back("stages.learn_steps=" + std::to_string(learn_steps));
  return tiny_config("stablemoe", overrides);
}

}  // namespace moescope::test
