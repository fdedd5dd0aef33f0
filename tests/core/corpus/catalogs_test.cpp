// The whole way of `catalogs` with tiny packages built here and an apt-get that copies them: no network.

#include "core/corpus/catalogs.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "tests/core/corpus/mo_writer.h"
#include "tests/core/corpus/packages_fixture.h"

namespace moescope::corpus {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CatalogsTest : public PackagesTest {
 protected:
  void catalog(const std::string& package, const std::string& language, const std::string& bytes) const {
    write("tree/" + package + "/usr/share/locale/" + language + "/LC_MESSAGES/" + package + ".mo", bytes);
  }

  static MoTexts messages(const std::string& program, const std::string& language, int count) {
    MoTexts texts{mo_header()};
    for (int i = 0; i < count; ++i)
      texts.emplace_back(program + ": cannot read line " + std::to_string(i) + " of '%s'\n",
                         language + ' ' + program + ": «%s» " + std::to_string(i) + "\n");
    return texts;
  }

  /// Swedish has most pairs, then French; German has too few.
  void fake_packages() const {
    for (const char* program : {"git", "bash"}) {
      catalog(program, "fr", mo_bytes(messages(program, "fr", 2600), true));
      catalog(program, "sv", mo_bytes(messages(program, "sv", 2700)));
      catalog(program, "en_GB", mo_bytes(messages(program, "en_GB", 2700)));
    }
    catalog("git", "de", mo_bytes(messages("git", "de", 4900)));
    catalog("sed", "fr", mo_bytes(messages("git", "fr", 50)));
    catalog("tar", "fr", mo_bytes(messages("tar", "fr", 50)).substr(0, 3000));
    catalog("wget", "fr", mo_bytes({mo_header("ISO-8859-1"), {"small", "petit"}}));
    std::filesystem::create_directories(path("tree/make/usr/share/locale/fr/LC_MESSAGES"));
    std::filesystem::create_symlink("/etc/passwd", path("tree/make/usr/share/locale/fr/LC_MESSAGES/make.mo"));
    build_all_packages();
  }

  /// Those of "tree"; the others are one package without a catalog under many names.
  void build_all_packages() const {
    write("tree/apt/usr/share/doc/apt/readme", "nothing");
    build_packages();
    for (const std::string& package : catalog_packages()) {
      const std::string file = path("debs/" + package + "_1.0-1_all.deb");
      if (!std::filesystem::exists(file)) std::filesystem::copy_file(path("debs/apt_1.0-1_all.deb"), file);
    }
  }

  CorpusRequest catalogs() const {
    CorpusRequest wanted = request("catalogs");
    wanted.data.tokenizer = "bpe";
    wanted.data.vocab_size = 400;
    return wanted;
  }
};

MoMessage message_of(std::string_view original, std::string_view translation) { return {original, translation}; }

TEST(UsablePair, IsOneLineAndKeepsItsDirectives) {
  const auto pair = usable_pair(message_of("  cannot open\n\t%s: %d%%\n", "ne peut ouvrir %s :\n %d%%\n"));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->first, "cannot open %s: %d%%");
  EXPECT_EQ(pair->second, "ne peut ouvrir %s : %d%%");
}

TEST(UsablePair, LeavesOutWhatTeachesNothing) {
  EXPECT_FALSE(usable_pair(message_of("untranslated", "")));
  EXPECT_FALSE(usable_pair(message_of(" \n", "texte")));
  EXPECT_FALSE(usable_pair(message_of("the same\n", "the same")));
  EXPECT_FALSE(usable_pair(message_of("bell", "cloche \a")));
  EXPECT_FALSE(usable_pair(message_of("latin",
                                      "gr\xF6\xDF"
                                      "er")));
  EXPECT_FALSE(usable_pair(message_of(std::string(401, 'x'), "x x")));
  EXPECT_TRUE(usable_pair(message_of(std::string(400, 'x'), "x x")));
  EXPECT_FALSE(usable_pair(message_of("x", std::string(801, 'y'))));
  EXPECT_FALSE(usable_pair(message_of("x" + std::string(5000, ' ') + "x", "y"))) << "a page of layout";
}

