#include "core/train/determinism.h"

#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/base/text.h"

namespace moescope::train {

namespace {

/// Libraries choose their kernels by model, also between two that have the same instructions.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

std::map<std::string, std::string> determinism_class(const config::RunConfig& config, const Material& material) {
  return {{"moescope", MOESCOPE_VERSION},
          {"compiler", __VERSION__},
          {"torch", TORCH_VERSION},
          {"cpu", at::get_cpu_capability() + " on " + processor()},
          {"threads", std::to_string(material.threads)},
          {"precision", config.train.precision},
          {"device", "CPU"},
          {"corpus", material.corpus->identity}};
}

void use_recorded_threads(const std::map<std::string, std::string>& was, config::TrainConfig& train) {
  const auto threads = was.find("threads");
  if (threads != was.end() && train.threads == 0) train.threads = std::max(0, std::atoi(threads->second.c_str()));
}

void require_same_corpus(const std::map<std::string, std::string>& was, const std::map<std::string, std::string>& is) {
  const auto then = was.find("corpus");
  if (then == was.end() || then->second == is.at("corpus")) return;
  throw std::runtime_error("the corpus is not the one the run was recorded with (" +
                           printable(then->second.substr(0, 8)) + ", here " + is.at("corpus").substr(0, 8) +
                           "); bring the same text back, or start a new run");
}

std::string class_difference(const std::map<std::string, std::string>& was,
                             const std::map<std::string, std::string>& is) {
  std::string text;
  const auto value = [](const std::map<std::string, std::string>& of, const std::string& name) {
    const auto found = of.find(name);
    return found == of.end() ? std::string("not told") : printable(found->second);
  };
  std::map<std::string, std::string> names = was;
  names.insert(is.begin(), is.end());
  for (const auto& [name, ignored] : names) {
    const std::string before = value(was, name), now = value(is, name);
    if (before != now) text += (text.empty() ? "" : "; ") + name + " was " + before + " and is " + now;
  }
  return text;
}

}  // namespace moescope::train
