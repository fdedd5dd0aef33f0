#pragma once
// Counter-based seeds: every consumer of randomness draws from its own generator, seeded from
// (run seed, purpose, counters). Resuming then needs only the step, and adding a consumer shifts no other.
// Threads: pure functions.

#include <cstdint>
#include <string_view>

namespace moescope {

/// One round of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every input bit.
constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// The seed of one purpose ("init", "data order", "router noise", …) at up to two counters (step, layer).
constexpr std::uint64_t derive_seed(std::uint64_t run_seed, std::string_view purpose, std::uint64_t counter = 0,
                                    std::uint64_t second_counter = 0) {
  std::uint64_t hash = mix_bits(run_seed);
  for (const char c : purpose) hash = mix_bits(hash ^ static_cast<unsigned char>(c));
  return mix_bits(mix_bits(hash ^ counter) ^ second_counter);
}

/// A small generator for places without torch: uniform 64-bit words by counter.
class SeededWords {
 public:
  explicit constexpr SeededWords(std::uint64_t seed) : state_(seed) {}
  constexpr std::uint64_t next() { return mix_bits(state_++); }
  /// Uniform in [0, n). Requires: n > 0. The bias for n ≪ 2^64 is below 2^-32 and is accepted.
  constexpr std::uint64_t below(std::uint64_t n) { return next() % n; }
  /// Uniform in [0, 1).
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace moescope
