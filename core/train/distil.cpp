#include "core/train/distil.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <tuple>

#include "core/base/seed.h"

namespace moescope::train {

namespace {

/// Adds one to [token id, expert] for every choice.
void count(const moe::SparseRouting& sparse, const at::Tensor& token_id_T, at::Tensor& count_VE) {
  const at::Tensor pair_N = token_id_T.index_select(0, sparse.token_N) * count_VE.size(1) + sparse.expert_N;
  count_VE.view({-1}).index_add_(0, pair_N, at::ones({pair_N.size(0)}, at::kDouble));
}

/// Most frequent first. Among equals, and for an id that was never seen, the expert with the least load comes first.
at::Tensor table_of(const at::Tensor& count_VE) {
  const at::Tensor load_E = count_VE.sum(0);
  const at::Tensor room_E = 1 - load_E / load_E.sum().clamp_min(1);  // below 1: never outweighs a count
  return std::get<1>(at::sort(count_VE + 0.5 * room_E, /*stable=*/true, /*dim=*/1, /*descending=*/true));
}

}  // namespace

Distilled distil_choices(model::Model& model, model::BatchSource& batches, std::int64_t first_step,
                         std::uint64_t run_seed, const std::vector<int>& layers) {
  const c10::AutoGradMode no_gradient(false);
  const std::vector<std::int64_t> shape = {model.vocab_size(), model.num_experts()};
  std::vector<at::Tensor> count_LVE;
  for (int l = 0; l < model.num_layers(); ++l) count_LVE.push_back(at::zeros(shape, at::kDouble));
  Distilled made;
  for (int b = 0; b < kDistilBatches; ++b) {
    const model::Batch batch = batches.batch(first_step + b);
    const std::uint64_t seed = derive_seed(run_seed, "distil", static_cast<std::uint64_t>(b));
    const moe::ModelPass pass = model.forward(batch, moe::RouteMode::kProbe, seed);
    for (std::size_t l = 0; l < pass.layers.size(); ++l) {
      const moe::SparseRouting* sparse = pass.layers[l].routing.sparse();
      if (sparse != nullptr) {
        count(*sparse, pass.layers[l].token_id_T, count_LVE[l]);
      }
    }
    made.tokens += batch.num_tokens();
  }
  made.agreement.assign(static_cast<std::size_t>(model.num_layers()), -1);
  for (const int layer : layers) {
    const auto l = static_cast<std::size_t>(layer);
    moe::Router& router = model.layers()[l].router();
    const at::Tensor table_VE = table_of(count_LVE[l]);
    if (!router.adopt_table(table_VE)) continue;
    const at::Tensor repeated = count_LVE[l].gather(1, table_VE.narrow(1, 0, router.top_k())).sum();
    made.agreement[l] = (repeated / count_LVE[l].sum().clamp_min(1)).item<double>();
  }
  return made;
}

}  // namespace moescope::train
