#pragma once
// Which document trains, which validates, which is probed. A hash of the document's text decides, so that adding a
// document moves no other, and the same text is never on two sides.
// Threads: pure functions.

#include <cstdint>
#include <optional>
#include <vector>

namespace moescope::corpus {

enum class Part : std::uint8_t { kTrain, kValid, kProbe };

/// Of 100 keys about 90 train, 8 validate, 2 are probed.
Part part_of(std::uint64_t key);

struct SplitItem {
  std::uint64_t key = 0;  ///< document_key() of its text
  std::int16_t label = 0;
  std::int64_t num_tokens = 0;
};

/// A training or validation sequence needs `context` tokens and the one after; the probe the same for simplicity.
constexpr std::int64_t least_part_tokens(int context) { return std::int64_t{context} + 1; }

/// part_of() for each, then the least change that gives every label with three documents or more one in the probe,
/// and validation and probe least_part_tokens() each; documents of the smallest key go first, so that the change is
/// small and the same each time. Nothing when a part, training included, cannot have that many.
std::optional<std::vector<Part>> assign_parts(const std::vector<SplitItem>& items, int context);

}  // namespace moescope::corpus
