#include "core/corpus/jsonl.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/text.h"

namespace moescope::corpus {
namespace {

constexpr std::size_t kMostErrors = 10;
constexpr const char* kHint = "each line is one object with its document in the field \"text\"";

/// Keeps the outermost "text" and nothing else, so that neither depth nor size of the rest costs memory.
class TextHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("true or false"); }
  bool number_integer(number_integer_t) override { return other("a number"); }
  bool number_unsigned(number_unsigned_t) override { return other("a number"); }
  bool number_float(number_float_t, const string_t&) override { return other("a number"); }
  bool binary(binary_t&) override { return other("binary"); }
  bool string(string_t& value) override {
    if (depth_ == 1 && is_text_) {
      text = std::move(value);
      return true;
    }
    return other("a string");
  }
  bool start_object(std::size_t) override { return depth_ == 0 ? ++depth_ > 0 : nested("an object"); }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return nested("a list"); }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) is_text_ = name == "text";
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    column = position;
    problem = "is not JSON";
    return false;
  }

  std::optional<std::string> text;
  std::string problem;
  std::size_t column = 0;

 private:
  bool nested(const char* kind) {
    const bool good = other(kind);
    ++depth_;
    return good;
  }
  bool other(const char* kind) {
    if (depth_ == 0) problem = std::string("is ") + kind + ", not an object";
    if (depth_ == 1 && is_text_) problem = std::string("has ") + kind + " in its field \"text\", not a string";
    return problem.empty();
  }

  int depth_ = 0;
  bool is_text_ = false;
};

}  // namespace

Result<std::vector<JsonlDocument>> read_jsonl(std::string_view content, const std::string& path) {
  std::vector<JsonlDocument> documents;
  Diagnostics problems;
  int number = 0;
  while (!content.empty() && problems.size() < kMostErrors) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    TextHandler handler;
    nlohmann::json::sax_parse(line, &handler);
    if (handler.problem.empty() && !handler.text) handler.problem = "has no field \"text\"";
    if (handler.problem.empty()) {
      documents.push_back({number, std::move(*handler.text)});
    } else {
      const int column = static_cast<int>(std::max<std::size_t>(handler.column, 1));
      problems.push_back(
          {Severity::kError, {printable(path), number, column, {}}, "this line " + handler.problem, kHint});
    }
  }
  if (!problems.empty()) return problems;
  return documents;
}

}  // namespace moescope::corpus
