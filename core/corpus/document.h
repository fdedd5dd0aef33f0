#pragma once
// Labelled documents before they become tokens, and what is done to all of them alike: duplicates, identity, order.
// Threads: plain values and pure functions.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/diagnostic.h"

namespace moescope::corpus {

struct Document {
  std::int16_t label = 0;  ///< index into DocumentSet::labels
  std::string name;        ///< "ls(1)", "letters/one.txt", "notes.txt:120" (its first line)
  std::string text;        ///< valid UTF-8
};

struct DocumentSet {
  std::string name;
  std::string source;  ///< what it was made from beyond its text (package versions); part of the identity
  std::vector<std::string> labels;
  std::vector<Document> documents;
  std::vector<std::string> notes;
};

/// `text` with every run of white space as one space: what must differ for two documents to count as two.
std::string normalised(std::string_view text);

/// Hash of the normalised text. Names, places and order do not enter, so a document keeps it wherever it comes from.
std::uint64_t document_key(std::string_view text);

/// Keeps the first of documents with equal normalised text and leaves out blank ones. Returns how many went.
std::size_t remove_duplicates(std::vector<Document>& documents);

/// "12 duplicates left out"
std::string duplicates_note(std::size_t count);

/// Hash over labels, names, texts and source, whatever the order of the documents, hex.
std::string identity_of(const DocumentSet& set);

/// Removes labels that no document has, keeping the order of the others.
void drop_unused_labels(DocumentSet& set);

std::size_t text_bytes(const DocumentSet& set);

/// The failure of work that was told to stop.
Diagnostic stopped();

}  // namespace moescope::corpus
