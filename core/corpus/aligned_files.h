#pragma once
// Sentence pairs from two files of the user's, line by line. Threads: a function without state.

#include <stop_token>
#include <string>

#include "core/base/result.h"
#include "core/corpus/corpus.h"
#include "core/corpus/pair_set.h"

namespace moescope::corpus {

/// Line n of `target` translates line n of `source`. Pairs with a blank side are left out with a note. The languages
/// are named by the endings of the files ("train.en", "train.de"), else by what tells the two names apart.
Result<PairSet> read_aligned_files(const std::string& source, const std::string& target, const Progress& progress,
                                   const std::stop_token& stop);

}  // namespace moescope::corpus
