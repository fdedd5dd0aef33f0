#include "core/model/tiny_lm.h"

#include <ATen/ops/index_select.h>

namespace moescope::model {

TinyLm::TinyLm(const config::RunConfig& config, const moe::Method& method, int vocab_size,
               const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V)
    : Model(config, method, vocab_size),
      causal_(config.model.objective == "causal_lm"),
      embedding_(config.model, vocab_size, parameters_),
      blocks_(add_blocks(config, method, {"", causal_, false}, token_count_V)) {}

at::Tensor TinyLm::run_blocks(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed,
                              std::vector<moe::LayerRecord>& records) {
  const moe::RouterInput about{{}, batch.tokens_BL, mode, 0, batch.cell_T};
  const Visit visit = [&](int layer, const at::Tensor& hidden_CD) {
    return run_layer(layer, hidden_CD, about, noise_seed, records);
  };
  const Grid grid = grid_of(batch.tokens_BL, batch.cell_T);
  return blocks_.forward(embedding_.embed(batch.tokens_BL), grid, embedding_.rotary(), visit);
}

moe::ModelPass TinyLm::forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  moe::ModelPass pass;
  at::Tensor x_TD = run_blocks(batch, mode, noise_seed, pass.layers);
  if (batch.cell_T.defined()) x_TD = x_TD.index_select(0, batch.cell_T);
  pass.logits_TV = embedding_.logits(x_TD);
  return pass;
}

RoutingTrace TinyLm::route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  RoutingTrace trace;
  const moe::RouterInput about{{}, batch.tokens_BL, mode, 0, batch.cell_T};
  const Visit visit = [&](int layer, const at::Tensor& hidden_CD) {
    return trace_layer(layer, hidden_CD, about, noise_seed, 0, trace);
  };
  const Grid grid = grid_of(batch.tokens_BL, batch.cell_T);
  blocks_.forward(embedding_.embed(batch.tokens_BL), grid, embedding_.rotary(), visit);
  return trace;
}

at::Tensor TinyLm::next_token_logits(const at::Tensor& tokens_1L, moe::RouteMode mode) {
  if (!causal_) return {};
  std::vector<moe::LayerRecord> records;
  const at::Tensor x_TD = run_blocks({tokens_1L, {}}, mode, 0, records);
  return embedding_.logits(x_TD.narrow(0, x_TD.size(0) - 1, 1)).view({-1});
}

Model::Use TinyLm::use_of(const moe::Parameter& parameter) const {
  Use use = Model::use_of(parameter);
  if (!causal_) use.keys *= 2;
  return use;
}

}  // namespace moescope::model
