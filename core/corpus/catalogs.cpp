#include "core/corpus/catalogs.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/debian_packages.h"
#include "core/corpus/document.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/work_folder.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecipe = "catalogs 1";  // changes when the pairs made from the same packages do
constexpr std::uintmax_t kMaxCatalogBytes = 32 << 20;

const PackageUse& use() {
  static const PackageUse catalogs{"catalogs", "the message catalogs",
                                   "corpus = \"synthetic_pairs\" or aligned files of your own"};
  return catalogs;
}

/// Names in their own language where the window's fonts have its letters.
std::string label_of(const std::string& code) {
  static const std::map<std::string, std::string> labels{
      {"bg", "Български"},     {"ca", "Català"},     {"cs", "Čeština"},    {"da", "Dansk"},
      {"de", "Deutsch"},       {"el", "Ελληνικά"},   {"eo", "Esperanto"},  {"es", "Español"},
      {"et", "Eesti"},         {"eu", "Euskara"},    {"fi", "Suomi"},      {"fr", "Français"},
      {"ga", "Gaeilge"},       {"gl", "Galego"},     {"hr", "Hrvatski"},   {"hu", "Magyar"},
      {"id", "Indonesia"},     {"it", "Italiano"},   {"ja", "Japanese"},   {"ko", "Korean"},
      {"nb", "Norsk bokmål"},  {"nl", "Nederlands"}, {"pl", "Polski"},     {"pt", "Português"},
      {"pt_BR", "Brasileiro"}, {"ro", "Română"},     {"ru", "Русский"},    {"sk", "Slovenčina"},
      {"sl", "Slovenščina"},   {"sr", "Српски"},     {"sv", "Svenska"},    {"tr", "Türkçe"},
      {"uk", "Українська"},    {"vi", "Tiếng Việt"}, {"zh_CN", "Chinese"}, {"zh_TW", "Chinese (Taiwan)"}};
  const auto found = labels.find(code);
  return found == labels.end() ? code : found->second;
}

std::string index_path(const std::string& folder) { return folder + "/catalogs.index"; }
std::string pairs_path(const std::string& folder, const std::string& code) {
  return folder + "/catalogs-" + code + ".pairs";
}

struct CatalogFile {
  fs::path path;
  std::string language, program;
};

/// Catalogs below `root` in order of their paths, links left out; English of other regions is no translation.
std::vector<CatalogFile> catalog_files(const std::string& root) {
  std::vector<CatalogFile> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".mo" || entry.is_symlink(ignored) || !entry.is_regular_file(ignored)) continue;
    if (path.parent_path().filename() != "LC_MESSAGES") continue;
    const std::string language = path.parent_path().parent_path().filename().string();
    const bool english = language.substr(0, language.find_first_of("_@.")) == "en";
    if (!english) files.push_back({path, language, path.stem().string()});
  }
  std::sort(files.begin(), files.end(), [](const CatalogFile& a, const CatalogFile& b) { return a.path < b.path; });
  return files;
}

std::string bytes_of(const fs::path& path) {
  std::error_code problem;
  if (fs::file_size(path, problem) > kMaxCatalogBytes || problem) return {};
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(all).str();
}

/// Pairs of all catalogs by language, and what was left out.
struct Gathered {
  std::map<std::string, std::vector<SentencePair>> pairs_of;
  std::size_t damaged = 0, other_charset = 0;
};

void gather(const CatalogFile& file, Gathered& gathered) {
  const std::string bytes = bytes_of(file.path);
  const auto catalog = read_mo(bytes);
  if (!catalog) {
    ++gathered.damaged;
    return;
  }
  const std::string& charset = catalog->charset;
  if (charset != "UTF-8" && charset != "UTF8" && charset != "US-ASCII" && charset != "ASCII" && !charset.empty()) {
    ++gathered.other_charset;
    return;
  }
  std::vector<SentencePair>& pairs = gathered.pairs_of[file.language];
  for (const MoMessage& message : catalog->messages) {
    auto pair = usable_pair(message);
    if (!pair) continue;
    pair->name = file.program;
    pairs.push_back(std::move(*pair));
  }
}

