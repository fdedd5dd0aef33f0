#include "core/corpus/manuals.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "core/corpus/cleanup.h"
#include "core/corpus/debian_packages.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/hash.h"
#include "core/corpus/manual_pages.h"
#include "core/corpus/text_file.h"
#include "core/corpus/work_folder.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecipe = "cleanup 1";  // changes when the text made from the same packages does
constexpr std::size_t kShortestSource = 200;
constexpr std::size_t kRepeatedInDocuments = 4;

const std::vector<std::string>& packages() {
  static const std::vector<std::string> names{"manpages",    "manpages-dev",        "manpages-de", "manpages-de-dev",
                                              "manpages-fr", "manpages-fr-dev",     "manpages-es", "manpages-es-dev",
                                              "libc6-dev",   "libpython3.11-stdlib"};
  return names;
}

const PackageUse& use() {
  static const PackageUse manuals{"manuals", "the manual pages", "corpus = \"synthetic\" or a folder of your own text"};
  return manuals;
}

struct ManualDomain {
  const char* label;
  const char* english_name;
  const char* folder;
  Language language;
};

constexpr std::array kManuals{ManualDomain{"English", "English", "usr/share/man", Language::kEnglish},
                              ManualDomain{"Deutsch", "German", "usr/share/man/de", Language::kGerman},
                              ManualDomain{"Français", "French", "usr/share/man/fr", Language::kFrench},
                              ManualDomain{"Español", "Spanish", "usr/share/man/es", Language::kSpanish}};

struct SourceDomain {
  const char* label;
  const char* folder;
  const char* extension;
  const char* left_out;  ///< folders whose files are data rather than programs
};

constexpr std::array kSources{SourceDomain{"C headers", "usr/include", ".h", "/none/"},
                              SourceDomain{"Python", "usr/lib/python3.11", ".py", "/pydoc_data/"}};

std::string text_path(const std::string& corpora_folder) { return corpora_folder + "/manuals.text"; }

Status add_manuals(const std::string& root, DocumentSet& set, const Progress& progress, const std::stop_token& stop) {
  for (const ManualDomain& domain : kManuals) {
    const auto fraction = [&](double done) {
      progress(std::string("rendering manual pages, ") + domain.english_name, done);
    };
    auto pages = render_manual_pages(fs::path(root) / domain.folder, domain.language, kManualsLabelBytes,
                                     kManualsDocumentBytes, fraction, stop);
    if (!pages) return pages.error();
    const auto label = static_cast<std::int16_t>(set.labels.size());
    set.labels.emplace_back(domain.label);
    for (Page& page : *pages) set.documents.push_back({label, std::move(page.name), std::move(page.text)});
  }
  return Done{};
}

/// Source files in an order drawn by their names, up to the size of a label.
void add_sources(const std::string& root, const SourceDomain& domain, DocumentSet& set) {
  const fs::path folder = fs::path(root) / domain.folder;
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, ignored)) {
    const bool wanted = entry.is_regular_file(ignored) && entry.path().extension() == domain.extension;
    if (wanted && entry.path().string().find(domain.left_out) == std::string::npos) files.push_back(entry.path());
  }
  const auto name = [&](const fs::path& file) { return file.lexically_relative(folder).string(); };
  std::sort(files.begin(), files.end(),
            [&](const fs::path& a, const fs::path& b) { return hash64(name(a)) < hash64(name(b)); });
  const auto label = static_cast<std::int16_t>(set.labels.size());
  set.labels.emplace_back(domain.label);
  for (const fs::path& file : files) {
    auto text = read_text_file(file.string());
    if (text) set.documents.push_back({label, name(file), without_licences(*text)});
  }
}

