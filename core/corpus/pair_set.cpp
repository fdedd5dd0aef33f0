#include "core/corpus/pair_set.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/document.h"
#include "core/corpus/hash.h"

namespace moescope::corpus {
namespace {

constexpr std::size_t kAutoLanguages = 5;

/// "fr, de" as its words; an empty word where nothing stands.
std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(normalised(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return words;
}

Diagnostic unknown_language(const std::string& code, const std::vector<PairLanguage>& languages,
                            const std::string& corpus) {
  std::vector<std::string> codes;
  for (std::size_t l = 1; l < languages.size(); ++l) codes.push_back(languages[l].code);
  return error("the corpus '" + corpus + "' has no language '" + printable(code) + '\'',
               "languages are auto, " + join_or(codes));
}

}  // namespace

std::uint64_t sentence_key(std::string_view sentence) {
  std::string letters;
  for (const char c : sentence) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept =
        upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) & 0x80);
    if (kept) letters += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters.empty() ? document_key(sentence) : hash64(letters);
}

std::size_t remove_duplicates(std::vector<SentencePair>& pairs) {
  std::unordered_set<std::uint64_t> seen;
  const auto key = [](const SentencePair& pair, bool second) {
    const std::string text = normalised(second ? pair.second : pair.first);
    return hash64(std::to_string(pair.label) + (second ? '>' : '<') + text);
  };
  return std::erase_if(pairs, [&](const SentencePair& pair) {
    const std::uint64_t first = key(pair, false), second = key(pair, true);
    if (seen.count(first) > 0 || seen.count(second) > 0) return true;
    seen.insert({first, second});
    return false;
  });
}

std::string repeated_pairs_note(std::size_t count) {
  return with_thousands(static_cast<long long>(count)) +
         (count == 1 ? " sentence pair left out that repeats a sentence of another"
                     : " sentence pairs left out that repeat a sentence of another");
}

void count_pairs(PairSet& set) {
  for (PairLanguage& language : set.languages) language.num_pairs = 0;
  for (const SentencePair& pair : set.pairs) ++set.languages[static_cast<std::size_t>(pair.label)].num_pairs;
}

std::string identity_of(const PairSet& set) {
  std::vector<std::string> each;
  for (const SentencePair& pair : set.pairs) {
    const std::string& code = set.languages[static_cast<std::size_t>(pair.label)].code;
    each.push_back(Hasher().add(code).add(pair.name).add(pair.first).add(pair.second).hex());
  }
  std::sort(each.begin(), each.end());
  Hasher all;
  all.add(set.source).add(set.languages[0].code).add(each.size());
  for (const std::string& hash : each) all.add(hash);
  return all.hex();
}

Result<std::vector<std::size_t>> choose_languages(const std::string& wanted, const std::vector<PairLanguage>& languages,
                                                  const std::string& corpus) {
  std::vector<std::size_t> chosen;
  if (wanted == "auto") {
    chosen.resize(std::min(kAutoLanguages, languages.size() - 1));
    std::iota(chosen.begin(), chosen.end(), std::size_t{1});
    return chosen;
  }
  for (const std::string& code : listed(wanted)) {
    if (code.empty())
      return error("'languages' is \"" + printable(wanted) + "\", allowed is auto or codes like \"fr,de\"");
    const auto found = std::find_if(languages.begin() + 1, languages.end(),
                                    [&](const PairLanguage& language) { return language.code == code; });
    if (found == languages.end()) return unknown_language(code, languages, corpus);
    const auto index = static_cast<std::size_t>(found - languages.begin());
    if (std::find(chosen.begin(), chosen.end(), index) != chosen.end())
      return error("'languages' names '" + code + "' twice");
    chosen.push_back(index);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

PairSet with_languages(PairSet set, const std::vector<std::size_t>& chosen) {
  std::vector<std::int16_t> renumbered(set.languages.size(), -1);
  std::vector<PairLanguage> kept{set.languages[0]};
  for (const std::size_t language : chosen) {
    renumbered[language] = static_cast<std::int16_t>(kept.size());
    kept.push_back(set.languages[language]);
  }
  set.languages = std::move(kept);
  std::erase_if(set.pairs,
                [&](const SentencePair& pair) { return renumbered[static_cast<std::size_t>(pair.label)] < 0; });
  for (SentencePair& pair : set.pairs) pair.label = renumbered[static_cast<std::size_t>(pair.label)];
  return set;
}

}  // namespace moescope::corpus
