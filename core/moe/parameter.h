#pragma once
// Named parameters with a role. The lab keeps its own short list instead of torch::nn modules because freezing,
// checksums, the optimiser's state and checkpoints all go by name and role.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

namespace moescope::moe {

enum class ParameterRole { kBackbone, kExpert, kRouter, kStudent };

struct Parameter {
  std::string name;  ///< "moe.1.expert.3.w1": layers count from 1, experts from 0, as on screen
  at::Tensor tensor;
  ParameterRole role = ParameterRole::kBackbone;
  int expert = -1;      ///< of kExpert
  bool fixed = false;   ///< never trained by design (a frozen random router); no control can thaw it
  bool decayed = true;  ///< weight decay applies (not to biases, norms and embeddings)
};

/// How a tensor starts. Draws come from a generator seeded by (run seed, "init", parameter name), so shared parts of
/// two methods start alike under one seed and adding a parameter moves no other.
struct Init {
  enum class Kind { kZeros, kOnes, kNormal, kTruncatedNormal, kUniform, kOrthogonal } kind = Kind::kZeros;
  double scale = 0;  ///< standard deviation, half width, or gain
  static Init zeros() { return {Kind::kZeros, 0}; }
  static Init ones() { return {Kind::kOnes, 0}; }
  static Init normal(double deviation) { return {Kind::kNormal, deviation}; }
  static Init truncated_normal(double deviation) { return {Kind::kTruncatedNormal, deviation}; }
  static Init uniform(double bound) { return {Kind::kUniform, bound}; }
  static Init orthogonal(double gain) { return {Kind::kOrthogonal, gain}; }
};

/// While one lives, what this thread adds to a ParameterSet has a shape and no memory (LibTorch's meta device): a model
/// made meanwhile can be counted, never run.
class ShapesOnly {
 public:
  ShapesOnly();
  ~ShapesOnly();
  ShapesOnly(const ShapesOnly&) = delete;
  ShapesOnly& operator=(const ShapesOnly&) = delete;
};

/// Makes parameters and keeps their list in order of creation. Names are unique (asserted).
class ParameterSet {
 public:
  explicit ParameterSet(std::uint64_t run_seed) : run_seed_(run_seed) {}

  /// fp32, contiguous, requires_grad unless `fixed`.
  at::Tensor add(const std::string& name, const std::vector<std::int64_t>& shape, Init init, ParameterRole role,
                 int expert = -1, bool fixed = false, bool decayed = true);

  const std::vector<Parameter>& all() const { return parameters_; }
  std::vector<Parameter>& all() { return parameters_; }
  /// Those whose name begins with `prefix`.
  std::vector<Parameter> with_prefix(const std::string& prefix) const;

 private:
  std::uint64_t run_seed_;
  std::vector<Parameter> parameters_;
  std::unordered_set<std::string> names_;
};

/// A hash over the bytes of the given parameters: equal before and after means frozen.
std::uint64_t checksum(const std::vector<Parameter>& parameters);

}  // namespace moescope::moe
