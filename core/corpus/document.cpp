#include "core/corpus/document.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/hash.h"

namespace moescope::corpus {

std::string normalised(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = true;  // leading white space goes
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!is_space) {
      out += c;
    } else if (!space) {
      out += ' ';
    }
    space = is_space;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::uint64_t document_key(std::string_view text) { return hash64(normalised(text)); }

std::size_t remove_duplicates(std::vector<Document>& documents) {
  std::unordered_set<std::uint64_t> seen;
  const std::uint64_t blank = hash64({});
  return std::erase_if(documents, [&](const Document& document) {
    const std::uint64_t key = document_key(document.text);
    return key == blank || !seen.insert(key).second;
  });
}

std::string duplicates_note(std::size_t count) {
  return with_thousands(static_cast<long long>(count)) + (count == 1 ? " duplicate" : " duplicates") + " left out";
}

std::string identity_of(const DocumentSet& set) {
  std::vector<std::string> each;
  for (const Document& document : set.documents) {
    const std::string& label = set.labels[static_cast<std::size_t>(document.label)];
    each.push_back(Hasher().add(label).add(document.name).add(document.text).hex());
  }
  std::sort(each.begin(), each.end());
  Hasher all;
  all.add(set.source).add(each.size());
  for (const std::string& hash : each) all.add(hash);
  return all.hex();
}

void drop_unused_labels(DocumentSet& set) {
  std::vector<std::int16_t> renumbered(set.labels.size(), -1);
  for (const Document& document : set.documents) renumbered[static_cast<std::size_t>(document.label)] = 0;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    if (renumbered[i] < 0) continue;
    renumbered[i] = static_cast<std::int16_t>(kept.size());
    kept.push_back(std::move(set.labels[i]));
  }
  set.labels = std::move(kept);
  for (Document& document : set.documents) document.label = renumbered[static_cast<std::size_t>(document.label)];
}

std::size_t text_bytes(const DocumentSet& set) {
  return std::accumulate(set.documents.begin(), set.documents.end(), std::size_t{0},
                         [](std::size_t sum, const Document& document) { return sum + document.text.size(); });
}

Diagnostic stopped() { return error("the preparation of the corpus was stopped", "start again to continue"); }

}  // namespace moescope::corpus
