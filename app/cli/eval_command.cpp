#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/cli/interrupt.h"
#include "app/cli/registered.h"
#include "app/cli/rules.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/text.h"
#include "core/train/report.h"

namespace moescope::cli {
namespace {

struct EvalOptions {
  std::string run;
  RuleOptions rules;
  int routings = 1;
  int batches = 16;
  int stage = 0;  ///< from 1, as on screen; 0: the one due at the run's end
  bool backbone = false;
  bool json = false;
};

std::string number(double value, int digits) {
  char text[32];
  if (!std::isfinite(value)) return "–";
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

void print_table(const train::Report& report) {
  std::printf("%s on %s: %s parameters, %s active\n\n", report.method.c_str(), report.corpus.c_str(),
              with_thousands(report.parameters).c_str(), with_thousands(report.active_parameters).c_str());
  std::printf("%-28s %10s %10s %10s %12s %12s\n", "rule", "nats", "bits", "experts", "MFLOP/token", "tokens/s");
  for (const train::RuleResult& rule : report.rules) {
    std::printf("%-28s %10s %10s %10s %12s %12s\n", rule.name.c_str(), number(rule.loss, 4).c_str(),
                number(rule.loss / std::log(2.0), 4).c_str(), number(rule.experts_per_token, 2).c_str(),
                number(rule.flops_per_token / 1e6, 3).c_str(), number(rule.tokens_per_second, 0).c_str());
    for (const auto& [name, value] : rule.more) std::printf("    %-24s %10s\n", name.c_str(), number(value, 2).c_str());
  }
  if (report.spread) {
    const train::RoutingSpread& spread = *report.spread;
    std::printf(
        "\nover %d routings: %s ± %s nats (standard deviation); ensemble %s nats; the first two differ by a\n"
        "symmetric KL of %s nats per token and agree on the most probable answer for %s of tokens\n",
        spread.routings, number(spread.mean_loss, 4).c_str(), number(spread.std_loss, 4).c_str(),
        number(spread.ensemble_loss, 4).c_str(), number(spread.symmetric_kl, 5).c_str(),
        number(spread.top1_agreement, 3).c_str());
  }
  if (report.leak) {
    std::printf("\nleak: a sequence's outputs change by %s of their norm when its batch mates are replaced\n",
                number(*report.leak, 4).c_str());
  }
  std::printf("\n%-8s %8s %10s %10s %10s %10s %12s\n", "layer", "tokens", "entropy", "effective", "MaxVio", "RC",
              "experts' CKA");
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const train::LayerReport& layer = report.layers[l];
    std::printf("L%-7zu %8lld %10s %10s %10s %10s %12s\n", l + 1, static_cast<long long>(layer.tokens),
                number(layer.entropy, 3).c_str(), number(layer.effective_experts, 2).c_str(),
                number(layer.max_violation, 3).c_str(), number(layer.collapse, 3).c_str(),
                number(layer.expert_similarity, 3).c_str());
  }
  if (!report.bleu_signature.empty()) std::printf("\nBLEU %s\n", report.bleu_signature.c_str());
  for (const std::string& note : report.notes) std::printf("note: %s\n", note.c_str());
}

Result<train::EvaluationRequest> make_request(const EvalOptions& options) {
  const std::filesystem::path folder = options.run;
  std::error_code failure;
  if (!std::filesystem::is_directory(folder, failure)) {
    return error("'" + printable(options.run) + "' is not a run folder", "a run folder is what `train --out` makes");
  }
  auto config = config::load_run_config((folder / "config.toml").string(), registered_methods());
  if (!config) return config.error();
  train::EvaluationRequest request;
  request.weights = (folder / "final.safetensors").string();
  if (!std::filesystem::exists(request.weights, failure)) {
    return error("'" + printable(options.run) + "' has no final.safetensors: the run did not end",
                 "train it to its end first");
  }
  const config::MethodCatalogue catalogue = registered_methods();
  auto rules = evaluation_rules(options.rules, *config, *config::find_method(catalogue, config->moe.method));
  if (!rules) return rules.error();
  request.config = std::move(*config);
  request.cache_folder = app::cache_folder();
  request.rules = std::move(*rules);
  request.routings = options.routings;
  request.backbone = options.backbone;
  request.batches = options.batches;
  request.stage = options.stage - 1;
  return request;
}

int eval(const EvalOptions& options) {
  const auto request = make_request(options);
  if (!request) {
    std::fputs(format(request.error()).c_str(), stderr);
    return kWrongInput;
  }
  watch_interrupts();
  const bool show = is_terminal(STDERR_FILENO);
  std::stop_source stop;
  const auto progress = [&](const std::string& activity, double fraction) {
    if (interrupted()) stop.request_stop();
    if (show) std::fprintf(stderr, "\r\033[K%s %3.0f %%", activity.c_str(), 100 * std::max(0.0, fraction));
  };
  const auto report = train::evaluate_run(*request, progress, nullptr, stop.get_token());
  if (show) std::fputs("\r\033[K", stderr);
  if (interrupted()) return kInterrupted;
  if (!report) {
    std::fputs(format(report.error()).c_str(), stderr);
    return kWrongInput;
  }
  if (options.json) {
    std::puts(train::to_json(*report).c_str());
  } else {
    print_table(*report);
  }
  return kDone;
}

}  // namespace

Verb add_eval(CLI::App& program) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = program.add_subcommand("eval", "Evaluate a finished run on held-out text, by one or more rules");
  verb->add_option("RUN", options->run, "Run folder")->required();
  verb->add_option("--k", options->rules.top_k, "Experts per token at evaluation, like 1,2,4,8")->type_name("LIST");
  verb->add_option("--groups", options->rules.groups, "Group sizes of a mixing method, like 2,4,8")->type_name("LIST");
  verb->add_option("--rule", options->rules.rules,
                   "Any live router field, like inference=token,ensemble; may be repeated")
      ->type_name("KEY=LIST")
      ->allow_extra_args(false);
  verb->add_option("--routings", options->routings, "Routing seeds, for methods whose evaluation draws")
      ->check(CLI::Range(1, 1000));
  verb->add_flag("--backbone", options->backbone, "Also the backbone router, where a student chooses");
  verb->add_option("--stage", options->stage, "Stage of the method, from 1")->check(CLI::Range(1, 100));
  verb->add_option("--batches", options->batches, "Batches of held-out text")->check(CLI::Range(1, 100000));
  verb->add_flag("--json", options->json, "The whole report as JSON");
  verb->footer("Exit codes: 0 done, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return eval(*options); }};
}

}  // namespace moescope::cli
