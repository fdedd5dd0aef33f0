#include "core/corpus/aligned_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/corpus/document.h"
#include "core/corpus/text_file.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAligned = "line n of one file translates line n of the other; align them, then try again";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// What tells the files apart: their endings, else their names, else their paths.
std::array<std::string, 2> languages_of(const fs::path& source, const fs::path& target) {
  const auto ending = [](const fs::path& path) {
    const std::string dotted = path.extension().string();
    return dotted.empty() ? dotted : dotted.substr(1);
  };
  if (ending(source) != ending(target) && !ending(source).empty() && !ending(target).empty())
    return {ending(source), ending(target)};
  if (source.filename() != target.filename()) return {source.filename().string(), target.filename().string()};
  return {source.string(), target.string()};
}

/// The first line that only one of the two files has.
Diagnostic unequal(const std::string& source, std::size_t source_lines, const std::string& target,
                   std::size_t target_lines) {
  const bool source_longer = source_lines > target_lines;
  const auto counted = [](std::size_t count) {
    return with_thousands(static_cast<long long>(count)) + (count == 1 ? " line" : " lines");
  };
  const auto line = static_cast<int>(std::min(source_lines, target_lines) + 1);
  return {Severity::kError,
          {printable(source_longer ? source : target), line, 1, {}},
          "this line has no partner: " + printable(source) + " has " + counted(source_lines) + ", " +
              printable(target) + " has " + counted(target_lines),
          kAligned};
}

}  // namespace

Result<PairSet> read_aligned_files(const std::string& source, const std::string& target, const Progress& progress,
                                   const std::stop_token& stop) {
  std::array<std::string, 2> text;
  for (const bool second : {false, true}) {
    const std::string& path = second ? target : source;
    progress("reading " + path, -1);
    auto read = read_text_file(path);
    if (!read) return read.error();
    if (read->empty()) return about_file(path, "is empty", "name a file with a sentence on each line");
    text[second ? 1 : 0] = std::move(*read);
    if (stop.stop_requested()) return stopped();
  }
  std::error_code ignored;
  if (fs::equivalent(source, target, ignored))
    return about_file(target, "is the file of the source too", "name the file of the translations with data.target");
  const std::vector<std::string_view> first = lines_of(text[0]), second = lines_of(text[1]);
  if (first.size() != second.size()) return unequal(source, first.size(), target, second.size());
  const fs::path source_path(source), target_path(target);
  PairSet set;
  set.name = source_path.filename().string() + ", " + target_path.filename().string();
  for (const std::string& language : languages_of(source_path, target_path))
    set.languages.push_back({language, language, 0});
  const std::string name =
      source_path.stem() == target_path.stem() ? source_path.stem().string() : source_path.filename().string();
  std::size_t blank = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    SentencePair pair{1, name, static_cast<std::int64_t>(i) + 1, normalised(first[i]), normalised(second[i])};
    const bool usable = !pair.first.empty() && !pair.second.empty();
    blank += usable ? 0 : 1;
    if (usable) set.pairs.push_back(std::move(pair));
  }
  if (blank > 0)
    set.notes.push_back(with_thousands(static_cast<long long>(blank)) +
                        (blank == 1 ? " line left out that is blank" : " lines left out that are blank") +
                        " on one side or both");
  if (set.pairs.empty())
    return about_file(source, "has no line with a translation: every pair has a blank side", kAligned);
  count_pairs(set);
  return set;
}

}  // namespace moescope::corpus