TEST_F(CatalogsTest, AreMadeOnceAndThenKept) {
  fake_packages();
  std::map<std::string, int> activities;
  const auto made = prepare_corpus(catalogs(), [&](const std::string& activity, double) { ++activities[activity]; });
  ASSERT_TRUE(made.has_value()) << message(made.error());
  EXPECT_THAT((*made)->labels, ElementsAre("English", "Svenska", "Français")) << "those with most pairs first";
  EXPECT_EQ(activities.count("fetching Debian packages"), 1u);
  EXPECT_EQ(activities.count("reading message catalogs"), 1u);
  EXPECT_THAT((*made)->notes, ElementsAre("1 damaged catalog left out", "1 catalog left out that is not UTF-8"));
  EXPECT_FALSE(exists("cache/corpora/catalogs.packages"));
  EXPECT_FALSE(exists("cache/corpora/catalogs.work"));
  program("apt-get", "echo 'E: not again' >&2; exit 100\n");
  activities.clear();
  const auto kept = prepare_corpus(catalogs(), [&](const std::string& activity, double) { ++activities[activity]; });
  ASSERT_TRUE(kept.has_value()) << message(kept.error());
  EXPECT_TRUE(activities.empty()) << "all is in the cache: " << activities.begin()->first;
  EXPECT_EQ((*kept)->identity, (*made)->identity);
  EXPECT_EQ((*kept)->notes, (*made)->notes);
  EXPECT_EQ((*kept)->train.tokens, (*made)->train.tokens);
  EXPECT_EQ((*kept)->train_pairs.source_tokens, (*made)->train_pairs.source_tokens);
  EXPECT_EQ((*kept)->train_pairs.label_P, (*made)->train_pairs.label_P);
  EXPECT_EQ((*kept)->valid_pairs.target_text_P, (*made)->valid_pairs.target_text_P);
  EXPECT_TRUE(list_corpora(path("cache"))[1].cached);
}

TEST_F(CatalogsTest, HoldEveryPairOnceUnderItsProgram) {
  fake_packages();
  const auto set = load_catalogs(path("cache/corpora"), "fr", [](const std::string&, double) {}, {});
  ASSERT_TRUE(set.has_value()) << message(set.error());
  EXPECT_EQ(set->pairs.size(), 5200u);
  EXPECT_EQ(set->languages[1].num_pairs, 5200);
  std::map<std::string, int> programs;
  for (const SentencePair& pair : set->pairs) ++programs[pair.name];
  EXPECT_THAT(programs, ElementsAre(std::pair("bash", 2600), std::pair("git", 2600)));
  EXPECT_THAT(set->pairs,
              Contains(testing::AllOf(testing::Field(&SentencePair::first, "git: cannot read line 17 of '%s'"),
                                      testing::Field(&SentencePair::second, "fr git: «%s» 17"))));
}

TEST_F(CatalogsTest, LanguagesAreThoseWithEnoughPairs) {
  fake_packages();
  CorpusRequest wanted = catalogs();
  wanted.data.languages = "fr,de";
  wanted.allow_fallback = true;
  const std::string refusal = "error: the corpus 'catalogs' has no language 'de'\nhint: languages are auto, sv or fr\n";
  EXPECT_EQ(failure_of(wanted), refusal) << "on the first load";
  EXPECT_EQ(failure_of(wanted), refusal) << "from the cache";
  wanted.data.languages = "fr";
  const auto corpus = prepare_corpus(wanted, {});
  ASSERT_TRUE(corpus.has_value());
  EXPECT_THAT((*corpus)->labels, ElementsAre("English", "Français"));
}

