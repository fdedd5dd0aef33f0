#include "app/export/csv_table.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace moescope::exports {
namespace {

template <class Number>
std::string shortest_exact(Number number) {
  std::array<char, 40> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (const auto wrong = first_invalid_utf8(text)) {
    valid += text.substr(0, *wrong);
    valid += "\uFFFD";
    text.remove_prefix(*wrong + 1);
  }
  return valid += text;
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string valid = valid_utf8(text);
  // A leading or trailing space is kept by the format and lost by some readers.
  const bool spaced = !valid.empty() && (valid.front() == ' ' || valid.back() == ' ');
  if (!spaced && valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
  std::string quoted = "\"";
  for (const char c : valid) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

CsvTable::CsvTable(ExportFile& file, std::initializer_list<std::string_view> columns)
    : file_(file), columns_(columns.size()) {
  for (const std::string_view column : columns) cell(column);
  end_row();
}

CsvTable& CsvTable::cell(std::string_view bytes) {
  if (cells_++ > 0) row_ += ',';
  row_ += bytes;
  return *this;
}

CsvTable& CsvTable::text(std::string_view text) { return cell(csv_cell(text)); }
CsvTable& CsvTable::integer(std::int64_t number) { return cell(shortest_exact(number)); }
CsvTable& CsvTable::number(double number) { return cell(shortest_exact(number)); }
CsvTable& CsvTable::number(float number) { return cell(shortest_exact(number)); }
CsvTable& CsvTable::measured(double number) { return std::isnan(number) ? empty() : this->number(number); }
CsvTable& CsvTable::measured(float number) { return std::isnan(number) ? empty() : this->number(number); }
CsvTable& CsvTable::empty() { return cell({}); }

void CsvTable::end_row() {
  MOESCOPE_ASSERT(cells_ == columns_, "a row has one cell for every column");
  row_ += '\n';
  file_.write(row_);
  row_.clear();
  cells_ = 0;
}

}  // namespace moescope::exports
