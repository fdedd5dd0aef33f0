#include "core/corpus/manual_pages.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/hash.h"
#include "core/corpus/process.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatch = 64;
constexpr std::size_t kShortestPage = 200;
constexpr int kRenderThreads = 2;

std::vector<fs::path> page_files(const fs::path& man_folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& section : fs::directory_iterator(man_folder, ignored)) {
    if (section.path().filename().string().rfind("man", 0) != 0) continue;
    for (const fs::directory_entry& page : fs::directory_iterator(section.path(), ignored))
      if (page.is_regular_file(ignored) && !page.is_symlink(ignored)) files.push_back(page.path());
  }
  const auto key = [](const fs::path& file) { return std::pair(hash64(page_name(file)), file.string()); };
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) { return key(a) < key(b); });
  return files;
}

/// An empty text when mandoc makes nothing of the file; a failure when it cannot be run at all.
Result<std::string> render(const fs::path& file, const std::stop_token& stop) {
  // One process per page: given several compressed files, mandoc 1.14.6 reads all but the first as they are.
  ProcessRequest request;
  request.arguments = {"mandoc", "-T", "utf8", "-O", "width=1000", file.string()};
  auto result = run_process(request, stop);
  if (!result) return result.error();
  return std::move(result->output);
}

/// Renders `files` with a few processes at a time.
Result<std::vector<std::string>> render_batch(const std::vector<fs::path>& files, const std::stop_token& stop) {
  std::vector<std::optional<Result<std::string>>> rendered(files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) rendered[i] = render(files[i], stop);
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kRenderThreads; ++i) threads.emplace_back(work);
  }
  std::vector<std::string> texts;
  for (auto& result : rendered) {
    if (!result->has_value()) return result->error();
    texts.push_back(std::move(result->value()));
  }
  return texts;
}

}  // namespace

std::string page_name(const fs::path& file) {
  fs::path name = file.filename();
  if (name.extension() == ".gz") name = name.stem();
  const std::string section = name.extension().string();
  return name.stem().string() + '(' + (section.empty() ? "" : section.substr(1)) + ')';
}

std::string manual_section(const std::string& name) {
  const std::size_t open = name.rfind('(');
  if (open == std::string::npos || name.back() != ')') return {};
  const char section = name[open + 1];
  return section >= '0' && section <= '9' ? std::string(1, section) : std::string();
}

Result<std::vector<Page>> render_manual_pages(const fs::path& man_folder, Language language, std::size_t max_bytes,
                                              std::size_t max_page_bytes, const std::function<void(double)>& fraction,
                                              const std::stop_token& stop) {
  if (!program_exists("mandoc"))
    return error("the program 'mandoc', which renders manual pages, is not installed",
                 "install it (as root: apt-get install mandoc), then try again");
  const std::vector<fs::path> files = page_files(man_folder);
  std::vector<Page> pages;
  std::size_t bytes = 0;
  for (std::size_t first = 0; first < files.size() && bytes < max_bytes; first += kBatch) {
    fraction(static_cast<double>(bytes) / static_cast<double>(max_bytes));
    const std::size_t end = std::min(first + kBatch, files.size());
    const std::vector<fs::path> batch(files.begin() + static_cast<std::ptrdiff_t>(first),
                                      files.begin() + static_cast<std::ptrdiff_t>(end));
    const auto rendered = render_batch(batch, stop);
    if (!rendered) return rendered.error();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string text = cut_after_line(clean_manual_page((*rendered)[i], language), max_page_bytes);
      if (text.size() < kShortestPage || first_invalid_utf8(text)) continue;
      bytes += text.size();
      pages.push_back({page_name(batch[i]), std::move(text)});
    }
  }
  return pages;
}

}  // namespace moescope::corpus
