#pragma once
// The corpus `catalogs`: translated messages of programs, from the gettext catalogs of Debian packages. English on one
// side, every language with enough messages on the other.
// Threads: safe from several threads and processes; they wait for each other.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/corpus/corpus.h"
#include "core/corpus/mo_file.h"
#include "core/corpus/pair_set.h"

namespace moescope::corpus {

/// The pairs of the languages that `languages` names (see choose_languages()), from the cache, or fetched, unpacked,
/// read and kept there.
Result<PairSet> load_catalogs(const std::string& corpora_folder, const std::string& languages, const Progress& progress,
                              const std::stop_token& stop);

/// Whether load_catalogs() would find its pairs in the cache.
bool catalogs_cached(const std::string& corpora_folder);

const std::vector<std::string>& catalog_packages();

/// A language with fewer pairs is left out.
constexpr std::int64_t kLeastCatalogPairs = 5'000;
/// A longer message is a page of help rather than a sentence.
constexpr std::size_t kLongestOriginal = 400, kLongestTranslation = 800;

/// The message as one line on each side; nothing when a side is blank, too long, not UTF-8 or holds a control
/// character, or when nothing was translated.
std::optional<SentencePair> usable_pair(const MoMessage& message);

}  // namespace moescope::corpus
