#pragma once
// Translations by rule: sentences of a small grammar, and the same in four languages that differ in words and in the
// order of words. For tests, for questions with a known answer, and the stand-in when no translations can be had.
// Threads: pure function.

#include <cstdint>

#include "core/corpus/pair_set.h"

namespace moescope::corpus {

/// Every sentence in every language. The base language puts adjectives before nouns, the verb second and prepositions
/// first; rule A puts adjectives behind, B the verb last, C the verb first and prepositions behind, D the adjective
/// behind and the verb last.
PairSet make_synthetic_pairs(std::uint64_t seed);

}  // namespace moescope::corpus
