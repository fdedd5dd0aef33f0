#include "core/corpus/cleanup.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/corpus/hash.h"

namespace moescope::corpus {
namespace {

constexpr std::size_t kBodyIndent = 7;    // what mandoc gives the text under a heading, and each nested list
constexpr std::size_t kWrapColumn = 850;  // a line longer than this was broken by the page's width of 1,000

/// Headings whose text says the same on every page, or lists people and addresses.
const std::unordered_set<std::string_view>& dropped_sections() {
  static const std::unordered_set<std::string_view> headings{"COLOPHON",
                                                             "KOLOPHON",
                                                             "COLOFÓN",
                                                             "ÜBERSETZUNG",
                                                             "TRADUCTION",
                                                             "TRADUCCIÓN",
                                                             "COPYRIGHT",
                                                             "LICENSE",
                                                             "LIZENZ",
                                                             "REPORTING BUGS",
                                                             "FEHLER MELDEN",
                                                             "SIGNALER DES BOGUES",
                                                             "SIGNALEMENT DE BOGUES",
                                                             "INFORMAR DE ERRORES",
                                                             "INFORMAR DE FALLOS",
                                                             "AUTHOR",
                                                             "AUTHORS",
                                                             "AUTOR",
                                                             "AUTOREN",
                                                             "AUTEUR",
                                                             "AUTEURS",
                                                             "AUTORES",
                                                             "LIBRARY",
                                                             "BIBLIOTHEK",
                                                             "BIBLIOTHÈQUE",
                                                             "BIBLIOTECA",
                                                             "AVAILABILITY",
                                                             "VERFÜGBARKEIT",
                                                             "DISPONIBILITÉ",
                                                             "DISPONIBILIDAD",
                                                             "ATTRIBUTES",
                                                             "ATTRIBUTE",
                                                             "ATTRIBUTS",
                                                             "ATRIBUTOS",
                                                             "MARCAS REGISTRADAS",
                                                             "WARENZEICHEN"};
  return headings;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\f\v") == std::string_view::npos; }

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

std::size_t num_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Spaces and hyphens that look alike become one; what no reader sees goes.
void plain_characters(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kPlain{{{"\u00A0", " "},
                                                                                 {"\u202F", " "},
                                                                                 {"\u2009", " "},
                                                                                 {"\u00AD", ""},
                                                                                 {"\u2010", "-"},
                                                                                 {"\u2011", "-"},
                                                                                 {"\u200B", ""},
                                                                                 {"│", " "}}};
  for (const auto& [from, to] : kPlain) replace_all(text, from, to);
}

/// A ruler of a table: nothing but box-drawing characters (U+2500 to U+257F) and blanks.
bool is_rule(std::string_view line) {
  bool any = false;
  for (std::size_t i = 0; i < line.size();) {
    const bool box = line.size() - i >= 3 && line[i] == '\xE2' && (line[i + 1] == '\x94' || line[i + 1] == '\x95');
    if (!box && line[i] != ' ') return false;
    any |= box;
    i += box ? 3 : 1;
  }
  return any;
}

/// Two spaces for a gap between columns, one after a sentence.
std::string single_gaps(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ' ') {
      out += text[i];
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(' ', i), text.size());
    const bool sentence = !out.empty() && std::string_view(".:;,!?").find(out.back()) != std::string_view::npos;
    if (end < text.size()) out += end - i > 1 && !sentence ? "  " : " ";
    i = end - 1;
  }
  return out;
}

std::string reindented(std::string_view line) {
  const std::size_t indent = indent_of(line);
  const std::size_t inner = indent < kBodyIndent ? 0 : indent - kBodyIndent;
  // Lists nest by sevens and become narrow; any other depth is that of program text and is left alone.
  const std::size_t kept = inner % kBodyIndent == 0 ? inner / kBodyIndent * 2 : inner;
  return std::string(kept, ' ') + single_gaps(line.substr(indent));
}

/// Without the page header and footer, wrapped lines joined.
std::vector<std::string> whole_lines(std::string_view rendered) {
  std::vector<std::string_view> raw = lines_of(rendered);
  const auto header = std::find_if_not(raw.begin(), raw.end(), is_blank);
  raw.erase(raw.begin(), header == raw.end() ? header : std::next(header));
  while (!raw.empty() && is_blank(raw.back())) raw.pop_back();
  if (!raw.empty()) raw.pop_back();
  std::vector<std::string> lines;
  bool wrapped = false;
  for (const std::string_view line : raw) {
    const bool joins = wrapped && !is_blank(line);
    if (joins) {
      if (lines.back().back() != '-') lines.back() += ' ';
      lines.back() += line.substr(indent_of(line));
    } else {
      lines.emplace_back(line);
    }
    wrapped = num_characters(line) > kWrapColumn && !is_rule(line);
  }
  return lines;
}

using Words = std::unordered_set<std::string_view>;

const Words& common_words(Language language) {
  static const std::array<Words, 4> words{
      {{"the", "of", "and", "to",   "is", "in", "for", "that", "this", "are",  "with", "be",  "as", "not", "which",
        "if",  "or", "by",  "from", "it", "an", "on",  "can",  "when", "will", "was",  "has", "at", "see", "used"},
       {"der", "die",  "das", "und",   "ist",  "ein",  "eine", "nicht", "wird", "werden",
        "mit", "für",  "von", "zu",    "den",  "auf",  "dem",  "des",   "oder", "im",
        "sie", "kann", "als", "einer", "wenn", "auch", "bei",  "aus",   "es",   "zum"},
       {"de",  "la", "le",  "les", "des", "et",   "un", "une", "est",  "pour", "que",  "dans", "du",    "en", "par",
        "sur", "ne", "pas", "ce",  "qui", "sont", "ou", "au",  "avec", "si",   "être", "il",   "cette", "à",  "se"},
       {"de", "la", "el", "los", "las", "en", "que",  "un", "una",  "es",   "se",  "para",  "por",  "con", "del",
        "no", "y",  "o",  "al",  "su",  "lo", "como", "si", "este", "esta", "son", "puede", "está", "sin", "más"}}};
  return words[static_cast<std::size_t>(language)];
}

/// Whether a passage of a translated page was left in English: more small English words than small words of its own.
bool is_untranslated(std::string_view passage, Language language) {
  int english = 0, own = 0;
  for (std::size_t i = 0; i < passage.size();) {
    const std::size_t begin = std::min(passage.find_first_not_of(" \n\t.,;:()\"'", i), passage.size());
    const std::size_t end = std::min(passage.find_first_of(" \n\t.,;:()\"'", begin), passage.size());
    std::string word(passage.substr(begin, end - begin));
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    english += common_words(Language::kEnglish).count(word) > 0 ? 1 : 0;
    own += common_words(language).count(word) > 0 ? 1 : 0;
    i = end;
  }
  return english >= 2 && english > own;
}

/// The page without dropped sections, rulers and page indentation.
std::string body_of(std::string_view rendered) {
  std::string body;
  bool dropped = false;
  for (std::string& line : whole_lines(rendered)) {
    plain_characters(line);
    const bool is_heading = !is_blank(line) && line[0] != ' ';
    if (is_heading) dropped = dropped_sections().count(std::string_view(line)) > 0;
    if (dropped || is_rule(line)) continue;
    body += is_heading ? line + "\n" : reindented(line) + '\n';
  }
  return body;
}

/// How often a passage recurs is counted with digits aside, since years and versions differ.
std::uint64_t passage_key(std::string_view passage) {
  std::string plain = normalised(passage);
  std::erase_if(plain, [](char c) { return c >= '0' && c <= '9'; });
  return hash64(plain);
}

constexpr std::size_t kLeastPassage = 60;

/// Program text says the same in every language, and its include lines are no boilerplate.
bool is_program_text(std::string_view passage) { return passage.find("#include") != std::string_view::npos; }

bool mentions_licence(std::string_view text) {
  constexpr std::array<std::string_view, 7> kSigns{
      "Copyright", "COPYRIGHT", "WARRANT", "All rights reserved", "edistribution", "Licensed to", "public domain"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

/// What a comment "/* … */" says before its licence begins, closed again; empty when it says nothing.
std::string before_licence(std::string_view comment) {
  std::string kept;
  for (const std::string_view line : lines_of(comment)) {
    if (mentions_licence(line)) break;
    kept += std::string(line) + '\n';
  }
  kept.resize(kept.find_last_not_of(" \n*/") + 1);
  return kept.empty() ? kept : kept + "  */";
}

/// The passages that `goes` does not name, a blank line between them.
template <class Predicate>
std::string without_passages(std::string_view text, const Predicate& goes) {
  std::string kept;
  for (const std::string_view passage : passages(text)) {
    if (goes(passage)) continue;
    if (!kept.empty()) kept += '\n';
    kept += passage;
    if (kept.back() != '\n') kept += '\n';
  }
  return kept;
}

/// Whether a passage can go without leaving a comment or a string open.
bool is_self_contained(std::string_view passage) {
  return passage.find("/*") == std::string_view::npos && passage.find("*/") == std::string_view::npos &&
         passage.find("\"\"\"") == std::string_view::npos;
}

}  // namespace

std::string strip_overstrike(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != '\b') {
      out += c;
      continue;
    }
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty()) out.pop_back();
  }
  return out;
}

