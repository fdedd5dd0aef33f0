#include "core/telemetry/frame_bytes.h"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack.hpp>

#include "core/telemetry/frame_fields.h"

namespace moescope::telemetry {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays of numbers are written as they lie in memory");

// Each far above what a run gives: a probe has some thousand tokens, its largest array some million numbers.
constexpr std::size_t kMostElements = 1U << 17;
constexpr std::size_t kMostTextBytes = 1U << 20;
constexpr std::size_t kMostArrayBytes = 32U << 20;
constexpr std::size_t kMostDepth = 12;

template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

struct Sink {
  std::string bytes;
  void write(const char* data, std::size_t count) { bytes.append(data, count); }
};

/// Numbers and texts as MessagePack has them, an array of numbers as one block of bytes, a value as the array of its
/// fields.
class Packer {
 public:
  template <class... Fields>
  void operator()(const Fields&... values) {
    packer_.pack_array(static_cast<std::uint32_t>(sizeof...(Fields)));
    (put(values), ...);
  }
  std::string take() { return std::move(sink_.bytes); }

 private:
  void put(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
  // As the whole number that their bits are: the library's own packing turns −0 into the integer 0.
  void put(float value) { packer_.pack_fix_uint32(std::bit_cast<std::uint32_t>(value)); }
  void put(double value) { packer_.pack_fix_uint64(std::bit_cast<std::uint64_t>(value)); }
  template <std::integral Integer>
  void put(Integer value) {
    packer_.pack(value);
  }
  void put(Event::Kind kind) { put(static_cast<int>(kind)); }
  void put(const std::string& text) {
    packer_.pack_str(static_cast<std::uint32_t>(text.size()));
    packer_.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }
  template <Number T>
  void put_numbers(const T* numbers, std::size_t count) {
    const auto bytes = static_cast<std::uint32_t>(count * sizeof(T));
    packer_.pack_bin(bytes);
    packer_.pack_bin_body(reinterpret_cast<const char*>(numbers), bytes);
  }
  template <Number T>
  void put(const std::vector<T>& numbers) {
    put_numbers(numbers.data(), numbers.size());
  }
  template <class T>
  void put(const std::vector<T>& values) {
    packer_.pack_array(static_cast<std::uint32_t>(values.size()));
    for (const T& value : values) put(value);
  }
  template <Number T, std::size_t kCount>
  void put(const std::array<T, kCount>& numbers) {
    put_numbers(numbers.data(), kCount);
  }
  template <class T>
  void put(const std::shared_ptr<const T>& value) {
    if (value) {
      put(*value);
    } else {
      packer_.pack_nil();
    }
  }
  template <class T>
  void put(const T& value) requires requires(Packer& io) {
    fields(io, value);
  }
  { fields(*this, value); }

  Sink sink_;
  msgpack::packer<Sink> packer_{sink_};
};

/// The same fields back. The first thing that does not fit is kept as `problem`, and nothing is read after it.
class Unpacker {
 public:
  explicit Unpacker(std::string& problem) : problem_(problem) {}

  template <class T>
  void take(const msgpack::object& from, T& value) requires requires(Unpacker& io) {
    fields(io, value);
  }
  {
    const msgpack::object* outer = std::exchange(record_, &from);
    fields(*this, value);
    record_ = outer;
  }

  template <class... Fields>
  void operator()(Fields&... values) {
    const msgpack::object& record = *record_;
    if (record.type != msgpack::type::ARRAY || record.via.array.size != sizeof...(Fields))
      return fail("a list of " + std::to_string(sizeof...(Fields)) + " parts is missing");
    const msgpack::object* next = record.via.array.ptr;
    (step(*next++, values), ...);
  }

 private:
  void fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }
  template <class T>
  void step(const msgpack::object& from, T& value) {
    if (problem_.empty()) take(from, value);
  }

  void take(const msgpack::object& from, bool& value) {
    if (from.type != msgpack::type::BOOLEAN) return fail("a yes or no is missing");
    value = from.via.boolean;
  }
  void take(const msgpack::object& from, float& value) {
    std::uint32_t bits = 0;
    take(from, bits);
    value = std::bit_cast<float>(bits);
  }
  void take(const msgpack::object& from, double& value) {
    std::uint64_t bits = 0;
    take(from, bits);
    value = std::bit_cast<double>(bits);
  }
  template <std::integral Integer>
  void take(const msgpack::object& from, Integer& value) {
    if (from.type == msgpack::type::POSITIVE_INTEGER && std::in_range<Integer>(from.via.u64)) {
      value = static_cast<Integer>(from.via.u64);
    } else if (from.type == msgpack::type::NEGATIVE_INTEGER && std::in_range<Integer>(from.via.i64)) {
      value = static_cast<Integer>(from.via.i64);
    } else {
      fail("a whole number is missing or out of range");
    }
  }
  void take(const msgpack::object& from, Event::Kind& kind) {
    int number = 0;
    take(from, number);
    if (number < 0 || number > static_cast<int>(Event::Kind::kNotice)) return fail("an event is of no known kind");
    kind = static_cast<Event::Kind>(number);
  }
  void take(const msgpack::object& from, std::string& text) {
    if (from.type != msgpack::type::STR) return fail("a text is missing");
    text.assign(from.via.str.ptr, from.via.str.size);
  }
  template <Number T>
  void take(const msgpack::object& from, std::vector<T>& numbers) {
    if (from.type != msgpack::type::BIN || from.via.bin.size % sizeof(T) != 0)
      return fail("a block of numbers is missing");
    numbers.resize(from.via.bin.size / sizeof(T));
    if (!numbers.empty()) std::memcpy(numbers.data(), from.via.bin.ptr, from.via.bin.size);
  }
  template <Number T, std::size_t kCount>
  void take(const msgpack::object& from, std::array<T, kCount>& numbers) {
    if (from.type != msgpack::type::BIN || from.via.bin.size != sizeof(numbers))
      return fail("a block of " + std::to_string(kCount) + " numbers is missing");
    std::memcpy(numbers.data(), from.via.bin.ptr, sizeof(numbers));
  }
  template <class T>
  void take(const msgpack::object& from, std::vector<T>& values) {
    if (from.type != msgpack::type::ARRAY) return fail("a list is missing");
    // One by one: what a damaged list claims to hold costs memory only as far as it is there.
    for (std::uint32_t i = 0; i < from.via.array.size && problem_.empty(); ++i)
      step(from.via.array.ptr[i], values.emplace_back());
  }
  template <class T>
  void take(const msgpack::object& from, std::shared_ptr<const T>& value) {
    if (from.type == msgpack::type::NIL) return value.reset();
    auto made = std::make_shared<T>();
    take(from, *made);
    value = std::move(made);
  }

