// The whole way of `manuals` with tiny packages built here and an apt-get that copies them: no network.

#include "core/corpus/manuals.h"

#include <gmock/gmock.h>

#include <map>

#include "core/corpus/manual_pages.h"
#include "tests/core/corpus/packages_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ManualsTest : public PackagesTest {
 protected:
  /// Ten packages with two dozen pages a language and a dozen sources each.
  void fake_packages() const {
    for (const char* language : {"", "/de", "/fr", "/es"}) {
      const std::string package = language[0] == 0 ? "manpages" : std::string("manpages-") + (language + 1);
      for (int i = 0; i < 24; ++i)
        write("tree/" + package + "/usr/share/man" + language + "/man1/p" + std::to_string(i) + ".1",
              page(language, 100 * i));
    }
    for (const char* package : {"manpages-dev", "manpages-de-dev", "manpages-fr-dev", "manpages-es-dev"})
      write(std::string("tree/") + package + "/usr/share/doc/" + package + "/readme", "nothing");
    for (int i = 0; i < 12; ++i) {
      write("tree/libc6-dev/usr/include/h" + std::to_string(i) + ".h", passages_of_text(20'000 + 20 * i, 12));
      write("tree/libpython3.11-stdlib/usr/lib/python3.11/m" + std::to_string(i) + ".py",
            passages_of_text(30'000 + 20 * i, 12));
    }
    build_packages();
  }

  static std::string page(const std::string& language, int first) {
    std::string text = ".TH P 1 2024-01-01 V M\n.SH NAME\np \\- page " + language + "\n.SH DESCRIPTION\n";
    for (int i = first; i < first + 30; ++i)
      text +=
          ".PP\nPassage " + language + ' ' + std::to_string(i) + " of the page number " + std::to_string(first) + ".\n";
    return text;
  }

  CorpusRequest manuals() const {
    CorpusRequest wanted = request("manuals");
    wanted.data.tokenizer = "bpe";
    return wanted;
  }
};

TEST_F(ManualsTest, AreMadeOnceAndThenKept) {
  fake_packages();
  std::map<std::string, int> activities;
  const auto made = prepare_corpus(manuals(), [&](const std::string& activity, double) { ++activities[activity]; });
  ASSERT_TRUE(made.has_value()) << message(made.error());
  EXPECT_THAT((*made)->labels, ElementsAre("English", "Deutsch", "Français", "Español", "C headers", "Python"));
  EXPECT_EQ(activities.count("rendering manual pages, German"), 1u);
  EXPECT_TRUE(exists("cache/corpora/manuals.ready"));
  EXPECT_FALSE(exists("cache/corpora/packages"));
  EXPECT_FALSE(exists("cache/corpora/manuals.work"));
  program("apt-get", "echo 'E: not again' >&2; exit 100\n");
  const auto kept = prepare_corpus(manuals(), {});
  ASSERT_TRUE(kept.has_value()) << message(kept.error());
  EXPECT_EQ((*kept)->identity, (*made)->identity);
  EXPECT_EQ((*kept)->train.tokens, (*made)->train.tokens);
  EXPECT_TRUE(list_corpora(path("cache"))[0].cached);
}

TEST_F(ManualsTest, AreReadyOnlyWithTheDefaultTokenizer) {
  fake_packages();
  CorpusRequest wanted = manuals();
  wanted.data.vocab_size = 400;
  ASSERT_TRUE(prepare_corpus(wanted, {}).has_value());
  EXPECT_FALSE(exists("cache/corpora/manuals.ready"));
}

TEST_F(ManualsTest, AreMadeAgainWhenTheCacheIsDamaged) {
  fake_packages();
  const auto made = prepare_corpus(manuals(), {});
  ASSERT_TRUE(made.has_value());
  write("cache/corpora/manuals.text", "damaged");
  const auto again = prepare_corpus(manuals(), {});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)->identity, (*made)->identity);
  EXPECT_THAT((*again)->notes, testing::Contains("a damaged cache file was made again: manuals.text"));
  for (const auto& entry : std::filesystem::directory_iterator(path("cache/corpora")))
    if (entry.path().extension() == ".tokens") std::filesystem::resize_file(entry.path(), 1000);
  const auto tokens = prepare_corpus(manuals(), {});
  EXPECT_EQ((*tokens)->train.tokens, (*made)->train.tokens);
}

TEST_F(ManualsTest, VersionsEnterTheIdentity) {
  fake_packages();
  const auto made = prepare_corpus(manuals(), {});
  std::filesystem::rename(path("debs/manpages_1.0-1_all.deb"), path("debs/manpages_1.1-1_all.deb"));
  std::filesystem::remove_all(path("cache"));
  const auto newer = prepare_corpus(manuals(), {});
  ASSERT_TRUE(made.has_value() && newer.has_value());
  EXPECT_NE((*newer)->identity, (*made)->identity);
}

TEST_F(ManualsTest, ThatCannotBeFetchedSayWhyAndWhatToDo) {
  program("apt-get", "echo 'W: a warning' >&2; echo 'E: Failed to fetch manpages  Could not connect' >&2; exit 100\n");
  EXPECT_EQ(failure_of(manuals()),
            "error: the manual pages could not be fetched: Failed to fetch manpages  Could not connect\n"
            "hint: check the network, then try again; without them, use corpus = \"synthetic\" or a folder of your own "
            "text\n");
  program("apt-get", "echo 'E: Unable to locate package manpages' >&2; exit 100\n");
  EXPECT_EQ(failure_of(manuals()),
            "error: the manual pages could not be fetched: Unable to locate package manpages\n"
            "hint: fetch Debian's package lists (as root: apt-get update), then try again; without them, use corpus = "
            "\"synthetic\" or a folder of your own text\n");
  ::setenv("PATH", path("bin").c_str(), 1);
  std::filesystem::remove(path("bin/apt-get"));
  EXPECT_EQ(failure_of(manuals()),
            "error: the program 'apt-get', which fetches the texts of the corpus 'manuals', is not installed\n"
            "hint: 'manuals' needs Debian 12; use corpus = \"synthetic\" or a folder of your own text\n");
}

TEST_F(ManualsTest, SyntheticStandsInWhenAllowed) {
  program("apt-get", "echo 'E: no network' >&2; exit 100\n");
  CorpusRequest wanted = manuals();
  wanted.data.tokenizer = "bytes";
  wanted.allow_fallback = true;
  const auto corpus = prepare_corpus(wanted, {});
  ASSERT_TRUE(corpus.has_value());
  EXPECT_EQ((*corpus)->name, "synthetic");
  EXPECT_THAT((*corpus)->notes,
              ElementsAre("synthetic stands in for manuals: the manual pages could not be fetched: no network"));
}

TEST_F(ManualsTest, ADamagedPackageIsNamedAndFetchedAnew) {
  fake_packages();
  write("debs/manpages_1.0-1_all.deb", "not a package");
  EXPECT_THAT(failure_of(manuals()), HasSubstr("error: a Debian package could not be unpacked: "));
  EXPECT_FALSE(exists("cache/corpora/packages/manpages_1.0-1_all.deb"));
  EXPECT_FALSE(exists("cache/corpora/manuals.text"));
}

TEST_F(ManualsTest, StopWhileRenderingLeavesNothingThatLooksWhole) {
  fake_packages();
  std::stop_source source;
  const auto stopped = prepare_corpus(
      manuals(),
      [&](const std::string& activity, double) {
        if (activity.rfind("rendering", 0) == 0) source.request_stop();
      },
      source.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_FALSE(exists("cache/corpora/manuals.text"));
  EXPECT_FALSE(exists("cache/corpora/manuals.ready"));
  EXPECT_FALSE(exists("cache/corpora/manuals.work"));
  EXPECT_TRUE(prepare_corpus(manuals(), {}).has_value()) << "and the next time all goes well";
}

TEST_F(ManualsTest, SectionsAreClassesOfPagesOnly) {
  for (const char* package : {"manpages", "manpages-de"}) {
    const std::string language = package[8] == 0 ? "" : "/de";
    for (int i = 0; i < 12; ++i) {
      write("tree/" + std::string(package) + "/usr/share/man" + language + "/man8/q" + std::to_string(i) + ".8",
            page("eighth" + language, 5000 + 100 * i));
      write("tree/" + std::string(package) + "/usr/share/man" + language + "/man3/r" + std::to_string(i) + ".3posix",
            page("third" + language, 5000 + 100 * i));
    }
  }
  for (int i = 0; i < 12; ++i) {
    std::string text;
    for (int line = 0; line < 200; ++line)
      text += "int value_" + std::to_string(i) + '_' + std::to_string(line) + ";\n\n";
    write("tree/libc6-dev/usr/include/s" + std::to_string(i) + ".h", text);
  }
  fake_packages();
  const auto corpus = prepare_corpus(manuals(), {});
  ASSERT_TRUE(corpus.has_value()) << message(corpus.error());
  EXPECT_THAT((*corpus)->classes, ElementsAre("1", "3", "8"));
  std::map<std::int16_t, int> seen;
  for (const Split* split : {&(*corpus)->train, &(*corpus)->valid, &(*corpus)->probe}) {
    ASSERT_EQ(split->class_D.size(), split->name_D.size());
    for (std::size_t d = 0; d < split->name_D.size(); ++d) {
      const bool page = split->label_D[d] < 4;
      const std::string section = manual_section(split->name_D[d]);
      ++seen[split->class_D[d]];
      ASSERT_EQ(split->class_D[d] >= 0, page) << split->name_D[d];
      if (page) {
        EXPECT_EQ((*corpus)->classes[static_cast<std::size_t>(split->class_D[d])], section);
      }
    }
  }
  EXPECT_EQ(seen.size(), 4u) << "three sections, and sources without one";
}

TEST(ManualSection, IsTheDigitInParentheses) {
  EXPECT_EQ(manual_section("ls(1)"), "1");
  EXPECT_EQ(manual_section("printf(3posix)"), "3");
  EXPECT_EQ(manual_section("a(b)(8)"), "8");
  EXPECT_EQ(manual_section("stdio.h"), "");
  EXPECT_EQ(manual_section("f()"), "");
  EXPECT_EQ(manual_section("f(x)"), "");
  EXPECT_EQ(manual_section("f(1"), "");
  EXPECT_EQ(manual_section(""), "");
}

TEST(Balance, TheSmallestLabelSetsTheSize) {
  DocumentSet set;
  set.labels = {"much", "little", "none"};
  for (int i = 0; i < 10; ++i) set.documents.push_back({0, "", std::string(100, 'x')});
  for (int i = 0; i < 3; ++i) set.documents.push_back({1, "", std::string(100, 'x')});
  balance_labels(set);
  EXPECT_EQ(set.documents.size(), 6u);
}

}  // namespace
}  // namespace moescope::corpus
