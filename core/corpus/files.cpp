#include "core/corpus/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/jsonl.h"
#include "core/corpus/text_file.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFewFiles = 12;
constexpr std::size_t kMostFiles = 100'000;
constexpr std::size_t kMostLabels = 1'000;
constexpr std::size_t kLeastPiece = 400, kMostPiece = 4'000;    // of a domain of few files
constexpr std::size_t kLeastPart = 16'000, kMostPart = 32'000;  // of a long file among many

struct Source {
  std::string domain;
  fs::path path;
  std::string name;  ///< relative to the folder
};

/// The last name of a folder, also of "." and "texts/".
std::string folder_name(const fs::path& folder) {
  std::error_code ignored;
  fs::path named = fs::absolute(folder, ignored).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  return named.has_filename() ? named.filename().string() : named.string();
}

bool is_hidden(const fs::path& path) { return path.filename().string().rfind('.', 0) == 0; }

/// Regular files below `folder` in order of their paths, hidden ones left out. Links to folders are not followed, so
/// there is no way round in circles.
Result<std::vector<fs::path>> list_files(const fs::path& folder, const std::stop_token& stop) {
  std::vector<fs::path> files;
  if (::faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) != 0)
    return about_file(folder.string(),
                      errno == EACCES ? "cannot be read: you have no permission"
                                      : std::string("cannot be read: ") + std::strerror(errno),
                      "make the folder readable (chmod u+rx), or copy it");
  std::error_code problem;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, problem);
  if (problem) return about_file(folder.string(), "cannot be read: " + problem.message(), {});
  for (const auto end = fs::recursive_directory_iterator(); entries != end; entries.increment(problem)) {
    if (stop.stop_requested()) return stopped();
    std::error_code ignored;
    const fs::directory_entry& entry = *entries;
    if (is_hidden(entry.path())) {
      if (entry.is_directory(ignored)) entries.disable_recursion_pending();
      continue;
    }
    if (entry.is_regular_file(ignored)) files.push_back(entry.path());
    if (files.size() > kMostFiles)
      return about_file(folder.string(), "holds more than " + with_thousands(kMostFiles) + " files",
                        "name a smaller folder");
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Names the domain of each file.
std::vector<Source> with_domains(const fs::path& folder, const std::vector<fs::path>& files) {
  const auto first_part = [&](const fs::path& relative) { return (*relative.begin()).string(); };
  std::vector<Source> sources;
  bool has_sub_folders = false;
  for (const fs::path& file : files) {
    const fs::path relative = file.lexically_relative(folder);
    has_sub_folders |= relative.has_parent_path();
    sources.push_back({relative.has_parent_path() ? first_part(relative) : "", file, relative.string()});
  }
  const std::string own = folder_name(folder);
  for (Source& source : sources)
    if (source.domain.empty()) source.domain = has_sub_folders || files.size() > kFewFiles ? own : source.name;
  return sources;
}

/// The documents of one file.
Result<std::vector<Document>> read_source(const Source& source, std::int16_t label, bool among_few) {
  const auto text = read_text_file(source.path.string());
  if (!text) return text.error();
  if (text->find_first_not_of(" \t\r\n\f\v") == std::string::npos)
    return about_file(source.path.string(), text->empty() ? "is empty" : "holds nothing but white space",
                      "name a file with text");
  std::vector<Document> documents;
  if (source.path.extension() == ".jsonl") {
    auto lines = read_jsonl(*text, source.path.string());
    if (!lines) return lines.error();
    for (JsonlDocument& line : *lines)
      documents.push_back({label, source.name + ':' + std::to_string(line.line), std::move(line.text)});
    return documents;
  }
  auto pieces =
      among_few ? cut_into_pieces(*text, kLeastPiece, kMostPiece) : cut_into_pieces(*text, kLeastPart, kMostPart);
  for (Piece& piece : pieces) {
    const std::string name = pieces.size() == 1 ? source.name : source.name + ':' + std::to_string(piece.line);
    documents.push_back({label, name, std::move(piece.text)});
  }
  return documents;
}

/// "a.png (is not text: …), b.txt (…) and 3 more"
class LeftOut {
 public:
  void add(const std::string& name, const Diagnostics& why) {
    if (count_++ >= kNamed) return;
    if (!names_.empty()) names_ += ", ";
    names_ += printable(name) + " (" + why.front().message + ')';
  }
  std::size_t count() const { return count_; }
  std::string text() const {
    if (count_ <= kNamed) return names_;
    return names_ + " and " + with_thousands(static_cast<long long>(count_ - kNamed)) + " more";
  }

 private:
  static constexpr std::size_t kNamed = 3;
  std::size_t count_ = 0;
  std::string names_;
};

std::vector<std::string> labels_of(const std::vector<Source>& sources) {
  std::set<std::string> names;
  for (const Source& source : sources) names.insert(source.domain);
  return {names.begin(), names.end()};
}

Diagnostic without_text(const std::string& path, const LeftOut& left_out) {
  const char* hint = "put UTF-8 text files or .jsonl files into it";
  if (left_out.count() == 0) return about_file(path, "this folder holds no files", hint);
  return about_file(path, "this folder holds no text: " + left_out.text(), hint);
}

/// Reads `sources` one by one. `strict`: the first unusable file is the failure.
Result<DocumentSet> read_sources(const std::string& path, const std::vector<Source>& sources, bool strict,
                                 const Progress& progress, const std::stop_token& stop) {
  DocumentSet set;
  set.labels = labels_of(sources);
  std::map<std::string, std::size_t> files_of;
  for (const Source& source : sources) ++files_of[source.domain];
  LeftOut left_out;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (stop.stop_requested()) return stopped();
    if (i % 64 == 0) progress("reading " + path, static_cast<double>(i) / static_cast<double>(sources.size()));
    const Source& source = sources[i];
    const auto label = std::lower_bound(set.labels.begin(), set.labels.end(), source.domain) - set.labels.begin();
    auto documents = read_source(source, static_cast<std::int16_t>(label), files_of[source.domain] <= kFewFiles);
    if (!documents && strict) return documents.error();
    if (!documents) {
      left_out.add(source.name, documents.error());
      continue;
    }
    for (Document& document : *documents) {
      bytes += document.text.size();
      set.documents.push_back(std::move(document));
    }
    if (bytes > kMaxCorpusBytes)
      return about_file(path, "holds more than " + with_thousands(kMaxCorpusBytes) + " bytes of text",
                        "name a smaller folder");
  }
  if (set.documents.empty() && !strict) return without_text(path, left_out);
  if (left_out.count() > 0) set.notes.push_back("left out: " + left_out.text());
  drop_unused_labels(set);
  return set;
}

