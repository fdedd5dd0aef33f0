#pragma once
// A routing method's router for one MoE layer. The trainer, the layer and the views know routers only by this shape.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"
#include "core/moe/parameter.h"
#include "core/moe/routing.h"

namespace moescope::moe {

enum class RouteMode {
  kTrain,     ///< noise, dropout, capacity, losses
  kEvaluate,  ///< the method's evaluation rule
  kProbe,     ///< the choice training would make now, without noise, dropout or capacity, and the student's beside it
};

struct RouterInput {
  at::Tensor hidden_TD;    ///< what the router sees; row t = b·L + position
  at::Tensor token_id_BL;  ///< int64
  RouteMode mode = RouteMode::kTrain;
  std::uint64_t noise_seed = 0;  ///< for this step, layer and pass; the only source of randomness allowed
};

/// Slots each expert has. A group is a run of `group_tokens` tokens that fills its own slots, first come first served.
struct Capacity {
  std::int64_t slots = 0;         ///< 0: no limit
  std::int64_t group_tokens = 0;  ///< 0: the whole batch is one group
};

/// What the user and the stage hold still in this layer.
struct RouterControls {
  int stage = 0;
  bool frozen = false;  ///< every router parameter of the layer stops, student included
  bool pinned = false;  ///< the choice comes from the student and the student stops
};

/// Vectors and rows whose inner products are the scores; for the sphere.
struct RouterSpaceTensors {
  at::Tensor vectors_TR;
  at::Tensor rows_ER;
};

class Router {
 public:
  virtual ~Router() = default;

  /// Scores, selection (no gradient) and gates (gradient). Scores that are not finite must throw (non_finite_scores()).
  virtual Routing route(const RouterInput& input) = 0;

  virtual Capacity capacity(std::int64_t num_tokens, RouteMode mode) const = 0;

  /// This router's own parameters.
  virtual const std::vector<Parameter>& parameters() const = 0;

  /// Takes effect from the next route(): sets requires_grad of its parameters and remembers the stage.
  virtual void apply(const RouterControls& controls) = 0;

  /// A live parameter of the method's router section, already checked against its FieldSpec. Returns an empty text,
  /// or why it cannot be changed now.
  virtual std::string set(const std::string& key, const config::Value& value) = 0;
  /// The capacity factor is a key of [moe], live for every method that has a limit.
  virtual void set_capacity_factor(double factor) = 0;

  virtual bool has_student() const { return false; }
  /// Nothing when scores are not inner products with rows.
  virtual std::optional<RouterSpaceTensors> space(const at::Tensor& /*hidden_TD*/) { return std::nullopt; }
  virtual int space_dim() const { return 0; }
  /// Choices per token now; live where the method allows it.
  virtual int top_k() const = 0;
};

/// Throws the error every router reports for NaN or infinite scores: names the layer's first bad token.
[[noreturn]] void non_finite_scores(std::int64_t first_bad_token, std::int64_t num_bad_tokens);

}  // namespace moescope::moe
