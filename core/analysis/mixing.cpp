#include "core/analysis/mixing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/analysis/routing_entropy.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// −ln of the mean probability of one token over R routings, shifted by the largest so that nothing underflows.
double ensemble_token_loss(std::span<const float> log_prob_RT, std::size_t token, std::size_t num_tokens) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = token; i < log_prob_RT.size(); i += num_tokens)
    largest = std::max(largest, static_cast<double>(log_prob_RT[i]));
  if (!std::isfinite(largest)) return -largest;
  double sum = 0.0;
  for (std::size_t i = token; i < log_prob_RT.size(); i += num_tokens)
    sum += std::exp(static_cast<double>(log_prob_RT[i]) - largest);
  const std::size_t num_routings = log_prob_RT.size() / num_tokens;
  return -(largest + std::log(sum / static_cast<double>(num_routings)));
}

std::size_t tokens_per_routing(std::size_t size, int num_routings) {
  MOESCOPE_ASSERT(num_routings >= 1 && size % static_cast<std::size_t>(num_routings) == 0,
                  "every routing answers for the same tokens");
  return size / static_cast<std::size_t>(num_routings);
}

}  // namespace

MixingEntropy mixing_entropy(std::span<const float> weight_RG, int group_size) {
  const RoutingEntropy rows = routing_entropy(weight_RG, group_size);
  return {rows.mean, rows.normalized_mean, rows.num_tokens, rows.skipped_tokens};
}

Leak mixing_leak(std::span<const float> output_TD, std::span<const float> replaced_TD, int dim) {
  MOESCOPE_ASSERT(dim >= 1 && output_TD.size() % static_cast<std::size_t>(dim) == 0, "the list is tokens times dim");
  MOESCOPE_ASSERT(output_TD.size() == replaced_TD.size(), "both outputs are of the same tokens");
  const auto width = static_cast<std::size_t>(dim);
  Leak result{0.0, 0.0};
  for (std::size_t begin = 0; begin < output_TD.size(); begin += width) {
    double difference = 0.0;
    double length = 0.0;
    for (std::size_t i = begin; i < begin + width; ++i) {
      const auto output = static_cast<double>(output_TD[i]);
      difference += (output - static_cast<double>(replaced_TD[i])) * (output - static_cast<double>(replaced_TD[i]));
      length += output * output;
    }
    if (length == 0.0) {
      ++result.skipped_tokens;
      continue;
    }
    const double leak = std::sqrt(difference / length);
    result.mean += leak;
    result.max = std::max(result.max, leak);
    ++result.num_tokens;
  }
  if (result.num_tokens == 0) result.max = kNan;
  result.mean /= static_cast<double>(result.num_tokens);  // 0 / 0 is NaN
  return result;
}

double symmetric_kl(std::span<const float> log_p_V, std::span<const float> log_q_V) {
  MOESCOPE_ASSERT(log_p_V.size() == log_q_V.size(), "both distributions are over the same entries");
  double sum = 0.0;
  for (std::size_t v = 0; v < log_p_V.size(); ++v) {
    const auto log_p = static_cast<double>(log_p_V[v]);
    const auto log_q = static_cast<double>(log_q_V[v]);
    if (log_p == log_q) continue;  // also −infinity in both
    sum += (std::exp(log_p) - std::exp(log_q)) * (log_p - log_q);
  }
  return sum / 2.0;
}

double mean_symmetric_kl(std::span<const float> log_p_TV, std::span<const float> log_q_TV, int vocabulary) {
  MOESCOPE_ASSERT(vocabulary >= 1 && log_p_TV.size() % static_cast<std::size_t>(vocabulary) == 0,
                  "the list is tokens times vocabulary");
  if (log_p_TV.empty()) return kNan;
  // The divergence is a sum over entries, so the sum over tokens is one over the whole list.
  const std::size_t num_tokens = log_p_TV.size() / static_cast<std::size_t>(vocabulary);
  return symmetric_kl(log_p_TV, log_q_TV) / static_cast<double>(num_tokens);
}

EnsembleGain ensemble_gain(std::span<const float> log_prob_RT, int num_routings) {
  const std::size_t num_tokens = tokens_per_routing(log_prob_RT.size(), num_routings);
  EnsembleGain result{kNan, kNan, kNan, num_routings, static_cast<std::int64_t>(num_tokens)};
  if (num_tokens == 0) return result;
  double single = 0.0;
  for (const float log_prob : log_prob_RT) single -= static_cast<double>(log_prob);
  double together = 0.0;
  for (std::size_t t = 0; t < num_tokens; ++t) together += ensemble_token_loss(log_prob_RT, t, num_tokens);
  result.mean_loss = single / static_cast<double>(log_prob_RT.size());
  result.ensemble_loss = together / static_cast<double>(num_tokens);
  result.gain = result.ensemble_loss - result.mean_loss;
  return result;
}

double top1_agreement(std::span<const std::int32_t> answer_RT, int num_routings) {
  const std::size_t num_tokens = tokens_per_routing(answer_RT.size(), num_routings);
  std::int64_t pairs = 0;
  std::int64_t equal = 0;
  for (std::size_t t = 0; t < num_tokens; ++t) {
    for (std::size_t i = t; i < answer_RT.size(); i += num_tokens) {
      for (std::size_t j = t; j < i; j += num_tokens) {
        ++pairs;
        if (answer_RT[i] == answer_RT[j]) ++equal;
      }
    }
  }
  return pairs == 0 ? kNan : static_cast<double>(equal) / static_cast<double>(pairs);
}

}  // namespace moescope::analysis
