#pragma once
// Text whose classes are known because we made it: four Markov languages and four small tasks. The ground truth for
// questions like "do experts divide the data by its source?", and the stand-in when no real corpus can be had.
// Threads: pure function.

#include <cstdint>

#include "core/corpus/document.h"

namespace moescope::corpus {

/// Letters, digits and a few signs only; every document is of one class, and its label is that class.
DocumentSet make_synthetic(std::uint64_t seed);

}  // namespace moescope::corpus
