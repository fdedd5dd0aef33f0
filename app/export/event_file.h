#pragma once
// TensorBoard's event files: records (length, its checksum, bytes, their checksum) that hold Event messages.
// The few protobuf fields are written here by hand: Debian's SentencePiece exports a protobuf of its own, older than
// libprotobuf, and one program cannot hold both safely.
// Sources: tensorflow/core/lib/io/record_writer.h (framing, masked CRC-32C), tensorflow/core/util/event.proto and
// framework/summary.proto (field numbers), RFC 3720 appendix B.4 (CRC-32C).
// Threads: pure functions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::exports {

/// CRC-32C (Castagnoli) of `bytes`.
std::uint32_t crc32c(std::string_view bytes);

/// `message` as one record of the file.
std::string event_record(std::string_view message);

/// The message a file begins with.
std::string version_event(double wall_time);

/// One named value of a step.
struct EventScalar {
  std::string tag;
  float value = 0;
};
/// Counts over [0, count_E.size()): bucket e is e − 0.5 to e + 0.5.
struct EventHistogram {
  std::string tag;
  std::vector<double> count_E;
};
/// `wall_time` in seconds since 1970.
std::string summary_event(double wall_time, std::int64_t step, const std::vector<EventScalar>& scalars,
                          const std::vector<EventHistogram>& histograms);

}  // namespace moescope::exports
