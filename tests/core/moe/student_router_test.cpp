#include "core/moe/student_router.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;

struct Student {
  ParameterSet parameters{9};
  StudentRouter router;

  explicit Student(StudentKind kind) : router({kind, 7, 6, 3}, "moe.1.router", parameters) {}
  at::Tensor parameter(const std::string& name) const {
    return parameters.with_prefix("moe.1.router.student." + name).at(0).tensor;
  }
  at::Tensor feature(std::int64_t token) const { return parameter("embedding")[token]; }
  /// Scores of one feature vector.
  at::Tensor scores(const at::Tensor& feature_R) const { return parameter("rows").mv(feature_R); }
};

const std::vector<double> kSentence = {3, 1, 4, 1, 5, 2, 6};

at::Tensor sentence(const std::vector<double>& ids = kSentence) { return test::matrix(ids, 1).to(at::kLong); }

TEST(StudentRouter, WordSeesItsTokenOnly) {
  const Student student(StudentKind::kWord);
  const at::Tensor scores_TE = student.router.scores_TE(sentence());
  for (std::int64_t t = 0; t < 7; ++t) {
    const auto id = static_cast<std::int64_t>(kSentence[static_cast<std::size_t>(t)]);
    EXPECT_TRUE(close(scores_TE[t], student.scores(student.feature(id)), 1e-6));
  }
}

TEST(StudentRouter, BigramIsTheMeanWithTheTokenBefore) {
  const Student student(StudentKind::kBigram);
  const at::Tensor scores_TE = student.router.scores_TE(sentence());
  EXPECT_TRUE(close(scores_TE[0], student.scores(student.feature(3)), 1e-6));
  EXPECT_TRUE(close(scores_TE[2], student.scores((student.feature(1) + student.feature(4)) / 2), 1e-6));
}

TEST(StudentRouter, WindowMixesFiveTokensAndNoneBeforeTheStart) {
  const Student student(StudentKind::kCausalWindow);
  const at::Tensor scores_TE = student.router.scores_TE(sentence());
  const at::Tensor weight = student.parameter("window");
  const at::Tensor second = weight[3] * student.feature(3) + weight[4] * student.feature(1);
  EXPECT_TRUE(close(scores_TE[1], student.scores(second), 1e-6));
  at::Tensor last = at::zeros({6});
  for (std::int64_t i = 0; i < 5; ++i) {
    last = last + weight[i] * student.feature(static_cast<std::int64_t>(kSentence[static_cast<std::size_t>(i + 2)]));
  }
  EXPECT_TRUE(close(scores_TE[6], student.scores(last), 1e-6));
}

TEST(StudentRouter, SequencesDoNotReachIntoEachOther) {
  for (const StudentKind kind : {StudentKind::kWord, StudentKind::kBigram, StudentKind::kCausalWindow}) {
    const Student student(kind);
    const at::Tensor both_BL = at::cat({sentence({3, 1, 4}), sentence({1, 5, 2})}, 0);
    const at::Tensor apart_TE =
        at::cat({student.router.scores_TE(sentence({3, 1, 4})), student.router.scores_TE(sentence({1, 5, 2}))}, 0);
    EXPECT_TRUE(close(student.router.scores_TE(both_BL), apart_TE, 1e-6));
  }
}

TEST(StudentRouter, LaterTokensChangeNothingBefore) {
  for (const StudentKind kind : {StudentKind::kWord, StudentKind::kBigram, StudentKind::kCausalWindow}) {
    const Student student(kind);
    const at::Tensor before_TE = student.router.scores_TE(sentence({3, 1, 4, 1, 5, 2, 6}));
    const at::Tensor after_TE = student.router.scores_TE(sentence({3, 1, 4, 1, 0, 2, 6}));
    EXPECT_TRUE(close(before_TE.narrow(0, 0, 4), after_TE.narrow(0, 0, 4), 0));
  }
}

TEST(StudentRouter, NoTokensIsFine) {
  for (const StudentKind kind : {StudentKind::kWord, StudentKind::kBigram, StudentKind::kCausalWindow}) {
    const Student student(kind);
    EXPECT_EQ(student.router.scores_TE(at::empty({0, 4}, at::kLong)).sizes(), (at::IntArrayRef{0, 3}));
    EXPECT_EQ(student.router.scores_TE(at::empty({1, 0}, at::kLong)).sizes(), (at::IntArrayRef{0, 3}));
  }
}

}  // namespace
}  // namespace moescope::moe