/// What several documents share goes, then what is too short or too much.
void tidy(DocumentSet& set) {
  std::vector<Document> tidied;
  for (std::size_t label = 0; label < set.labels.size(); ++label) {
    std::vector<Document> own;
    for (Document& document : set.documents)
      if (static_cast<std::size_t>(document.label) == label) own.push_back(std::move(document));
    drop_repeated_passages(own, kRepeatedInDocuments);
    for (Document& document : own) {
      document.text = cut_after_line(std::move(document.text), kManualsDocumentBytes);
      if (document.text.size() >= kShortestSource) tidied.push_back(std::move(document));
    }
  }
  set.documents = std::move(tidied);
  const std::size_t duplicates = remove_duplicates(set.documents);
  if (duplicates > 0) set.notes.push_back(duplicates_note(duplicates));
  balance_labels(set);
}

std::string versions_of(const std::vector<std::string>& files) {
  std::string versions = kRecipe;
  for (const std::string& file : files) versions += ' ' + fs::path(file).stem().string();
  return versions;
}

Result<DocumentSet> make_manuals(const std::string& corpora_folder, const Progress& progress,
                                 const std::stop_token& stop) {
  const std::string packages_folder = corpora_folder + "/packages";
  const auto files = download_packages(
      packages(), packages_folder, use(), [&](double done) { progress("fetching Debian packages", done); }, stop);
  if (!files) return files.error();
  const WorkFolder work(corpora_folder + "/manuals.work");
  const Status unpacked = unpack_packages(
      *files, work.path(), use(), [&](double done) { progress("unpacking Debian packages", done); }, stop);
  if (!unpacked) return unpacked.error();
  DocumentSet set;
  set.name = "manuals";
  set.source = versions_of(*files);
  if (const Status added = add_manuals(work.path(), set, progress, stop); !added) return added.error();
  progress("reading C headers and Python sources", -1);
  for (const SourceDomain& domain : kSources) add_sources(work.path(), domain, set);
  progress("removing repeated passages", -1);
  tidy(set);
  if (stop.stop_requested()) return stopped();
  return set;
}

}  // namespace

void balance_labels(DocumentSet& set) {
  std::vector<std::size_t> bytes(set.labels.size());
  for (const Document& document : set.documents)
    bytes[static_cast<std::size_t>(document.label)] += document.text.size();
  std::size_t smallest = kManualsLabelBytes;
  for (const std::size_t of_label : bytes)
    if (of_label > 0) smallest = std::min(smallest, of_label);
  std::fill(bytes.begin(), bytes.end(), std::size_t{0});
  std::erase_if(set.documents, [&](const Document& document) {
    std::size_t& so_far = bytes[static_cast<std::size_t>(document.label)];
    if (so_far >= smallest) return true;
    so_far += document.text.size();
    return false;
  });
}

std::string manuals_marker(const std::string& corpora_folder) { return corpora_folder + "/manuals.ready"; }

bool manuals_cached(const std::string& corpora_folder) {
  std::error_code ignored;
  return fs::exists(text_path(corpora_folder), ignored);
}

Result<DocumentSet> load_manuals(const std::string& corpora_folder, const Progress& progress,
                                 const std::stop_token& stop) {
  std::vector<std::string> notes;
  auto kept = load_documents(text_path(corpora_folder), notes);
  FolderLock lock;
  if (!kept) {
    if (const Status taken = lock.take(corpora_folder, "manuals.lock", progress, stop); !taken) return taken.error();
    notes.clear();
    kept = load_documents(text_path(corpora_folder), notes);  // the program we waited for may have made it
  }
  if (kept) {
    kept->notes.insert(kept->notes.end(), notes.begin(), notes.end());
    return std::move(*kept);
  }
  std::error_code ignored;
  fs::remove(manuals_marker(corpora_folder), ignored);
  auto made = make_manuals(corpora_folder, progress, stop);
  if (!made) return made;
  const Status saved = save_documents(text_path(corpora_folder), *made);
  if (saved) fs::remove_all(corpora_folder + "/packages", ignored);
  if (!saved) made->notes.push_back("the corpus could not be kept: " + saved.error().front().message);
  made->notes.insert(made->notes.end(), notes.begin(), notes.end());
  return made;
}

}  // namespace moescope::corpus
