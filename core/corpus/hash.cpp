#include "core/corpus/hash.h"

#include <xxhash.h>

#include <array>
#include <cstdio>

#include "core/base/assert.h"

namespace moescope::corpus {
namespace {

std::string hex_of(XXH128_hash_t hash) {
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text.data();
}

}  // namespace

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  MOESCOPE_ASSERT(state_->xxh != nullptr, "a hash state is a few hundred bytes and can always be had");
  XXH3_128bits_reset(state_->xxh);
}

Hasher::~Hasher() = default;

Hasher& Hasher::add(std::string_view text) {
  add(static_cast<std::uint64_t>(text.size()));
  XXH3_128bits_update(state_->xxh, text.data(), text.size());
  return *this;
}

Hasher& Hasher::add(std::uint64_t number) {
  XXH3_128bits_update(state_->xxh, &number, sizeof number);
  return *this;
}

std::string Hasher::hex() const { return hex_of(XXH3_128bits_digest(state_->xxh)); }

std::string hash_hex(std::string_view text) { return hex_of(XXH3_128bits(text.data(), text.size())); }

std::uint64_t hash64(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace moescope::corpus
