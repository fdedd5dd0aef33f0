#include "core/moe/router.h"

#include <stdexcept>

#include "core/base/text.h"

namespace moescope::moe {

void non_finite_scores(std::int64_t first_bad_token, std::int64_t num_bad_tokens) {
  const std::string count = with_thousands(num_bad_tokens) + (num_bad_tokens == 1 ? " token has" : " tokens have");
  throw std::runtime_error("router scores are not finite: " + count + " NaN or infinite scores, the first is token " +
                           std::to_string(first_bad_token) +
                           " of the batch; a lower learning rate or tighter gradient clipping usually prevents it");
}

}  // namespace moescope::moe