TEST_F(CatalogsTest, AreMadeAgainWhenTheCacheIsDamaged) {
  fake_packages();
  const auto made = prepare_corpus(catalogs(), {});
  ASSERT_TRUE(made.has_value());
  for (const char* file : {"catalogs.index", "catalogs-sv.pairs"}) {
    std::filesystem::resize_file(path(std::string("cache/corpora/") + file), 100);
    const auto again = prepare_corpus(catalogs(), {});
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ((*again)->identity, (*made)->identity);
    EXPECT_THAT((*again)->notes, Contains(std::string("a damaged cache file was made again: ") + file));
  }
  std::filesystem::remove(path("cache/corpora/catalogs-fr.pairs"));
  EXPECT_EQ((*prepare_corpus(catalogs(), {}))->identity, (*made)->identity);
  for (const auto& entry : std::filesystem::directory_iterator(path("cache/corpora")))
    if (entry.path().extension() == ".tokens") std::filesystem::resize_file(entry.path(), 1000);
  EXPECT_EQ((*prepare_corpus(catalogs(), {}))->train.tokens, (*made)->train.tokens);
}

TEST_F(CatalogsTest, VersionsEnterTheIdentity) {
  fake_packages();
  const auto made = prepare_corpus(catalogs(), {});
  std::filesystem::rename(path("debs/git_1.0-1_all.deb"), path("debs/git_1.1-1_all.deb"));
  std::filesystem::remove_all(path("cache"));
  const auto newer = prepare_corpus(catalogs(), {});
  ASSERT_TRUE(made.has_value() && newer.has_value());
  EXPECT_NE((*newer)->identity, (*made)->identity);
}

TEST_F(CatalogsTest, ThatCannotBeFetchedSayWhyAndWhatToDo) {
  program("apt-get", "echo 'E: Unable to locate package git' >&2; exit 100\n");
  EXPECT_EQ(failure_of(catalogs()),
            "error: the message catalogs could not be fetched: Unable to locate package git\n"
            "hint: fetch Debian's package lists (as root: apt-get update), then try again; without them, use corpus = "
            "\"synthetic_pairs\" or aligned files of your own\n");
  ::setenv("PATH", path("bin").c_str(), 1);
  std::filesystem::remove(path("bin/apt-get"));
  EXPECT_EQ(failure_of(catalogs()),
            "error: the program 'apt-get', which fetches the texts of the corpus 'catalogs', is not installed\n"
            "hint: 'catalogs' needs Debian 12; use corpus = \"synthetic_pairs\" or aligned files of your own\n");
}

TEST_F(CatalogsTest, SyntheticPairsStandInWhenAllowed) {
  program("apt-get", "echo 'E: no network' >&2; exit 100\n");
  CorpusRequest wanted = catalogs();
  wanted.data.tokenizer = "bytes";
  wanted.data.languages = "fr";
  wanted.allow_fallback = true;
  const auto corpus = prepare_corpus(wanted, {});
  ASSERT_TRUE(corpus.has_value()) << message(corpus.error());
  EXPECT_EQ((*corpus)->name, "synthetic_pairs");
  EXPECT_TRUE((*corpus)->parallel());
  EXPECT_THAT((*corpus)->notes,
              ElementsAre("synthetic_pairs stands in for catalogs: the message catalogs could not be fetched: "
                          "no network"));
}

TEST_F(CatalogsTest, PackagesWithoutMessagesAreAMessage) {
  build_all_packages();
  EXPECT_EQ(failure_of(catalogs()),
            "error: the packages hold no language with 5,000 messages\n"
            "hint: use corpus = \"synthetic_pairs\" or aligned files of your own\n");
  EXPECT_FALSE(exists("cache/corpora/catalogs.index"));
}

TEST_F(CatalogsTest, StopWhileReadingLeavesNothingThatLooksWhole) {
  fake_packages();
  std::stop_source source;
  const auto stopped = prepare_corpus(
      catalogs(),
      [&](const std::string& activity, double) {
        if (activity.rfind("reading", 0) == 0) source.request_stop();
      },
      source.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_FALSE(exists("cache/corpora/catalogs.index"));
  EXPECT_FALSE(exists("cache/corpora/catalogs.work"));
  EXPECT_TRUE(prepare_corpus(catalogs(), {}).has_value()) << "and the next time all goes well";
}

}  // namespace
}  // namespace moescope::corpus
