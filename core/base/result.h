#pragma once
// Result<T>: a value, or the diagnostics that say why there is none. The member names are those of std::expected,
// which our three compilers do not share yet, so that a later switch is an alias.
// Threads: a plain value.

#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/diagnostic.h"

namespace moescope {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Diagnostic diagnostic) : state_(Diagnostics{std::move(diagnostic)}) {}
  Result(Diagnostics diagnostics) : state_(std::move(diagnostics)) {
    MOESCOPE_ASSERT(!std::get<Diagnostics>(state_).empty(), "a failed Result says why");
  }

  bool has_value() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return has_value(); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

  /// Requires: !has_value().
  const Diagnostics& error() const {
    MOESCOPE_ASSERT(!has_value(), "error() is asked of a failed Result only");
    return std::get<Diagnostics>(state_);
  }

 private:
  T& checked() {
    MOESCOPE_ASSERT(has_value(), "value() is asked of a good Result only");
    return std::get<T>(state_);
  }
  std::variant<T, Diagnostics> state_;
};

/// What a function returns that gives nothing but may fail.
struct Done {};
using Status = Result<Done>;

}  // namespace moescope
