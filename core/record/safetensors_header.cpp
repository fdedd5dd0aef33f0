#include "core/record/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/text.h"

namespace moescope::record {
namespace {

constexpr std::size_t kMaxDimensions = 8;
constexpr std::size_t kMaxBlocks = 100'000;
constexpr std::size_t kMaxNameBytes = 256;

/// Accepts exactly the shape a header has: {name: {dtype, shape, data_offsets}, "__metadata__": {text: text}}.
/// The depth is bounded by that shape, so nesting costs nothing.
class HeaderSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool start_object(std::size_t) override {
    if (where_ == Where::kOutside) return go(Where::kTop);
    if (where_ != Where::kEntryValue) return fail("an object stands where none belongs");
    if (is_metadata_) return go(Where::kMetadata);
    entry_ = {name_, {}, {}, 0, 0};
    fields_.clear();
    return go(Where::kEntry);
  }

  bool end_object() override {
    switch (where_) {
      case Where::kTop: return go(Where::kDone);
      case Where::kMetadata: return go(Where::kTop);
      case Where::kEntry:
        if (fields_.size() != 3) return fail("'" + shown() + "' lacks dtype, shape or data_offsets");
        if (header.entries.size() == kMaxBlocks) return fail("it has more than 100,000 blocks");
        header.entries.push_back(std::move(entry_));
        return go(Where::kTop);
      default: return fail("an object ends where none began");
    }
  }

  bool key(string_t& text) override {
    switch (where_) {
      case Where::kTop:
        name_ = text;
        if (text.size() > kMaxNameBytes) return fail("the name '" + shown() + "…' is longer than 256 bytes");
        if (!names_.insert(text).second) return fail("'" + shown() + "' is there twice");
        is_metadata_ = text == "__metadata__";
        return go(Where::kEntryValue);
      case Where::kMetadata:
        name_ = text;
        if (header.metadata.contains(text)) return fail("the metadata have '" + shown() + "' twice");
        return go(Where::kMetadataValue);
      case Where::kEntry:
        if (!fields_.insert(text).second)
          return fail("'" + shown() + "' has " + printable(text.substr(0, 100)) + " twice");
        if (text == "dtype") return go(Where::kDtype);
        if (text == "shape") return go(Where::kShape);
        if (text == "data_offsets") return go(Where::kOffsets);
        return fail("'" + shown() + "' has an unknown part " + printable(text.substr(0, 100)));
      default: return fail("a key stands where none belongs");
    }
  }

  bool string(string_t& text) override {
    if (where_ == Where::kDtype) {
      entry_.dtype = text;
      return go(Where::kEntry);
    }
    if (where_ != Where::kMetadataValue) return fail("a text stands where none belongs");
    header.metadata[name_] = text;
    return go(Where::kMetadata);
  }

  bool start_array(std::size_t) override {
    if (where_ == Where::kShape) return go(Where::kDimension);
    if (where_ == Where::kOffsets) return go(Where::kOffset);
    return fail("an array stands where none belongs");
  }

