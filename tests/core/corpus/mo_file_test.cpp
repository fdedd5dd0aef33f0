#include "core/corpus/mo_file.h"

#include <gmock/gmock.h>

#include "tests/core/corpus/mo_writer.h"

namespace moescope::corpus {
namespace {

using testing::HasSubstr;

const MoTexts& texts() {
  using std::string_literals::operator""s;
  static const MoTexts some{mo_header(),
                            {"cannot open %s", "kann %s nicht öffnen"},
                            {"menu\x04Open", "Öffnen"},
                            {"%d file\0%d files"s, "%d Datei\0%d Dateien"s},
                            {"untranslated", ""}};
  return some;
}

std::string failure_of(const std::string& bytes) {
  const auto file = read_mo(bytes);
  return file ? "no failure" : format(file.error());
}

TEST(MoFile, IsReadInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    const std::string bytes = mo_bytes(texts(), big_endian);
    const auto file = read_mo(bytes);
    ASSERT_TRUE(file.has_value()) << format(file.error());
    EXPECT_EQ(file->charset, "UTF-8");
    ASSERT_EQ(file->messages.size(), 4u);
    EXPECT_EQ(file->messages[0].original, "cannot open %s");
    EXPECT_EQ(file->messages[0].translation, "kann %s nicht öffnen");
    EXPECT_EQ(file->messages[1].original, "Open") << "without its context";
    EXPECT_EQ(file->messages[2].original, "%d file") << "the singular";
    EXPECT_EQ(file->messages[2].translation, "%d Datei") << "the first form";
    EXPECT_EQ(file->messages[3].translation, "");
  }
}

TEST(MoFile, NamesItsCharsetInCapitals) {
  EXPECT_EQ(read_mo(mo_bytes({mo_header("iso-8859-1")}))->charset, "ISO-8859-1");
  EXPECT_EQ(read_mo(mo_bytes({{"", "no charset here\n"}}))->charset, "");
  EXPECT_EQ(read_mo(mo_bytes({}))->charset, "");
}

TEST(MoFile, SaysWhatIsWrong) {
  EXPECT_EQ(failure_of(""), "error: is no message catalog: it ends within its first 28 bytes\n");
  EXPECT_EQ(failure_of(std::string(40, 'x')), "error: is no message catalog: it does not begin as one\n");
  EXPECT_EQ(failure_of(mo_bytes(texts(), false, 0x20000)),
            "error: is no message catalog: its format has the unknown revision 2\n");
  EXPECT_TRUE(read_mo(mo_bytes(texts(), true, 0x10001)).has_value()) << "revision 1.1 only adds tables";
  std::string many = mo_bytes(texts());
  many.replace(8, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(failure_of(many), "error: is no message catalog: its tables of 4,294,967,295 texts lie outside the file\n");
  std::string outside = mo_bytes(texts());
  outside.replace(28 + 8 + 4, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(failure_of(outside), "error: is no message catalog: text 2 lies outside the file\n");
}

TEST(MoFile, CutAnywhereIsRefused) {
  for (const bool big_endian : {false, true}) {
    const std::string whole = mo_bytes(texts(), big_endian);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THAT(failure_of(whole.substr(0, size)), HasSubstr("is no message catalog")) << size;
  }
}

TEST(MoFile, DamagedAnywhereNeverReadsOutsideTheFile) {
  const std::string whole = mo_bytes(texts());
  int read = 0, refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {1, 2, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      const auto file = read_mo(damaged);
      ++(file ? read : refused);
      if (!file) continue;
      for (const MoMessage& message : file->messages) {
        for (const std::string_view text : {message.original, message.translation}) {
          EXPECT_GE(text.data(), damaged.data());
          EXPECT_LE(text.data() + text.size(), damaged.data() + damaged.size());
        }
      }
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace moescope::corpus
