#include "core/corpus/running_text.h"

namespace moescope::corpus {
namespace {

constexpr std::size_t kDocumentTokens = 1'000;

}  // namespace

RunningText::RunningText(Split& split, std::vector<std::int32_t> line_end)
    : split_(split), line_end_(std::move(line_end)) {
  split_.begin_D.push_back(0);
}

void RunningText::add(std::int16_t label, const std::string& name, const std::vector<std::int32_t>& sentence) {
  Open& document = open_[{label, name}];
  document.tokens.insert(document.tokens.end(), sentence.begin(), sentence.end());
  document.tokens.insert(document.tokens.end(), line_end_.begin(), line_end_.end());
  if (document.tokens.size() >= kDocumentTokens) close(label, name, document);
}

void RunningText::finish() {
  for (auto& [key, document] : open_)
    if (!document.tokens.empty()) close(key.first, key.second, document);
}

void RunningText::close(std::int16_t label, const std::string& name, Open& document) {
  split_.tokens.insert(split_.tokens.end(), document.tokens.begin(), document.tokens.end());
  split_.begin_D.push_back(static_cast<std::int64_t>(split_.tokens.size()));
  split_.label_D.push_back(label);
  split_.name_D.push_back(name + ' ' + std::to_string(document.number++));
  document.tokens.clear();
}

}  // namespace moescope::corpus
