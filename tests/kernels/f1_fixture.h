#pragma once
// The golden fixture F1: six tokens, three experts. The digits come from an independent
// program and are not computed by the code under test.

#include <array>

namespace moescope::kernels::f1 {

inline constexpr int kTokens = 6;
inline constexpr int kExperts = 3;

inline constexpr std::array<float, 18> kScores_TE = {1,  0, -1,   0, 1, 0.25f, 1,  0.5f, -0.875f,
                                                     -1, 2, 1.5f, 2, 0, -2,    -2, 0.5f, 2.125f};
inline constexpr std::array<float, 18> kProbs_TE = {.665241f, .244728f, .090031f, .199908f, .543406f, .256687f,
                                                    .568219f, .344642f, .087139f, .030059f, .603749f, .366192f,
                                                    .866813f, .117310f, .015876f, .013324f, .162324f, .824351f};
inline constexpr std::array<float, 6> kEntropy_T = {.832396f, 1.002322f, .900956f, .777870f, .441057f, .511899f};
inline constexpr std::array<float, 6> kLogitMargin_T = {1, .75f, .5f, .5f, 2, 1.625f};
inline constexpr std::array<int, 6> kBest_T = {0, 1, 0, 1, 0, 2};
inline constexpr std::array<int, 6> kSecond_T = {1, 2, 1, 2, 1, 1};
inline constexpr std::array<int, 3> kLoad_E = {3, 2, 1};

}  // namespace moescope::kernels::f1
