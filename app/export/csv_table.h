#pragma once
// A comma-separated table (RFC 4180, but lines end in LF): UTF-8, a head line, '.' as decimal point, numbers in their
// shortest form that reads back exactly, an empty cell for what was not measured.
// Threads: one owner.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "app/export/export_files.h"

namespace moescope::exports {

/// Quoted where the format asks for it; bytes that are not UTF-8 become U+FFFD.
std::string csv_cell(std::string_view text);

class CsvTable {
 public:
  CsvTable(ExportFile& file, std::initializer_list<std::string_view> columns);

  CsvTable& text(std::string_view text);
  CsvTable& integer(std::int64_t number);
  CsvTable& number(double number);  ///< "nan" and "inf" are values that were computed
  CsvTable& number(float number);
  CsvTable& measured(double number);  ///< NaN: not measured, an empty cell
  CsvTable& measured(float number);
  CsvTable& empty();
  /// Asserts that the row has a cell for every column.
  void end_row();

 private:
  CsvTable& cell(std::string_view bytes);
  ExportFile& file_;
  std::size_t columns_;
  std::size_t cells_ = 0;
  std::string row_;
};

}  // namespace moescope::exports
