#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/registered.h"
#include "app/cli/verb.h"
#include "core/record/safetensors.h"
#include "core/train/layer_run.h"

namespace moescope::cli {
namespace {

struct LayerOptions {
  std::string config;
  std::vector<std::string> settings;
  std::string tensors;
  std::string out;
  train::LayerRequest request;
  bool names = false;
};

int complain(const Diagnostics& problems) {
  std::fputs(format(problems).c_str(), stderr);
  return kWrongInput;
}

int print_names(const config::RunConfig& config) {
  for (const train::LayerInputName& one : train::layer_input_names(config)) {
    std::printf("%-34s %-14s %s\n", one.name.c_str(), one.shape.c_str(), one.what.c_str());
  }
  return kDone;
}

int layer(const LayerOptions& options) {
  const auto config = config::load_run_config(options.config, registered_methods(), options.settings);
  if (!config) return complain(config.error());
  const Diagnostics found = check_method(*config);
  if (has_errors(found)) return complain(found);
  if (options.names) return print_names(*config);
  if (options.tensors.empty() || options.out.empty()) {
    std::fputs("error: --tensors and --out are needed; --names lists the tensors a layer takes\n", stderr);
    return kWrongInput;
  }
  const auto given = record::read_safetensors(options.tensors);
  if (!given) return complain(given.error());
  const auto made = train::run_layer(*config, options.request, given->blocks);
  if (!made) return complain(made.error());
  const Status written = record::write_safetensors(options.out, *made, {{"format", "moescope layer"}});
  if (written) return kDone;
  std::fputs(format(written.error()).c_str(), stderr);
  return kRunFailed;
}

}  // namespace

Verb add_layer(CLI::App& program) {
  auto options = std::make_shared<LayerOptions>();
  CLI::App* verb = program.add_subcommand("layer", "Run one MoE layer on tensors of yours, to check it");
  verb->add_option("CONFIG", options->config, "Configuration file (TOML)")->required();
  verb->add_option("--set", options->settings, "Change one key, like --set moe.num_experts=16; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_flag("--names", options->names, "Print the names and shapes this layer takes, and nothing else");
  verb->add_option("--tensors", options->tensors, "Hidden states, weights, draws (safetensors)")->type_name("FILE");
  verb->add_option("--out", options->out, "Where the results go (safetensors)")->type_name("FILE");
  verb->add_option("--mode", options->request.mode, "train, eval or probe")
      ->check(CLI::IsMember({"train", "eval", "probe"}));
  verb->add_option("--stage", options->request.stage, "Stage of the method, from 0");
  verb->add_option("--step", options->request.step, "Training step, for schedules")->check(CLI::NonNegativeNumber);
  verb->add_option("--seed", options->request.seed, "Of the random draws that are not given");
  verb->add_flag("--backward", options->request.backward, "Also the gradients of sum(output * grad_output) + losses");
  verb->footer(
      "In: hidden [B,L,D] (F32 or F64: the type of all arithmetic), and as wanted token_id, grad_output, weights by\n"
      "name (router.rows, expert.0.w1, ...), draw.<name>. Out: output (what the layer adds to the stream), scores,\n"
      "probs, routing.*, load, loss.*, and with --backward grad.*. It is MoE layer 1 of the configuration.\n"
      "Exit codes: 0 done, 1 the result cannot be written, 2 the input is wrong.");
  return {verb, [options] { return layer(*options); }};
}

}  // namespace moescope::cli
