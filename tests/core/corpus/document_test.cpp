#include "core/corpus/document.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/corpus/hash.h"

namespace moescope::corpus {
namespace {

DocumentSet small_set() {
  return {"small", "v1", {"a", "b"}, {{0, "one", "first text\n"}, {1, "two", "second text\n"}}, {}};
}

TEST(Documents, AreDuplicatesWhateverTheirWhiteSpaceAndNames) {
  std::vector<Document> documents{
      {0, "a", "one  two\nthree"}, {1, "b", " one two three\n\n"}, {0, "c", "other"}, {0, "d", " \n"}};
  EXPECT_EQ(remove_duplicates(documents), 2u);
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].name, "a");
  EXPECT_EQ(documents[1].name, "c");
}

TEST(Documents, NormalisedTextHasSingleSpaces) {
  EXPECT_EQ(normalised("\n a\t\tb \r\n c  "), "a b c");
  EXPECT_EQ(normalised(" \n"), "");
}

TEST(Identity, FollowsTextNameLabelAndSource) {
  const std::string identity = identity_of(small_set());
  EXPECT_EQ(identity.size(), 32u);
  for (const auto& change : std::vector<void (*)(DocumentSet&)>{
           [](DocumentSet& set) { set.documents[0].text += ' '; },
           [](DocumentSet& set) { set.documents[0].name += 'x'; }, [](DocumentSet& set) { set.documents[0].label = 1; },
           [](DocumentSet& set) { set.source += '2'; }, [](DocumentSet& set) { set.documents.pop_back(); }}) {
    DocumentSet set = small_set();
    change(set);
    EXPECT_NE(identity_of(set), identity);
  }
}

TEST(Identity, DependsOnNoOrder) {
  DocumentSet set = small_set();
  std::reverse(set.documents.begin(), set.documents.end());
  EXPECT_EQ(identity_of(set), identity_of(small_set()));
}

TEST(Hash, FramesItsTexts) {
  EXPECT_NE(Hasher().add("ab").add("c").hex(), Hasher().add("a").add("bc").hex());
  EXPECT_EQ(hash_hex(""), "99aa06d3014798d86001c324468d497f");  // of the XXH3-128 specification
}

TEST(Labels, WithoutADocumentGo) {
  DocumentSet set = small_set();
  set.labels = {"a", "unused", "b"};
  set.documents[1].label = 2;
  drop_unused_labels(set);
  EXPECT_EQ(set.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(set.documents[1].label, 1);
}

}  // namespace
}  // namespace moescope::corpus
