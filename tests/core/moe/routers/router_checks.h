#pragma once
// What several router tests share: F1 under any top-2 choice with a softmax over the chosen, one step's record made up,
// training by hand, and what the checks before a run say.

#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe::test {

namespace f1 {

inline std::vector<std::int64_t> two_best() { return {0, 1, 0, 1, 0, 2, 1, 2, 1, 2, 1, 1}; }
inline at::Tensor two_gates_N() {
  return matrix(
      {.731059, .679179, .622459, .622459, .880797, .835484, .268941, .320821, .377541, .377541, .119203, .164516}, 0);
}
inline at::Tensor two_outputs_TD() {
  return matrix({1.268941, 0, 0, 2.320821, 1.377541, .688770, -2.377541, 4.755082, 2.238406, 0, -5.670968, 1.417742},
                6);
}

/// Choices, gates and outputs of F1 with k = 2 and a softmax over the chosen.
inline void expect_two_best(ToyLayer& toy, RouteMode mode = RouteMode::kTrain) {
  const MoeOutput output = toy.layer->forward(input(mode));
  const SparseRouting& sparse = *output.record.routing.sparse();
  EXPECT_EQ(integers(sparse.expert_N), two_best());
  EXPECT_TRUE(close(sparse.gate_N, two_gates_N(), 1e-6));
  EXPECT_TRUE(close(output.delta_TD, two_outputs_TD(), 1e-6));
}

}  // namespace f1

inline const AuxiliaryLoss& loss_of(const Routing& routing, const std::string& name) {
  for (const AuxiliaryLoss& one : routing.losses) {
    if (one.name == name) return one;
  }
  static const AuxiliaryLoss none;
  ADD_FAILURE() << "no loss " << name;
  return none;
}

/// Steps of gradient descent on everything that asks for a gradient, with the router's own rules around them.
inline void train(ToyLayer& toy, int steps, double rate = 0.5) {
  for (int step = 0; step < steps; ++step) {
    toy.router().begin_step(step);
    MoeOutput output = toy.layer->forward(input_of(draws({30, 4}, 100 + static_cast<std::uint64_t>(step))));
    const at::Tensor target_TD = draws({30, 4}, 500);
    (at::mse_loss(output.delta_TD, target_TD) + auxiliary_total(output.record.routing, target_TD)).backward();
    for (Parameter& one : toy.parameters.all()) {
      if (one.tensor.requires_grad() && one.tensor.grad().defined()) one.tensor.detach().sub_(one.tensor.grad(), rate);
      one.tensor.mutable_grad() = at::Tensor();
    }
    std::vector<LayerRecord> records;
    records.push_back(std::move(output.record));
    toy.router().after_step(records, 0);
  }
}

/// Messages of the reader, or of the checks before a run if the text can be read; one a line.
inline std::string said_of(const std::string& text) {
  const auto config = config::read_run_config(text, "run.toml", method_catalogue());
  std::string said;
  for (const Diagnostic& one : config.has_value() ? check_run(*config) : config.error()) {
    said += (one.severity == Severity::kWarning ? "warning: " : "error: ") + one.message + "\n";
    if (!one.hint.empty()) said += "hint: " + one.hint + "\n";
  }
  return said;
}

}  // namespace moescope::moe::test
