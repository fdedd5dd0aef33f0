#pragma once
// Which assignments keep their slots when an expert has more than it may take: those of the first tokens ("position",
// as in Switch and GShard), or those of the tokens the router is surest of ("probability": batch prioritised routing,
// Riquelme et al. 2021). Dispatch serves a list in its order, so the policy is an order of tokens.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/config/field.h"
#include "core/moe/routing.h"

namespace moescope::moe {

/// Tokens by falling probability_T, equal ones by position, each run of `group_tokens` tokens (0: all) by itself;
/// int64.
at::Tensor order_of_service(const at::Tensor& probability_T, std::int64_t group_tokens);

/// A list made of the rows of tokens in that order, with the tokens' own numbers.
SparseRouting served_in(const at::Tensor& order_T, SparseRouting routing);

/// `drop`, for the field list of a config struct that has it.
template <class Config>
config::Field<Config> drop_field() {
  return config::field(&Config::drop, "drop",
                       "who gets the slots when they run out: the first tokens by position, or those of highest "
                       "probability, which looks ahead in the text")
      .choices({"position", "probability"})
      .live();
}

}  // namespace moescope::moe
