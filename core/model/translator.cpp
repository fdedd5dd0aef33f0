#include "core/model/translator.h"

#include <ATen/ops/index_select.h>

namespace moescope::model {

namespace {

moe::RouterInput about(const at::Tensor& tokens_BL, const at::Tensor& cell_T, moe::RouteMode mode) {
  return {{}, tokens_BL, mode, 0, cell_T};
}

}  // namespace

Translator::Translator(const config::RunConfig& config, const moe::Method& method, int vocab_size,
                       const corpus::Specials& special,
                       const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V)
    : Model(config, method, vocab_size),
      special_(special),
      embedding_(config.model, vocab_size, parameters_),
      encoder_(add_blocks(config, method, {"encoder.", false, false}, token_count_V)),
      decoder_(add_blocks(config, method, {"decoder.", true, true}, token_count_V)) {}

moe::ModelPass Translator::forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  moe::ModelPass pass;
  const auto visit_with = [&](const moe::RouterInput& input) -> Visit {
    return [this, input, noise_seed, &pass](int layer, const at::Tensor& hidden_CD) {
      return run_layer(layer, hidden_CD, input, noise_seed, pass.layers);
    };
  };
  const Grid source = grid_of(batch.source_BL, batch.source_cell_T), target = grid_of(batch.tokens_BL, batch.cell_T);
  const Memory memory{encoder_.forward(embedding_.embed(batch.source_BL), source, embedding_.rotary(),
                                       visit_with(about(batch.source_BL, batch.source_cell_T, mode))),
                      source};
  at::Tensor x_TD = decoder_.forward(embedding_.embed(batch.tokens_BL), target, embedding_.rotary(),
                                     visit_with(about(batch.tokens_BL, batch.cell_T, mode)), &memory);
  if (batch.cell_T.defined()) x_TD = x_TD.index_select(0, batch.cell_T);
  pass.logits_TV = embedding_.logits(x_TD);
  return pass;
}

RoutingTrace Translator::route(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  RoutingTrace trace;
  const auto visit_with = [&](const moe::RouterInput& input, std::int64_t first_token) -> Visit {
    return [this, input, noise_seed, first_token, &trace](int layer, const at::Tensor& hidden_CD) {
      return trace_layer(layer, hidden_CD, input, noise_seed, first_token, trace);
    };
  };
  const Grid source = grid_of(batch.source_BL, batch.source_cell_T), target = grid_of(batch.tokens_BL, batch.cell_T);
  const std::int64_t num_source = batch.source_cell_T.defined() ? batch.source_cell_T.size(0) : batch.source_BL.numel();
  const Memory memory{encoder_.forward(embedding_.embed(batch.source_BL), source, embedding_.rotary(),
                                       visit_with(about(batch.source_BL, batch.source_cell_T, mode), 0)),
                      source};
  decoder_.forward(embedding_.embed(batch.tokens_BL), target, embedding_.rotary(),
                   visit_with(about(batch.tokens_BL, batch.cell_T, mode), num_source), &memory);
  return trace;
}

Memory Translator::encode(const at::Tensor& source_BL, const at::Tensor& source_cell_T) {
  std::vector<moe::LayerRecord> records;
  const moe::RouterInput input = about(source_BL, source_cell_T, moe::RouteMode::kEvaluate);
  const Grid grid = grid_of(source_BL, source_cell_T);
  const Visit visit = [&](int layer, const at::Tensor& hidden_CD) {
    return run_layer(layer, hidden_CD, input, 0, records);
  };
  return {encoder_.forward(embedding_.embed(source_BL), grid, embedding_.rotary(), visit), grid};
}

at::Tensor Translator::next_logits(const Memory& memory, const at::Tensor& prefix_RL) {
  std::vector<moe::LayerRecord> records;
  const moe::RouterInput input = about(prefix_RL, {}, moe::RouteMode::kEvaluate);
  const Visit visit = [&](int layer, const at::Tensor& hidden_CD) {
    return run_layer(layer, hidden_CD, input, 0, records);
  };
  const at::Tensor x_TD =
      decoder_.forward(embedding_.embed(prefix_RL), grid_of(prefix_RL, {}), embedding_.rotary(), visit, &memory);
  const std::int64_t R = prefix_RL.size(0), L = prefix_RL.size(1);
  return embedding_.logits(x_TD.view({R, L, -1}).select(1, L - 1));
}

Model::Use Translator::use_of(const moe::Parameter& parameter) const {
  Use use = Model::use_of(parameter);
  const std::string& name = parameter.name;
  const bool both_ways = name.starts_with("encoder.") && use.keys > 0;
  if (both_ways || name.ends_with("cross.query.weight")) use.keys = context_;
  use.share *= 0.5;
  return use;
}

}  // namespace moescope::model
