// Scalar kernels at the two sizes the lab talks about. Ratios within one run are what counts, not absolute figures.

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "kernels/permute.h"
#include "kernels/router_topk.h"

namespace moescope::kernels {
namespace {

RouterTopkShape shape_of(const benchmark::State& state) {
  return {state.range(0), static_cast<std::int32_t>(state.range(1)), static_cast<std::int32_t>(state.range(2))};
}

std::vector<float> gaussian_scores(const RouterTopkShape& shape) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> gaussian;
  std::vector<float> scores(static_cast<std::size_t>(shape.num_tokens * shape.num_experts));
  for (float& score : scores) score = gaussian(random);
  return scores;
}

void router_topk_scalar(benchmark::State& state) {
  const RouterTopkShape shape = shape_of(state);
  const std::vector<float> scores = gaussian_scores(shape);
  const auto num_tokens = static_cast<std::size_t>(shape.num_tokens);
  std::vector<float> probs(scores.size()), entropy(num_tokens), margin(num_tokens), selection(num_tokens);
  std::vector<std::int32_t> expert(num_tokens * static_cast<std::size_t>(shape.top_k));
  const RouterTopkOutput output{probs.data(), expert.data(), entropy.data(), margin.data(), selection.data()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(router_topk(scores.data(), shape, output, 0, shape.num_tokens));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * shape.num_tokens);
}

void permute_scalar(benchmark::State& state) {
  const RouterTopkShape router = shape_of(state);
  const PermuteShape shape{router.num_tokens * router.top_k, router.num_experts, 0, router.num_tokens, 0};
  std::mt19937_64 random(2);
  std::uniform_int_distribution<std::int32_t> expert(0, shape.num_experts - 1);
  const auto n = static_cast<std::size_t>(shape.num_assignments);
  const auto e = static_cast<std::size_t>(shape.num_experts);
  std::vector<std::int32_t> expert_N(n), count(e), offset(e + 1), slot(n), row(n), source(n);
  std::vector<std::uint8_t> kept(n);
  for (std::int32_t& entry : expert_N) entry = expert(random);
  const PermuteOutput output{count.data(), offset.data(), kept.data(), slot.data(), row.data(), source.data()};
  for (auto _ : state) {
    permute(expert_N.data(), shape, output);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * shape.num_assignments);
}

void lab_sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"T", "E", "K"})->Args({2048, 32, 2})->Args({1024, 8, 1})->Unit(benchmark::kMicrosecond);
}

BENCHMARK(router_topk_scalar)->Apply(lab_sizes);
BENCHMARK(permute_scalar)->Apply(lab_sizes);

}  // namespace
}  // namespace moescope::kernels

BENCHMARK_MAIN();