/// The byte after the longest beginning of `text` of at most `most` bytes that does not cut a character.
std::size_t character_end(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text.size();
  while (most > 1 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return most;
}

}  // namespace

std::vector<Piece> cut_into_pieces(std::string_view text, std::size_t least, std::size_t most) {
  std::vector<Piece> pieces;
  Piece piece;
  int line_number = 1;
  bool blank_before = false;
  const auto finish = [&] {
    if (!piece.text.empty()) pieces.push_back(std::move(piece));
    piece = {line_number, {}};
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, character_end(text.substr(0, end), most));
    const bool blank = line.find_first_not_of(" \t\n") == std::string_view::npos;
    if ((blank_before && !blank && piece.text.size() >= least) || piece.text.size() + line.size() > most) finish();
    piece.text += line;
    text.remove_prefix(line.size());
    blank_before = blank;
    line_number += line.back() == '\n' ? 1 : 0;
  }
  finish();
  return pieces;
}

Result<DocumentSet> read_text_corpus(const std::string& path, const Progress& progress, const std::stop_token& stop) {
  std::error_code problem;
  const fs::path where(path);
  if (!fs::is_directory(where, problem)) {
    const std::string name = where.filename().string();
    auto set = read_sources(path, {{name, where, name}}, true, progress, stop);
    if (set) set->name = name;
    return set;
  }
  const auto files = list_files(where, stop);
  if (!files) return files.error();
  const std::vector<Source> sources = with_domains(where, *files);
  if (labels_of(sources).size() > kMostLabels)
    return about_file(path, "has more than " + with_thousands(kMostLabels) + " sub-folders, and each is a label",
                      "gather them in fewer sub-folders");
  auto set = read_sources(path, sources, false, progress, stop);
  if (set) set->name = folder_name(where);
  return set;
}

}  // namespace moescope::corpus
