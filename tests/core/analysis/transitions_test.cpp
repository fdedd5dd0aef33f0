#include "core/analysis/transitions.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;
using Counts = std::vector<std::int64_t>;

TEST(TransitionCounts, AddOnePerTokenByFirstChoice) {
  const Choices from = {0, 1, 1, 0, 0, 1, 0, 1};  // four tokens, two choices: first choices 0 1 0 0
  const Choices to = {2, 2, 1, 2};
  const CountTable table = transition_counts({from, 2, 2}, {to, 1, 3});
  EXPECT_EQ(table.cells, (Counts{0, 1, 2, 0, 0, 1}));
  EXPECT_EQ(table.at(0, 2), 2);
  EXPECT_EQ(table.num_tokens, 4);
}

TEST(TransitionCounts, ATokenWithoutAnExpertIsSkipped) {
  const CountTable table = transition_counts({Choices{0, -1, 1}, 1, 2}, {Choices{0, 0, -1}, 1, 2});
  EXPECT_EQ(table.cells, (Counts{1, 0, 0, 0}));
  EXPECT_EQ(table.num_tokens, 1);
  EXPECT_EQ(table.skipped_tokens, 2);
}

TEST(TransitionCounts, NoTokensGiveZeros) {
  EXPECT_EQ(transition_counts({{}, 1, 2}, {{}, 2, 2}).cells, (Counts{0, 0, 0, 0}));
}

TEST(TransitionMass, CountsEachTokenOnceWhateverItsChoices) {
  const Choices from = {0, 1, 1, 2};
  const Choices to = {0, 1, 1, 0};
  const std::vector<float> gates = {3, 1, 0.25f, 0.25f};
  const MassTable table = transition_mass({from, 2, 3}, gates, {to, 2, 2}, {});
  EXPECT_NEAR(std::accumulate(table.cells.begin(), table.cells.end(), 0.0), 2.0, 1e-12);
  EXPECT_DOUBLE_EQ(table.at(0, 0), 0.375);
  EXPECT_DOUBLE_EQ(table.at(1, 0), 0.125 + 0.25);
  EXPECT_DOUBLE_EQ(table.at(2, 1), 0.25);
}

TEST(TransitionMass, WithOneChoiceEqualsTheCounts) {
  const Choices from = {0, 1, 1};
  const Choices to = {1, 1, 0};
  const MassTable mass = transition_mass({from, 1, 2}, {}, {to, 1, 2}, {});
  const CountTable counts = transition_counts({from, 1, 2}, {to, 1, 2});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(mass.cells[i], static_cast<double>(counts.cells[i]));
}

TEST(TransitionMass, ATokenWithoutGateMassIsSkipped) {
  const MassTable table = transition_mass({Choices{0}, 1, 1}, std::vector<float>{0}, {Choices{0}, 1, 1}, {});
  EXPECT_EQ(table.skipped_tokens, 1);
  EXPECT_EQ(table.at(0, 0), 0.0);
}

TEST(ClassExpertCounts, HasOneRowPerClass) {
  const CountTable table = class_expert_counts(Choices{0, 1, 1, -1}, 2, {Choices{2, 0, 2, 1}, 1, 3});
  EXPECT_EQ(table.cells, (Counts{0, 0, 1, 1, 0, 1}));
  EXPECT_EQ(table.skipped_tokens, 1);
}

}  // namespace
}  // namespace moescope::analysis