  bool end_array() override {
    if (where_ == Where::kOffset && offsets_.size() != 2) return fail("'" + shown() + "' needs two data_offsets");
    if (where_ == Where::kOffset) {
      entry_.begin = offsets_[0];
      entry_.end = offsets_[1];
      offsets_.clear();
    }
    return go(Where::kEntry);
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (where_ == Where::kOffset) {
      if (offsets_.size() == 2) return fail("'" + shown() + "' has more than two data_offsets");
      offsets_.push_back(number);
      return true;
    }
    if (where_ != Where::kDimension) return fail("a number stands where none belongs");
    if (entry_.shape.size() >= kMaxDimensions) return fail("'" + shown() + "' has too many dimensions");
    if (number > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      return fail("'" + shown() + "' has a dimension that is too large");
    entry_.shape.push_back(static_cast<std::int64_t>(number));
    return true;
  }

  bool number_integer(number_integer_t) override { return fail("a negative number stands where none belongs"); }
  bool number_float(number_float_t, const string_t&) override { return fail("a fraction stands where none belongs"); }
  bool null() override { return fail("null stands where it does not belong"); }
  bool boolean(bool) override { return fail("true or false stands where it does not belong"); }
  bool binary(binary_t&) override { return fail("binary data stands where it does not belong"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("its JSON is broken at byte " + std::to_string(position));
  }

 private:
  enum class Where {
    kOutside,
    kTop,
    kEntryValue,
    kEntry,
    kDtype,
    kShape,
    kDimension,
    kOffsets,
    kOffset,
    kMetadata,
    kMetadataValue,
    kDone
  };

  bool go(Where where) {
    where_ = where;
    return true;
  }
  bool fail(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return false;
  }
  std::string shown() const { return printable(name_.substr(0, 100)); }

  Where where_ = Where::kOutside;
  std::string name_;
  bool is_metadata_ = false;
  HeaderEntry entry_;
  std::set<std::string> fields_;
  std::set<std::string> names_;
  std::vector<std::uint64_t> offsets_;
};

std::string check_entry(const HeaderEntry& entry) {
  const std::string subject = "'" + printable(entry.name.substr(0, 100)) + "' ";
  if (dtype_bytes(entry.dtype) == 0) return subject + "has the unknown type " + printable(entry.dtype.substr(0, 20));
  std::uint64_t bytes = 0;
  if (!block_bytes(entry.dtype, entry.shape, bytes)) return subject + "is larger than any file";
  if (entry.end < entry.begin) return subject + "ends before it begins";
  if (entry.end - entry.begin != bytes)
    return subject + "needs " + with_thousands(static_cast<long long>(bytes)) + " bytes, but its offsets give it " +
           std::to_string(entry.end - entry.begin);
  return {};
}

/// The blocks must follow one another from 0 to the end: no overlap, no hole, nothing beyond.
std::string check_cover(const std::vector<HeaderEntry>& entries, std::uint64_t data_bytes) {
  std::uint64_t reached = 0;
  for (const HeaderEntry& entry : entries) {
    const std::string subject = "'" + printable(entry.name.substr(0, 100)) + "'";
    if (entry.begin < reached) return subject + " overlaps the block before it";
    if (entry.begin > reached) return "there is a hole before " + subject;
    if (entry.end > data_bytes) return subject + " reaches beyond the end of the file";
    reached = entry.end;
  }
  if (reached != data_bytes) return "there are bytes after the last block";
  return {};
}

}  // namespace

std::size_t dtype_bytes(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 15> kTypes{{{"BOOL", 1},
                                                                             {"U8", 1},
                                                                             {"I8", 1},
                                                                             {"F8_E4M3", 1},
                                                                             {"F8_E5M2", 1},
                                                                             {"I16", 2},
                                                                             {"U16", 2},
                                                                             {"F16", 2},
                                                                             {"BF16", 2},
                                                                             {"I32", 4},
                                                                             {"U32", 4},
                                                                             {"F32", 4},
                                                                             {"I64", 8},
                                                                             {"U64", 8},
                                                                             {"F64", 8}}};
  for (const auto& [name, bytes] : kTypes)
    if (name == dtype) return bytes;
  return 0;
}

bool block_bytes(std::string_view dtype, const std::vector<std::int64_t>& shape, std::uint64_t& bytes) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  bytes = dtype_bytes(dtype);
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return false;
    if (dimension == 0) {
      empty = true;
    } else if (bytes > kMax / static_cast<std::uint64_t>(dimension)) {
      return false;
    } else {
      bytes *= static_cast<std::uint64_t>(dimension);
    }
  }
  if (empty) bytes = 0;
  return true;
}

Result<SafetensorsHeader> parse_header(std::string_view json, std::uint64_t data_bytes) {
  HeaderSax sax;
  if (!json.starts_with('{')) return error("its header is no JSON object");
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &sax))
    return error(sax.problem.empty() ? "its header is no JSON" : sax.problem);
  std::vector<HeaderEntry>& entries = sax.header.entries;
  for (const HeaderEntry& entry : entries)
    if (const std::string problem = check_entry(entry); !problem.empty()) return error(problem);
  std::stable_sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  if (const std::string problem = check_cover(entries, data_bytes); !problem.empty()) return error(problem);
  return std::move(sax.header);
}

}  // namespace moescope::record