  std::string& problem_;
  const msgpack::object* record_ = nullptr;
};

/// [version, [fields …]]
template <class Value>
std::string bytes_of(const Value& value) {
  Packer packer;
  packer(kFrameVersion, value);
  return packer.take();
}

Diagnostic damaged(const std::string& what, const std::string& why) {
  return error("the bytes of " + what + " are damaged: " + why);
}

Result<Done> check_version(const msgpack::object& from, const std::string& what) {
  if (from.type != msgpack::type::ARRAY || from.via.array.size != 2 ||
      from.via.array.ptr[0].type != msgpack::type::POSITIVE_INTEGER)
    return damaged(what, "their version is missing");
  const std::uint64_t version = from.via.array.ptr[0].via.u64;
  if (version > kFrameVersion)
    return error(what + " was written by a newer MoEScope (version " + std::to_string(version) +
                     " of its bytes; this one reads up to " + std::to_string(kFrameVersion) + ")",
                 "open it with the newer MoEScope");
  if (version < 1) return damaged(what, "their version is 0");
  return Done{};
}

/// `what` names the value in messages: "a step".
template <class Value>
Status read_into(std::string_view& bytes, Value& value, const std::string& what) {
  std::size_t used = 0;
  try {
    msgpack::zone zone;
    const auto refer_to_bytes = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    const msgpack::object from =
        msgpack::unpack(zone, bytes.data(), bytes.size(), used, refer_to_bytes, nullptr,
                        msgpack::unpack_limit(kMostElements, 0, kMostTextBytes, kMostArrayBytes, 0, kMostDepth));
    if (const Status version = check_version(from, what); !version) return version.error();
    std::string problem;
    Unpacker(problem).take(from.via.array.ptr[1], value);
    if (!problem.empty()) return damaged(what, problem);
  } catch (const msgpack::insufficient_bytes&) {
    return damaged(what, "they end early");
  } catch (const msgpack::unpack_error&) {
    return damaged(what, "they are no MessagePack, or larger or deeper than any value of a run");
  }
  bytes.remove_prefix(used);
  return Done{};
}

template <class Value>
Result<Value> read_value(std::string_view& bytes, const std::string& what) {
  Value value;
  if (Status status = read_into(bytes, value, what); !status) return status.error();
  return value;
}

template <class Value>
Result<std::shared_ptr<Value>> read_shared(std::string_view& bytes, const std::string& what) {
  auto value = std::make_shared<Value>();
  if (Status status = read_into(bytes, *value, what); !status) return status.error();
  return value;
}

}  // namespace

std::string step_bytes(const TelemetryFrame& frame) { return bytes_of(frame); }
std::string probe_bytes(const ProbeSnapshot& probe) { return bytes_of(probe); }
std::string space_bytes(const RouterSpace& space) { return bytes_of(space); }
std::string tokens_bytes(std::int64_t step, const std::vector<ExpertTokens>& tokens) {
  return bytes_of(StampedTokens{step, tokens});
}
std::string event_bytes(const Event& event) { return bytes_of(event); }
std::string run_info_bytes(const RunInfo& info) { return bytes_of(info); }
std::string frame_bytes(const TelemetryFrame& frame) { return bytes_of(WholeFrame<const TelemetryFrame>{frame}); }

Result<std::shared_ptr<TelemetryFrame>> read_step(std::string_view& bytes) {
  return read_shared<TelemetryFrame>(bytes, "a step");
}
Result<std::shared_ptr<ProbeSnapshot>> read_probe(std::string_view& bytes) {
  return read_shared<ProbeSnapshot>(bytes, "a probe");
}
Result<std::shared_ptr<RouterSpace>> read_space(std::string_view& bytes) {
  return read_shared<RouterSpace>(bytes, "a router space");
}
Result<StampedTokens> read_tokens(std::string_view& bytes) {
  return read_value<StampedTokens>(bytes, "the tokens of experts");
}
Result<Event> read_event(std::string_view& bytes) { return read_value<Event>(bytes, "an event"); }
Result<RunInfo> read_run_info(std::string_view& bytes) { return read_value<RunInfo>(bytes, "a run's description"); }

Result<std::shared_ptr<TelemetryFrame>> read_frame(std::string_view& bytes) {
  auto frame = std::make_shared<TelemetryFrame>();
  WholeFrame<TelemetryFrame> whole{*frame};
  if (Status status = read_into(bytes, whole, "a frame"); !status) return status.error();
  return frame;
}

}  // namespace moescope::telemetry