Result<Gathered> gather_all(const std::string& root, const Progress& progress, const std::stop_token& stop) {
  Gathered gathered;
  const std::vector<CatalogFile> files = catalog_files(root);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (stop.stop_requested()) return stopped();
    if (i % 16 == 0) progress("reading message catalogs", static_cast<double>(i) / static_cast<double>(files.size()));
    gather(files[i], gathered);
  }
  for (auto& [code, pairs] : gathered.pairs_of) remove_duplicates(pairs);
  return gathered;
}

std::vector<std::string> notes_on(const Gathered& gathered) {
  std::vector<std::string> notes;
  const auto add = [&](std::size_t count, const char* one, const char* several) {
    if (count > 0) notes.push_back(with_thousands(static_cast<long long>(count)) + (count == 1 ? one : several));
  };
  add(gathered.damaged, " damaged catalog left out", " damaged catalogs left out");
  add(gathered.other_charset, " catalog left out that is not UTF-8", " catalogs left out that are not UTF-8");
  return notes;
}

/// English first, then the languages with enough pairs, those with most first.
PairSet set_of(Gathered gathered) {
  std::erase_if(gathered.pairs_of,
                [](const auto& item) { return static_cast<std::int64_t>(item.second.size()) < kLeastCatalogPairs; });
  PairSet set;
  set.name = "catalogs";
  set.notes = notes_on(gathered);
  for (const auto& [code, pairs] : gathered.pairs_of)
    set.languages.push_back({code, label_of(code), static_cast<std::int64_t>(pairs.size())});
  std::stable_sort(set.languages.begin(), set.languages.end(),
                   [](const PairLanguage& a, const PairLanguage& b) { return a.num_pairs > b.num_pairs; });
  set.languages.insert(set.languages.begin(), {"en", "English", 0});
  for (std::size_t l = 1; l < set.languages.size(); ++l) {
    for (SentencePair& pair : gathered.pairs_of[set.languages[l].code]) {
      pair.label = static_cast<std::int16_t>(l);
      set.pairs.push_back(std::move(pair));
    }
  }
  return set;
}

std::string versions_of(const std::vector<std::string>& files) {
  std::string versions = kRecipe;
  for (const std::string& file : files) versions += ' ' + fs::path(file).stem().string();
  return versions;
}

std::string packages_folder(const std::string& folder) { return folder + "/catalogs.packages"; }

Result<PairSet> make_catalogs(const std::string& folder, const Progress& progress, const std::stop_token& stop) {
  const auto files = download_packages(
      catalog_packages(), packages_folder(folder), use(),
      [&](double done) { progress("fetching Debian packages", done); }, stop);
  if (!files) return files.error();
  const WorkFolder work(folder + "/catalogs.work");
  const Status unpacked = unpack_packages(
      *files, work.path(), use(), [&](double done) { progress("unpacking Debian packages", done); }, stop);
  if (!unpacked) return unpacked.error();
  auto gathered = gather_all(work.path(), progress, stop);
  if (!gathered) return gathered.error();
  PairSet set = set_of(std::move(*gathered));
  if (set.pairs.empty())
    return error("the packages hold no language with " + with_thousands(kLeastCatalogPairs) + " messages",
                 "use " + use().instead);
  set.source = versions_of(*files);
  return set;
}

/// One file for each language, so that a run reads no more than it uses. The index is written last: what it names is
/// there. Requires: pairs in order of their labels.
Status keep(const std::string& folder, const PairSet& set) {
  std::error_code ignored;
  fs::remove(index_path(folder), ignored);
  auto next = set.pairs.begin();
  for (std::size_t l = 1; l < set.languages.size(); ++l) {
    PairSet one{set.name, set.source, {set.languages[0], set.languages[l]}, {}, {}};
    for (; next != set.pairs.end() && static_cast<std::size_t>(next->label) == l; ++next) {
      one.pairs.push_back(*next);
      one.pairs.back().label = 1;
    }
    if (Status saved = save_pairs(pairs_path(folder, set.languages[l].code), one); !saved) return saved;
  }
  return save_pairs(index_path(folder), {set.name, set.source, set.languages, {}, set.notes});
}

