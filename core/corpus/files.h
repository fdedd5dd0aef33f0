#pragma once
// A corpus from the user's own file or folder.
//
// A file is one domain. Of a folder with sub-folders each sub-folder is a domain, however deep its files lie, and the
// files beside them are one more; in a folder without sub-folders each file is a domain when there are at most twelve,
// else all are one. Of a domain of few files each is cut at blank lines into documents, since a split needs many.
// Threads: a function without state.

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/corpus/corpus.h"
#include "core/corpus/document.h"

namespace moescope::corpus {

/// Files of a folder that cannot be used are left out with a note; a single such file is a failure.
Result<DocumentSet> read_text_corpus(const std::string& path, const Progress& progress, const std::stop_token& stop);

struct Piece {
  int line = 1;  ///< where it begins, counting from 1
  std::string text;
};

/// `text` in pieces: whole passages up to about `least` bytes; none longer than `most`, which cuts after a line, or
/// within one that is longer. Put together they are `text`.
std::vector<Piece> cut_into_pieces(std::string_view text, std::size_t least, std::size_t most);

}  // namespace moescope::corpus
