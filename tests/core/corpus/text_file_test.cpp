#include "core/corpus/text_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/corpus/hash.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

class TextFileTest : public FolderTest {
 protected:
  std::string failure(const std::string& file) const {
    const auto text = read_text_file(file);
    return text ? "no failure" : message(text.error());
  }
};

TEST_F(TextFileTest, IsReadWithPlainLineEndsAndNoByteOrderMark) {
  EXPECT_EQ(*read_text_file(write("a", "\xEF\xBB\xBFone\r\ntwo\rthree\n")), "one\ntwo\rthree\n");
  EXPECT_EQ(*read_text_file(write("b", "")), "");
}

TEST_F(TextFileTest, ThatIsMissing) {
  EXPECT_EQ(failure(path("none")), "DIR/none: error: there is no such file\nhint: check the path\n");
}

TEST_F(TextFileTest, ThatIsNotUtf8NamesTheByte) {
  EXPECT_EQ(failure(write("latin", "first line\nna\xEFve\n")),
            "DIR/latin:2:3: error: is not UTF-8: byte 0xEF at offset 13\n"
            "hint: convert it, for example from Latin-1: iconv -f ISO-8859-1 -t UTF-8\n");
  EXPECT_EQ(failure(write("utf16", std::string("\xFF\xFEh\0i\0", 6))),
            "DIR/utf16: error: is UTF-16, not UTF-8\n"
            "hint: convert it (iconv -f UTF-16 -t UTF-8), then try again\n");
}

TEST_F(TextFileTest, ThatIsBinaryNamesTheByte) {
  EXPECT_EQ(failure(write("binary", std::string("ab\n\0c", 5))),
            "DIR/binary:2:1: error: is not text: byte 0x00 at offset 3 stands in no text file\n"
            "hint: name a UTF-8 text file, a .jsonl file, or a folder of them\n");
}

TEST_F(TextFileTest, OfFourSparseGigabytesIsRefusedAtOnceWithoutMemory) {
  write("sparse", "");
  ASSERT_EQ(::truncate(path("sparse").c_str(), off_t{4} << 30), 0);
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(failure(path("sparse")),
            "DIR/sparse: error: has 4,294,967,296 bytes; a corpus may have at most 67,108,864 bytes\n"
            "hint: take a part of it, for example: head -c 33554432\n");
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 10'000) << "kilobytes";
}

TEST_F(TextFileTest, ThatGrowsWhileItIsReadIsRefused) {
  write("growing", std::string(16 << 20, 'x'));
  std::atomic<bool> done{false};
  const std::jthread writer([&] {
    std::ofstream file(path("growing"), std::ios::app);
    for (int i = 0; i < 2'000'000 && !done; ++i) file << "more and more\n" << std::flush;
  });
  std::string text = "no failure";
  for (int attempt = 0; attempt < 200 && text == "no failure"; ++attempt) text = failure(path("growing"));
  done = true;
  // How far it had come differs each time.
  EXPECT_EQ(text.rfind("DIR/growing: error: changed while it was read: it had ", 0), 0u) << text;
  EXPECT_NE(text.find(" bytes\nhint: wait until it is written, then try again\n"), std::string::npos) << text;
}

TEST_F(TextFileTest, ThatIsAPipeOrADeviceIsRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const std::string end =
      ": error: is neither a file nor a folder\n"
      "hint: name a UTF-8 text file, a .jsonl file, or a folder of them\n";
  EXPECT_EQ(failure(path("pipe")), "DIR/pipe" + end);
  EXPECT_EQ(failure("/dev/zero"), "/dev/zero" + end);
}

TEST_F(TextFileTest, ThatIsALoopOfLinksIsRefused) {
  std::filesystem::create_symlink("loop", path("loop"));
  EXPECT_EQ(failure(path("loop")),
            "DIR/loop: error: is a link that leads back to itself\nhint: name the file itself\n");
}

TEST_F(TextFileTest, ThatMayNotBeReadIsRefused) {
  ASSERT_EQ(::chmod(write("secret", "text").c_str(), 0), 0);
  const std::string text = as_ordinary_user([&] { return failure(path("secret")); });
  EXPECT_EQ(text,
            "DIR/secret: error: cannot be read: you have no permission\n"
            "hint: make it readable (chmod u+r), or copy it\n");
}

}  // namespace
}  // namespace moescope::corpus
