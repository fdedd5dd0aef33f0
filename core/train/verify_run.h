#pragma once
// A recorded run trained again without a window and held against its record, to the bit. This header is free of torch.
// Threads: any one thread; it trains on the caller's.

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"

namespace moescope::corpus {
struct Corpus;
}

namespace moescope::train {

struct VerifyRequest {
  std::string folder;
  config::RunConfig config;                      ///< the recorded one, read from RunFacts::config_toml
  std::string cache_folder;                      ///< corpora and tokenizers
  std::int64_t from_step = 0;                    ///< begins at the newest checkpoint at or before it; 0: from nothing
  std::shared_ptr<const corpus::Corpus> corpus;  ///< for tests; null: the configured one
};

struct Verdict {
  bool equal = false;                                 ///< nothing differs, and the state was compared at least once
  bool stopped = false;                               ///< by the stop token; what was compared until then is told
  std::int64_t first_step = 0, last_step = 0;         ///< of what was compared
  std::int64_t hashes = 0, frames = 0, commands = 0;  ///< compared
  // When not equal:
  std::int64_t differs_at = 0;       ///< first step where anything recorded differs
  std::int64_t last_equal = 0;       ///< last step whose state hash was equal, 0: none
  std::string what;                  ///< "grad_norm is 0.51 and was 0.52", "the state hash", "the answer to command 7"
  std::vector<std::string> tensors;  ///< those that differ at the first unequal state hash, in the model's order
  std::vector<std::string> notes;    ///< other machine, other build: why bits may differ; damage in the record
};

/// Errors: the run cannot be read, its journal is broken (named), nothing is recorded, the corpus is not the same.
/// `progress` is told (step, last step) about ten times a second.
Result<Verdict> verify_run(const VerifyRequest& request,
                           const std::function<void(std::int64_t step, std::int64_t last_step)>& progress,
                           const std::stop_token& stop);

}  // namespace moescope::train
