#include "core/moe/parameter.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"
#include "core/base/seed.h"

namespace moescope::moe {
namespace {

/// Normal draws cut at two deviations, by the inverse of the distribution function: no draw is thrown away, so the
/// number of draws depends on the shape alone. `deviation` is that of the normal before the cut, as in Switch
/// (Fedus et al. 2021, section 2.4).
void fill_truncated_normal(at::Tensor& tensor, double deviation, const at::Generator& generator) {
  const double tail = std::erf(2.0 / std::sqrt(2.0));  // mass within two deviations
  tensor.uniform_(-tail, tail, generator).erfinv_().mul_(deviation * std::sqrt(2.0));
  tensor.clamp_(-2 * deviation, 2 * deviation);  // erfinv may round a hair beyond the cut
}

/// Orthonormal rows (wide) or columns (tall) times `gain`, uniform over the orthogonal group: QR of a normal matrix
/// with the signs of R's diagonal taken out (Mezzadri 2007), as torch.nn.init.orthogonal_.
void fill_orthogonal(at::Tensor& tensor, double gain, const at::Generator& generator) {
  MOESCOPE_ASSERT(tensor.dim() == 2, "only a matrix can be orthogonal");
  const std::int64_t rows = tensor.size(0);
  const std::int64_t columns = tensor.size(1);
  at::Tensor tall = at::empty({std::max(rows, columns), std::min(rows, columns)}, tensor.options());
  tall.normal_(0, 1, generator);
  const auto [q, r] = at::linalg_qr(tall);
  const at::Tensor signed_q = q * r.diagonal().sign();
  tensor.copy_(rows < columns ? signed_q.t() : signed_q).mul_(gain);
}

void fill(at::Tensor& tensor, Init init, std::uint64_t seed) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  switch (init.kind) {
    case Init::Kind::kZeros: tensor.zero_(); break;
    case Init::Kind::kOnes: tensor.fill_(1); break;
    case Init::Kind::kNormal: tensor.normal_(0, init.scale, generator); break;
    case Init::Kind::kTruncatedNormal: fill_truncated_normal(tensor, init.scale, generator); break;
    case Init::Kind::kUniform: tensor.uniform_(-init.scale, init.scale, generator); break;
    case Init::Kind::kOrthogonal: fill_orthogonal(tensor, init.scale, generator); break;
  }
}

thread_local int shapes_only = 0;

}  // namespace

ShapesOnly::ShapesOnly() { ++shapes_only; }
ShapesOnly::~ShapesOnly() { --shapes_only; }

at::Tensor ParameterSet::add(const std::string& name, const std::vector<std::int64_t>& shape, Init init,
                             ParameterRole role, int expert, bool fixed, bool decayed) {
  const bool fresh = names_.insert(name).second;
  MOESCOPE_ASSERT(fresh, "parameter names are unique");
  at::Tensor tensor = at::empty(shape, at::TensorOptions(at::kFloat).device(shapes_only > 0 ? at::kMeta : at::kCPU));
  if (shapes_only == 0) fill(tensor, init, derive_seed(run_seed_, "init:" + name));
  tensor.requires_grad_(!fixed);
  parameters_.push_back({name, tensor, role, expert, fixed, decayed});
  return tensor;
}

std::vector<Parameter> ParameterSet::with_prefix(const std::string& prefix) const {
  std::vector<Parameter> found;
  for (const Parameter& one : parameters_) {
    if (one.name.rfind(prefix, 0) == 0) found.push_back(one);
  }
  return found;
}

std::uint64_t checksum(const std::vector<Parameter>& parameters) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const Parameter& one : parameters) {
    const at::Tensor bytes = one.tensor.detach().cpu().contiguous();
    XXH3_64bits_update(state, bytes.const_data_ptr(), bytes.nbytes());
  }
  const std::uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

}  // namespace moescope::moe
