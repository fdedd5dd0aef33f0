#pragma once
// The default corpus: manual pages in four languages, C headers and Python sources, all from Debian packages.
// Threads: safe from several threads and processes; they wait for each other.

#include <string>

#include "core/corpus/corpus.h"
#include "core/corpus/document.h"

namespace moescope::corpus {

/// From the cache, or fetched, unpacked, rendered, cleaned, balanced and kept there.
Result<DocumentSet> load_manuals(const std::string& corpora_folder, const Progress& progress,
                                 const std::stop_token& stop);

/// Whether load_manuals() would find its text in the cache.
bool manuals_cached(const std::string& corpora_folder);

/// The marker `./lab` looks for. It is written when text and default tokenizer are kept, and taken away while the
/// text is made anew.
std::string manuals_marker(const std::string& corpora_folder);

/// The text per label: enough that 1,500 steps of 1,024 tokens read nothing twice, made within a minute.
constexpr std::size_t kManualsLabelBytes = 1'700'000;
/// A longer page or source is cut here, so that no single one dominates its label.
constexpr std::size_t kManualsDocumentBytes = 48'000;

/// Keeps of each label the first documents that reach the size of the smallest label.
void balance_labels(DocumentSet& set);

}  // namespace moescope::corpus
