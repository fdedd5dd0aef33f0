#include "app/export/event_file.h"

#include <array>
#include <bit>

namespace moescope::exports {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = rest & 1 ? rest >> 1 ^ 0x82F63B78U : rest >> 1;
    table[i] = rest;
  }
  return table;
}

/// A checksum of bytes that hold checksums is weak, so the format stores this instead.
std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

template <class Unsigned>
void add_little_endian(std::string& bytes, Unsigned number) {
  for (std::size_t i = 0; i < sizeof number; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
}

// Protobuf wire format: a field is its number and wire type, then a varint (0), 8 bytes (1), a length and bytes (2) or
// 4 bytes (5).
class Message {
 public:
  Message& varint(unsigned field, std::uint64_t number) {
    add_varint(field << 3);
    add_varint(number);
    return *this;
  }
  Message& number(unsigned field, double number) {
    add_varint(field << 3 | 1);
    add_little_endian(bytes_, std::bit_cast<std::uint64_t>(number));
    return *this;
  }
  Message& number(unsigned field, float number) {
    add_varint(field << 3 | 5);
    add_little_endian(bytes_, std::bit_cast<std::uint32_t>(number));
    return *this;
  }
  Message& bytes(unsigned field, std::string_view bytes) {
    add_varint(field << 3 | 2);
    add_varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  Message& numbers(unsigned field, const std::vector<double>& numbers) {
    std::string packed;
    for (const double one : numbers) add_little_endian(packed, std::bit_cast<std::uint64_t>(one));
    return bytes(field, packed);
  }
  const std::string& text() const { return bytes_; }

 private:
  void add_varint(std::uint64_t number) {
    for (; number > 0x7F; number >>= 7) bytes_ += static_cast<char>((number & 0x7F) | 0x80);
    bytes_ += static_cast<char>(number);
  }
  std::string bytes_;
};

// Field numbers of the messages.
namespace event {
constexpr unsigned kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
}
namespace summary {
constexpr unsigned kValue = 1, kTag = 1, kSimpleValue = 2, kHistogram = 5;
}
namespace histogram {
constexpr unsigned kMin = 1, kMax = 2, kNum = 3, kSum = 4, kSumSquares = 5, kBucketLimit = 6, kBucket = 7;
}

std::string histogram_message(const std::vector<double>& count_E) {
  double num = 0, sum = 0, sum_squares = 0;
  std::vector<double> limits;
  for (std::size_t e = 0; e < count_E.size(); ++e) {
    const auto place = static_cast<double>(e);
    limits.push_back(place + 0.5);
    num += count_E[e];
    sum += count_E[e] * place;
    sum_squares += count_E[e] * place * place;
  }
  Message message;
  message.number(histogram::kMin, -0.5)
      .number(histogram::kMax, static_cast<double>(count_E.size()) - 0.5)
      .number(histogram::kNum, num)
      .number(histogram::kSum, sum)
      .number(histogram::kSumSquares, sum_squares)
      .numbers(histogram::kBucketLimit, limits)
      .numbers(histogram::kBucket, count_E);
  return message.text();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

std::string event_record(std::string_view message) {
  std::string record;
  add_little_endian(record, static_cast<std::uint64_t>(message.size()));
  add_little_endian(record, masked(crc32c(record)));
  record += message;
  add_little_endian(record, masked(crc32c(message)));
  return record;
}

std::string version_event(double wall_time) {
  return Message().number(event::kWallTime, wall_time).bytes(event::kFileVersion, "brain.Event:2").text();
}

std::string summary_event(double wall_time, std::int64_t step, const std::vector<EventScalar>& scalars,
                          const std::vector<EventHistogram>& histograms) {
  Message values;
  for (const EventScalar& one : scalars)
    values.bytes(summary::kValue,
                 Message().bytes(summary::kTag, one.tag).number(summary::kSimpleValue, one.value).text());
  for (const EventHistogram& one : histograms)
    values.bytes(
        summary::kValue,
        Message().bytes(summary::kTag, one.tag).bytes(summary::kHistogram, histogram_message(one.count_E)).text());
  return Message()
      .number(event::kWallTime, wall_time)
      .varint(event::kStep, static_cast<std::uint64_t>(step))
      .bytes(event::kSummary, values.text())
      .text();
}

}  // namespace moescope::exports
