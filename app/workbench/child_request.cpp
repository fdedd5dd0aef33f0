#include "app/workbench/child_request.h"

#include <bit>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack.hpp>

#include "core/bus/command_json.h"

namespace moescope::app {
namespace {

constexpr int kVersion = 1;
constexpr std::uint32_t kFields = 12;
constexpr std::size_t kMostItems = std::size_t{1} << 17, kMostText = std::size_t{1} << 20, kMostDepth = 8;

using Packer = msgpack::packer<msgpack::sbuffer>;

/// The items of an array of exactly `size`; throws when it is none.
std::vector<msgpack::object> items(const msgpack::object& object, std::size_t size) {
  auto found = object.as<std::vector<msgpack::object>>();
  if (found.size() != size) throw std::runtime_error("a list of another length");
  return found;
}

/// With its type: the library's own packing makes an integer of 4.0.
void pack_value(Packer& packer, const config::Value& value) {
  packer.pack(value.index());
  if (const auto* number = std::get_if<double>(&value)) {
    packer.pack_fix_uint64(std::bit_cast<std::uint64_t>(*number));
  } else {
    std::visit([&](const auto& plain) { packer.pack(plain); }, value);
  }
}

config::Value read_value(const msgpack::object& type, const msgpack::object& object) {
  switch (type.as<int>()) {
    case 0: return object.as<bool>();
    case 1: return object.as<std::int64_t>();
    case 2: return std::bit_cast<double>(object.as<std::uint64_t>());
    case 3: return object.as<std::string>();
    default: throw std::runtime_error("a value of unknown type");
  }
}
static_assert(std::is_same_v<config::Value, std::variant<bool, std::int64_t, double, std::string>>);

void pack_written(Packer& packer, const config::Settings& written) {
  packer.pack_array(static_cast<std::uint32_t>(written.size()));
  for (const auto& [key, placed] : written) {
    packer.pack_array(7);
    packer.pack(key);
    pack_value(packer, placed.value);
    packer.pack(placed.place.file);
    packer.pack(placed.place.line);
    packer.pack(placed.place.column);
    packer.pack(placed.place.source_line);
  }
}

config::Settings read_written(const msgpack::object& object) {
  config::Settings written;
  for (const msgpack::object& entry : object.as<std::vector<msgpack::object>>()) {
    const auto parts = items(entry, 7);
    written[parts[0].as<std::string>()] = {
        read_value(parts[1], parts[2]),
        {parts[3].as<std::string>(), parts[4].as<int>(), parts[5].as<int>(), parts[6].as<std::string>()}};
  }
  return written;
}

void pack_origin(Packer& packer, const std::optional<train::Origin>& origin) {
  if (!origin) {
    packer.pack_nil();
    return;
  }
  packer.pack_array(4);
  packer.pack(origin->use == train::Origin::Use::kFork);
  packer.pack(origin->folder);
  packer.pack(origin->step);
  packer.pack(origin->commands);
}

std::optional<train::Origin> read_origin(const msgpack::object& object) {
  if (object.is_nil()) return std::nullopt;
  const auto parts = items(object, 4);
  train::Origin origin;
  origin.use = parts[0].as<bool>() ? train::Origin::Use::kFork : train::Origin::Use::kContinue;
  origin.folder = parts[1].as<std::string>();
  origin.step = parts[2].as<std::int64_t>();
  origin.commands = parts[3].as<std::int64_t>();
  return origin;
}

void pack_script(Packer& packer, const std::vector<train::ScheduledCommand>& script) {
  packer.pack_array(static_cast<std::uint32_t>(script.size()));
  for (const train::ScheduledCommand& scheduled : script) {
    packer.pack_array(2);
    packer.pack(scheduled.step);
    packer.pack(bus::to_json(scheduled.command));
  }
}

std::vector<train::ScheduledCommand> read_script(const msgpack::object& object) {
  std::vector<train::ScheduledCommand> script;
  for (const msgpack::object& entry : object.as<std::vector<msgpack::object>>()) {
    const auto parts = items(entry, 2);
    Result<bus::Command> command = bus::command_from_json(parts[1].as<std::string>());
    if (!command) throw std::runtime_error(command.error().front().message);
    script.push_back({parts[0].as<std::int64_t>(), std::move(*command)});
  }
  return script;
}

/// Throws whatever MessagePack throws. `config_toml` and `written` stand apart until they are checked.
train::RunRequest unpack(std::string_view bytes, std::string& config_toml, config::Settings& written) {
  const msgpack::unpack_limit limit(kMostItems, 0, kMostText, 0, 0, kMostDepth);
  std::size_t end = 0;
  const msgpack::object_handle handle = msgpack::unpack(bytes.data(), bytes.size(), end, nullptr, nullptr, limit);
  if (end != bytes.size()) throw std::runtime_error("bytes behind its end");
  const auto parts = items(handle.get(), kFields);
  if (parts[0].as<int>() != kVersion) throw std::runtime_error("another version");
  config_toml = parts[1].as<std::string>();
  written = read_written(parts[2]);
  train::RunRequest request;
  request.source_text = parts[3].as<std::string>();
  request.folder = parts[4].as<std::string>();
  request.origin = read_origin(parts[5]);
  request.cache_folder = parts[6].as<std::string>();
  request.start_paused = parts[7].as<bool>();
  request.watched = parts[8].as<bool>();
  request.measured = parts[9].as<bool>();
  request.pause_when_disk_full = parts[10].as<bool>();
  request.script = read_script(parts[11]);
  return request;
}

}  // namespace

std::string request_bytes(const train::RunRequest& request, const config::MethodInfo& method) {
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  packer.pack_array(kFields);
  packer.pack(kVersion);
  packer.pack(config::to_toml(request.config, method));
  pack_written(packer, request.config.written);
  packer.pack(request.source_text);
  packer.pack(request.folder);
  pack_origin(packer, request.origin);
  packer.pack(request.cache_folder);
  packer.pack(request.start_paused);
  packer.pack(request.watched);
  packer.pack(request.measured);
  packer.pack(request.pause_when_disk_full);
  pack_script(packer, request.script);
  return {buffer.data(), buffer.size()};
}

Result<train::RunRequest> read_request(std::string_view bytes, const config::MethodCatalogue& catalogue) {
  try {
    std::string toml;
    config::Settings written;
    train::RunRequest request = unpack(bytes, toml, written);
    auto config = config::read_run_config(toml, "the configuration sent", catalogue);
    if (!config) return config.error();
    request.config = std::move(*config);
    request.config.written = std::move(written);
    return request;
  } catch (const std::exception& failure) {
    return error(std::string("this is not the description of a run: ") + failure.what());
  }
}

}  // namespace moescope::app
