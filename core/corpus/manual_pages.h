#pragma once
// Manual pages of one language, from files of an unpacked package to clean text.
// Threads: render_manual_pages() starts two threads and joins them before it returns.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/corpus/cleanup.h"

namespace moescope::corpus {

struct Page {
  std::string name;  ///< "ls(1)"
  std::string text;
};

/// "ls(1)" of ".../man1/ls.1.gz".
std::string page_name(const std::filesystem::path& file);

/// The section of a page's name: "3" of "printf(3)" and of "printf(3posix)". Empty for other names.
std::string manual_section(const std::string& name);

/// Pages under `man_folder`/man*, links left out, in an order drawn by their names, so that all languages begin with
/// the same pages; as many as give about `max_bytes` of text, each cut at `max_page_bytes`.
Result<std::vector<Page>> render_manual_pages(const std::filesystem::path& man_folder, Language language,
                                              std::size_t max_bytes, std::size_t max_page_bytes,
                                              const std::function<void(double)>& fraction, const std::stop_token& stop);

}  // namespace moescope::corpus
