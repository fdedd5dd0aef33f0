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

/// Random draws handed in from outside, by name ("jitter"): what a check against other code needs.
struct GivenDraws {
  std::map<std::string, at::Tensor> by_name;
  mutable std::map<std::string, std::vector<std::int64_t>> asked;  ///< shape of each draw a router asked for
};

struct RouterInput {
  at::Tensor hidden_TD;    ///< what the router sees, real tokens only
  at::Tensor token_id_BL;  ///< int64, every cell of the batch
  RouteMode mode = RouteMode::kTrain;
  std::uint64_t noise_seed = 0;       ///< for this step, layer and pass; the only source of randomness allowed
  at::Tensor cell_T = {};             ///< int64, rising: token t stands in cell b·L + position. Undefined: in cell t
  const GivenDraws* draws = nullptr;  ///< null: everything is drawn from noise_seed
};

/// Token ids of the rows of hidden_TD.
at::Tensor token_id_T(const RouterInput& input);
/// Cells of the rows of hidden_TD, b·L + position.
at::Tensor cells_T(const RouterInput& input);

/// The draw `name`: as given from outside, else from noise_seed; on the device and in the type of hidden_TD. A given
/// one of another shape throws with both shapes.
at::Tensor uniform_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape);  ///< in [0, 1)
at::Tensor normal_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape);   ///< N(0, 1)
/// Integers in [0, bound), int64.
at::Tensor index_draw(const RouterInput& input, const std::string& name, at::IntArrayRef shape, std::int64_t bound);

/// Slots each expert has. A group is a run of `group_tokens` tokens that fills its own slots, first come first served.
struct Capacity {
  std::int64_t slots = 0;         ///< 0: no limit
  std::int64_t group_tokens = 0;  ///< 0: the whole batch is one group
};

/// What the user and the stage hold still in this layer.
struct RouterControls {
  int stage = 0;
  bool frozen = false;  ///< every router parameter of the layer stops, student included
  bool pinned = false;  ///< the choice comes from the student (or the table, see adopt_table()), which stops
};

/// Vectors and rows whose inner products are the scores; for the sphere.
struct RouterSpaceTensors {
  at::Tensor vectors_TR;
  at::Tensor rows_ER;
};

struct LayerRecord;  // moe_layer.h

/// A tensor that steers routing and is no parameter: a bias set by rule, a table, a multiplier.
struct NamedTensor {
  std::string name;  ///< without the layer's prefix: "balance_bias"
  at::Tensor tensor;
};

class Router {
 public:
  virtual ~Router() = default;

  /// Before the passes of training step `step` (counted from 0): schedules of k, temperature … read it.
  virtual void begin_step(std::int64_t /*step*/) {}
  /// After the optimiser's step, with what the first pass of that step left in every MoE layer; `own` is this one.
  /// Rules without gradient act here: balance biases, multipliers, norms held constant. A frozen router does nothing.
  virtual void after_step(const std::vector<LayerRecord>& /*layers*/, std::size_t /*own*/) {}

  /// State beside parameters() that a checkpoint needs; the tensors are the router's own.
  virtual std::vector<NamedTensor> state() const { return {}; }
  /// Puts back what state() gave. Returns an empty text, or why it does not fit (no such name, another shape).
  virtual std::string restore(const std::string& name, const at::Tensor& value);

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

  /// The stage holds every expert of the layer still.
  virtual bool experts_frozen() const { return false; }

  virtual bool has_student() const { return false; }
  /// Pinning a choice without a student of its own: order_VE (int64) lists, for each token id, all experts, the first
  /// to be chosen first. False: the method's routing cannot be given a choice (nothing changed).
  virtual bool adopt_table(const at::Tensor& /*order_VE*/) { return false; }
  virtual bool has_table() const { return false; }
  /// Nothing when scores are not inner products with rows.
  virtual std::optional<RouterSpaceTensors> space(const at::Tensor& /*hidden_TD*/) { return std::nullopt; }
  virtual int space_dim() const { return 0; }
  /// Choices per token now; live where the method allows it.
  virtual int top_k() const = 0;
  /// Expert networks a token pays for in one pass; soft mixtures share a slot's cost among the tokens mixed into it.
  virtual double experts_per_token() const { return top_k(); }
  /// The most it becomes in a run over sequences of `context` tokens: what memory has to be there for.
  virtual double most_experts_per_token(std::int64_t /*context*/) const { return experts_per_token(); }
};

/// Throws the error every router reports for NaN or infinite scores: names the layer's first bad token.
[[noreturn]] void non_finite_scores(std::int64_t first_bad_token, std::int64_t num_bad_tokens);

}  // namespace moescope::moe
