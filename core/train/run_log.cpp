#include "core/train/run_log.h"

#include <stdexcept>
#include <utility>

#include "core/moe/method.h"
#include "core/train/messages.h"

namespace moescope::train {

RunLog::RunLog(const RunRequest& request) {
  if (request.folder.empty()) return;
  const moe::Method* method = moe::find_method(request.config.moe.method);
  if (!method) throw std::runtime_error("there is no routing method '" + request.config.moe.method + "'");
  auto folder =
      record::RunFolder::create(request.folder, config::to_toml(request.config, method->info), request.source_text);
  if (!folder) throw std::runtime_error(one_line(folder.error()));
  folder_ = std::move(*folder);
}

std::string RunLog::add(const bus::Reply& reply) { return folder_ ? one_line(folder_->add_reply(reply)) : ""; }
std::string RunLog::add(const telemetry::TelemetryFrame& frame) {
  return folder_ ? one_line(folder_->add_frame(frame)) : "";
}
std::string RunLog::flush() { return folder_ ? one_line(folder_->flush()) : ""; }
std::string RunLog::weights_path() const { return folder_ ? folder_->path() + "/final.safetensors" : ""; }

}  // namespace moescope::train
