#pragma once
// Fixture F1 as the analysis room sees it: scores and router rows. The probabilities are
// computed here in fp64, apart from any code under test.

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace moescope::analysis::f1 {

inline const std::vector<float> kScores_TE = {1,  0, -1,   0, 1, 0.25f, 1,  0.5f, -0.875f,
                                              -1, 2, 1.5f, 2, 0, -2,    -2, 0.5f, 2.125f};
inline const std::vector<float> kRouter_ED = {1, 0, 0, 1, -1, 0.25f};
inline const std::vector<float> kHidden_TD = {1, 0, 0, 1, 1, 0.5f, -1, 2, 2, 0, -2, 0.5f};

inline std::vector<float> probs_TE() {
  std::vector<float> probs;
  for (std::size_t t = 0; t < 6; ++t) {
    std::array<double, 3> weight{};
    double sum = 0.0;
    for (std::size_t e = 0; e < 3; ++e) sum += weight[e] = std::exp(static_cast<double>(kScores_TE[3 * t + e]));
    for (const double w : weight) probs.push_back(static_cast<float>(w / sum));
  }
  return probs;
}

}  // namespace moescope::analysis::f1
