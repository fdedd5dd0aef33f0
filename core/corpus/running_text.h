#pragma once
// Sentences of a parallel corpus as running text, so that a language model can read them too.
// Threads: each object has one owner.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/corpus/corpus.h"

namespace moescope::corpus {

/// Fills a split, one sentence a line: those of one language and one program together, some hundred tokens a document.
class RunningText {
 public:
  /// Keeps a reference to the split, which is empty.
  RunningText(Split& split, std::vector<std::int32_t> line_end);

  void add(std::int16_t label, const std::string& name, const std::vector<std::int32_t>& sentence);
  /// Documents that are not full yet.
  void finish();

 private:
  struct Open {
    std::vector<std::int32_t> tokens;
    int number = 1;  ///< of the document among those of its language and program
  };
  void close(std::int16_t label, const std::string& name, Open& document);

  Split& split_;
  std::vector<std::int32_t> line_end_;
  std::map<std::pair<std::int16_t, std::string>, Open> open_;
};

}  // namespace moescope::corpus
