#include "app/export/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moescope::exports {
namespace {

// RFC 3720, appendix B.4, and the check value of the polynomial.
TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
}

TEST(EventFile, AMessageIsItsFieldsInOrder) {
  // wall_time 1.0 (field 1, 8 bytes), file_version (field 3, length 13).
  EXPECT_EQ(version_event(1.0), std::string("\x09\0\0\0\0\0\0\xF0\x3F\x1A\x0D", 11) + "brain.Event:2");
  // step 300 as a varint of two bytes; summary { value { tag "a", simple_value 1 } }.
  EXPECT_EQ(summary_event(1.0, 300, {{"a", 1.0F}}, {}),
            std::string("\x09\0\0\0\0\0\0\xF0\x3F\x10\xAC\x02\x2A\x0A\x0A\x08\x0A\x01"
                        "a\x15\0\0\x80\x3F",
                        24));
}

TEST(EventFile, ARecordCarriesItsLengthAndTwoChecksums) {
  const std::string record = event_record("abc");
  ASSERT_EQ(record.size(), 8U + 4 + 3 + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\x03\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
}

}  // namespace
}  // namespace moescope::exports
