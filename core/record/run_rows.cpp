#include "core/record/run_rows.h"

#include <algorithm>

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "core/base/assert.h"
#include "core/bus/command_json.h"

namespace moescope::record {
namespace {

using telemetry::Event;

constexpr std::array<std::pair<CheckpointKind, std::string_view>, 6> kCheckpointKinds = {{
    {CheckpointKind::kRegular, "regular"},
    {CheckpointKind::kStage, "stage"},
    {CheckpointKind::kAsked, "asked"},
    {CheckpointKind::kStart, "start"},
    {CheckpointKind::kFinal, "final"},
    {CheckpointKind::kTainted, "tainted"},
}};

constexpr std::array<std::pair<Event::Kind, std::string_view>, 4> kEventKinds = {{
    {Event::Kind::kStageSwitch, "stage_switch"},
    {Event::Kind::kCommand, "command"},
    {Event::Kind::kProbeSpacing, "probe_spacing"},
    {Event::Kind::kNotice, "notice"},
}};

template <class Kind, std::size_t N>
std::string name_in(const std::array<std::pair<Kind, std::string_view>, N>& table, Kind kind) {
  for (const auto& [known, name] : table)
    if (known == kind) return std::string(name);
  return "unknown";
}

template <class Kind, std::size_t N>
std::optional<Kind> kind_in(const std::array<std::pair<Kind, std::string_view>, N>& table, std::string_view name) {
  for (const auto& [kind, known] : table)
    if (known == name) return kind;
  return std::nullopt;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  MOESCOPE_ASSERT(done == 1, "SHA-256 is part of every OpenSSL");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

}  // namespace

std::string chain_hash(const std::string& before, std::int64_t number, std::int64_t apply_step,
                       const bus::Command& command) {
  // Lines, so that no two rows give the same text: JSON on one line holds no line end.
  return sha256_hex(before + '\n' + std::to_string(number) + '\n' + std::to_string(apply_step) + '\n' +
                    bus::to_json(command));
}

std::string checkpoint_kind_name(CheckpointKind kind) { return name_in(kCheckpointKinds, kind); }
std::optional<CheckpointKind> checkpoint_kind_from(std::string_view name) { return kind_in(kCheckpointKinds, name); }

const EventRow* failure_at_end(const std::vector<EventRow>& events, std::int64_t last_step) {
  const auto failure =
      std::find_if(events.rbegin(), events.rend(), [](const EventRow& event) { return event.kind == "failure"; });
  return failure != events.rend() && failure->step >= last_step ? &*failure : nullptr;
}

std::string event_kind_name(telemetry::Event::Kind kind) { return name_in(kEventKinds, kind); }
std::optional<telemetry::Event::Kind> event_kind_from(std::string_view name) { return kind_in(kEventKinds, name); }

}  // namespace moescope::record
