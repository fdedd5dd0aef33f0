#pragma once
// Rendered manual pages and source files as plain running text: no overstrike, page headers, indentation by sevens,
// untranslated or repeated passages.
// Threads: pure functions.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/corpus/document.h"

namespace moescope::corpus {

enum class Language { kEnglish, kGerman, kFrench, kSpanish };

/// `text` without the "X, backspace, X" by which mandoc marks bold and underlined.
std::string strip_overstrike(std::string_view text);

/// One page as `mandoc -Tutf8 -Owidth=1000` renders it, as running text: header and footer lines, sections that
/// are the same on every page (translators, copyright, where to report bugs), rules of tables and passages still in
/// English on a translated page go; wrapped lines are joined; steps of seven columns become two.
std::string clean_manual_page(std::string_view rendered, Language language);

/// Removes passages (between blank lines, of 60 bytes or more, digits aside) that stand in more than `max_documents`
/// documents: licences and notices.
void drop_repeated_passages(std::vector<Document>& documents, std::size_t max_documents);

/// `text` of a C or Python source without the licences in its comments. A comment that also says what the file is for
/// keeps that much.
std::string without_licences(std::string_view text);

/// The first `max_bytes` or fewer of `text`, cut after a whole line.
std::string cut_after_line(std::string text, std::size_t max_bytes);

/// The pieces between runs of blank lines.
std::vector<std::string_view> passages(std::string_view text);

}  // namespace moescope::corpus
