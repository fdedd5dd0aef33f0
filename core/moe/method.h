#pragma once
// A routing method as one value, and the registry of all of them. Adding a method is one file in core/moe/routers/
// with one RegisterMethod at its bottom, one sample configuration and one test.
// Threads: registration happens before main; afterwards the registry is read-only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/config/method_info.h"
#include "core/config/run_config.h"
#include "core/moe/objective.h"
#include "core/moe/router.h"

namespace moescope::moe {

/// What a router is built with.
struct RouterContext {
  std::string prefix;  ///< of parameter names: "moe.1.router"
  int d_model = 0;
  int num_experts = 0;
  int vocab_size = 0;
  double capacity_factor = 0;
  std::map<std::string, config::Value> settings;  ///< the method's router section, checked and complete
  std::map<std::string, config::Value> stages;    ///< its stage schedule, likewise
  std::uint64_t seed = 0;                         ///< of the run
  std::int64_t total_steps = 1;                   ///< of the run: schedules end there
  /// How often each token id occurs in the training text (a balanced hash needs it); null: every id alike.
  std::shared_ptr<const std::vector<std::int64_t>> token_count_V;
};

struct Method {
  config::MethodInfo info;
  std::function<std::unique_ptr<Router>(const RouterContext&, ParameterSet&)> make_router;
  /// Empty: single_pass_objective().
  std::function<std::unique_ptr<Objective>(const config::RunConfig&)> make_objective;
  /// The stage that should run at `step` if nobody interferes. Empty: one stage.
  std::function<int(const config::RunConfig&, std::int64_t step)> stage_due;
  /// Rules over several fields that only the method knows; warnings are lints. Empty: none.
  std::function<Diagnostics(const config::RunConfig&)> check;
  /// Number and width of experts when they differ from the configuration's (dense: one expert). Empty: as configured.
  std::function<void(const config::RunConfig&, ExpertShape&)> shape_experts;
};

/// All registered methods, sorted by id. The reference stays valid; elements are immutable.
const std::vector<Method>& methods();
/// nullptr when there is none of that id.
const Method* find_method(const std::string& id);
/// The torch-free side of all methods.
config::MethodCatalogue method_catalogue();

/// Registers at static initialisation: `const RegisterMethod registered{make_switch_method()};`. Asserts a fresh id.
struct RegisterMethod {
  explicit RegisterMethod(Method method);
};

/// What the method trains on: its own, else one pass with the configured label smoothing.
std::unique_ptr<Objective> make_objective(const config::RunConfig& config, const Method& method);

/// Every check before a run starts: the method's own rules and lints. The configuration passed read_run_config().
Diagnostics check_run(const config::RunConfig& config);

}  // namespace moescope::moe