/// Nothing when the cache lacks something; a failure when `wanted` names what there is not.
std::optional<Result<PairSet>> from_cache(const std::string& folder, const std::string& wanted,
                                          std::vector<std::string>& notes) {
  const auto index = load_pairs(index_path(folder), notes);
  if (!index || index->languages.size() < 2) return std::nullopt;
  const auto chosen = choose_languages(wanted, index->languages, "catalogs");
  if (!chosen) return Result<PairSet>(chosen.error());
  PairSet set = with_languages(*index, *chosen);
  for (std::size_t l = 1; l < set.languages.size(); ++l) {
    auto one = load_pairs(pairs_path(folder, set.languages[l].code), notes);
    if (!one || one->source != set.source) return std::nullopt;
    for (SentencePair& pair : one->pairs) {
      pair.label = static_cast<std::int16_t>(l);
      set.pairs.push_back(std::move(pair));
    }
  }
  return Result<PairSet>(std::move(set));
}

}  // namespace

const std::vector<std::string>& catalog_packages() {
  static const std::vector<std::string> names{"apt",
                                              "aptitude-common",
                                              "bash",
                                              "bison",
                                              "binutils-common",
                                              "coreutils",
                                              "cpio",
                                              "diffutils",
                                              "dpkg",
                                              "findutils",
                                              "gawk",
                                              "gcc-12-locales",
                                              "gettext",
                                              "git",
                                              "gnupg-l10n",
                                              "libc-l10n",
                                              "libglib2.0-data",
                                              "libgpg-error-l10n",
                                              "make",
                                              "man-db",
                                              "mutt",
                                              "nano",
                                              "sed",
                                              "sudo",
                                              "tar",
                                              "texinfo",
                                              "util-linux-locales",
                                              "wget",
                                              "xz-utils"};
  return names;
}

bool catalogs_cached(const std::string& corpora_folder) {
  std::error_code ignored;
  return fs::exists(index_path(corpora_folder), ignored);
}

std::optional<SentencePair> usable_pair(const MoMessage& message) {
  // Twice the bytes that are kept: layout goes, but a page of help is not worth looking at.
  if (message.original.size() > 2 * kLongestOriginal || message.translation.size() > 2 * kLongestTranslation)
    return std::nullopt;
  SentencePair pair;
  pair.first = normalised(message.original);
  pair.second = normalised(message.translation);
  if (pair.first.empty() || pair.second.empty() || pair.first == pair.second) return std::nullopt;
  if (pair.first.size() > kLongestOriginal || pair.second.size() > kLongestTranslation) return std::nullopt;
  for (const std::string* text : {&pair.first, &pair.second}) {
    const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20) || c == 0x7F; };
    if (first_invalid_utf8(*text) || std::any_of(text->begin(), text->end(), control)) return std::nullopt;
  }
  return pair;
}

Result<PairSet> load_catalogs(const std::string& corpora_folder, const std::string& languages, const Progress& progress,
                              const std::stop_token& stop) {
  std::vector<std::string> notes;
  auto kept = from_cache(corpora_folder, languages, notes);
  FolderLock lock;
  if (!kept) {
    if (const Status taken = lock.take(corpora_folder, "catalogs.lock", progress, stop); !taken) return taken.error();
    notes.clear();
    kept = from_cache(corpora_folder, languages, notes);  // the program we waited for may have made it
  }
  if (!kept) {
    auto made = make_catalogs(corpora_folder, progress, stop);
    if (!made) return made;
    const Status saved = keep(corpora_folder, *made);
    std::error_code ignored;
    if (saved) fs::remove_all(packages_folder(corpora_folder), ignored);
    if (!saved) made->notes.push_back("the corpus could not be kept: " + saved.error().front().message);
    const auto chosen = choose_languages(languages, made->languages, "catalogs");
    if (!chosen) return chosen.error();
    kept = Result<PairSet>(with_languages(std::move(*made), *chosen));
  }
  if (*kept) (*kept)->notes.insert((*kept)->notes.end(), notes.begin(), notes.end());
  return std::move(*kept);
}

}  // namespace moescope::corpus