std::vector<std::string_view> passages(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t begin = std::string_view::npos;
  std::size_t at = 0;
  for (const std::string_view line : lines_of(text)) {
    if (is_blank(line)) {
      if (begin != std::string_view::npos) found.push_back(text.substr(begin, at - begin));
      begin = std::string_view::npos;
    } else if (begin == std::string_view::npos) {
      begin = at;
    }
    at = std::min(at + line.size() + 1, text.size());
  }
  if (begin != std::string_view::npos) found.push_back(text.substr(begin));
  return found;
}

std::string clean_manual_page(std::string_view rendered, Language language) {
  return without_passages(body_of(strip_overstrike(rendered)), [language](std::string_view passage) {
    return language != Language::kEnglish && !is_program_text(passage) && is_untranslated(passage, language);
  });
}

void drop_repeated_passages(std::vector<Document>& documents, std::size_t max_documents) {
  std::unordered_map<std::uint64_t, std::size_t> count;
  for (const Document& document : documents) {
    std::unordered_set<std::uint64_t> own;
    for (const std::string_view passage : passages(document.text))
      if (passage.size() >= kLeastPassage && own.insert(passage_key(passage)).second) ++count[passage_key(passage)];
  }
  for (Document& document : documents) {
    document.text = without_passages(document.text, [&](std::string_view passage) {
      return passage.size() >= kLeastPassage && !is_program_text(passage) && is_self_contained(passage) &&
             count[passage_key(passage)] > max_documents;
    });
  }
}

std::string without_licences(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find("/*"), text.size());
    const std::size_t close = text.find("*/", begin);
    const std::size_t end = close == std::string_view::npos ? text.size() : close + 2;
    const std::string_view comment = text.substr(begin, end - begin);
    kept += text.substr(0, begin);
    kept += mentions_licence(comment) ? before_licence(comment) : std::string(comment);
    text.remove_prefix(end);
  }
  return without_passages(
      kept, [](std::string_view passage) { return mentions_licence(passage) && is_self_contained(passage); });
}

std::string cut_after_line(std::string text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  const std::size_t end = text.rfind('\n', max_bytes - 1);
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

}  // namespace moescope::corpus
