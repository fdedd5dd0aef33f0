#include "core/moe/method.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/moe/lint.h"

namespace moescope::moe {
namespace {

std::vector<Method>& registry() {
  static std::vector<Method> methods;
  return methods;
}

/// A balance loss switched off where the method has one by default is nearly always a slip.
void lint_balance(const config::RunConfig& config, const config::MethodInfo& info, Diagnostics& found) {
  const auto setting = config.router.find("balance_coefficient");
  if (setting == config.router.end() || std::get<double>(setting->second) != 0) return;
  for (const config::FieldSpec& spec : info.router.fields) {
    if (spec.key != setting->first || spec.default_value == config::Value(0.0)) continue;
    found.push_back(
        lint_at(config, "moe.router.balance_coefficient",
                "'balance_coefficient' is 0: nothing spreads the load, so the router may collapse onto a few "
                "experts",
                "the method's own value is " + config::to_text(spec.default_value)));
  }
}

void lint_capacity(const config::RunConfig& config, Diagnostics& found) {
  const double factor = config.moe.capacity_factor;
  if (factor <= 0 || factor >= 1) return;
  found.push_back(lint_at(config, "moe.capacity_factor",
                          "'capacity_factor' is " + shortest(factor) +
                              ": fewer slots than tokens, so tokens are dropped even under perfect balance",
                          "1.0 leaves just enough room, 0 sets no limit"));
}

void lint_single_expert(const config::RunConfig& config, const config::MethodInfo& info, Diagnostics& found) {
  if (!info.traits.router_learns || config.moe.num_experts > 1) return;
  found.push_back(lint_at(config, "moe.num_experts", "'num_experts' is 1: the router has nothing to choose",
                          "method = \"dense\" trains one expert without a router"));
}

}  // namespace

const std::vector<Method>& methods() { return registry(); }

const Method* find_method(const std::string& id) {
  for (const Method& method : methods()) {
    if (method.info.id == id) return &method;
  }
  return nullptr;
}

config::MethodCatalogue method_catalogue() {
  config::MethodCatalogue catalogue;
  for (const Method& method : methods()) catalogue.push_back(method.info);
  return catalogue;
}

RegisterMethod::RegisterMethod(Method method) {
  MOESCOPE_ASSERT(find_method(method.info.id) == nullptr, "two methods of one id: ids are unique");
  const auto place = std::find_if(registry().begin(), registry().end(),
                                  [&](const Method& other) { return method.info.id < other.info.id; });
  registry().insert(place, std::move(method));
}

std::unique_ptr<Objective> make_objective(const config::RunConfig& config, const Method& method) {
  return method.make_objective ? method.make_objective(config) : single_pass_objective(config.train.label_smoothing);
}

Diagnostics check_run(const config::RunConfig& config) {
  const Method* method = find_method(config.moe.method);
  MOESCOPE_ASSERT(method != nullptr, "read_run_config() knows the catalogue");
  Diagnostics found;
  if (method->check) found = method->check(config);
  lint_balance(config, method->info, found);
  lint_capacity(config, found);
  lint_single_expert(config, method->info, found);
  return found;
}

}  // namespace moescope::moe
