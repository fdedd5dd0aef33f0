#include "core/moe/topk_router.h"

#include "core/moe/lint.h"

namespace moescope::moe {

Diagnostics check_topk(const config::RunConfig& config) {
  Diagnostics found;
  for (const char* key : {"eval_top_k", "k_start"}) {
    const auto setting = config.router.find(key);
    if (setting == config.router.end() || std::get<std::int64_t>(setting->second) <= config.moe.num_experts) continue;
    std::string message = std::string("'") + key + "' is ";
    message += config::to_text(setting->second) + ", but a layer has " + std::to_string(config.moe.num_experts);
    message += config.moe.num_experts == 1 ? " expert" : " experts";
    found.push_back(config::error_at(config, std::string("moe.router.") + key, message, "'num_experts' is in [moe]"));
  }
  return found;
}

void lint_single_choice(const config::RunConfig& config, const std::string& who, const std::string& remedy,
                        Diagnostics& found) {
  const std::string reason = " and the softmax comes after the choice: a softmax over one score is always 1, so " + who;
  if (std::get<std::int64_t>(config.router.at("top_k")) == 1) {
    found.push_back(lint_at(config, "moe.router.top_k", "'top_k' is 1" + reason, "set top_k to 2 or more" + remedy));
  }
  const auto schedule = config.router.find("k_schedule");
  if (schedule == config.router.end() || std::get<std::string>(schedule->second) == "fixed") return;
  if (std::get<std::int64_t>(config.router.at("k_start")) == 1) {
    found.push_back(
        lint_at(config, "moe.router.k_start", "'k_start' is 1" + reason + " while k is 1", "set k_start to 2 or more"));
  }
}

}  // namespace moescope::moe
