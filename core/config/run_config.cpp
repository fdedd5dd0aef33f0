#include "core/config/run_config.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/base/text.h"
#include "core/config/override.h"
#include "core/config/run_check.h"
#include "core/config/run_reader.h"

namespace moescope::config {
namespace {

Diagnostic about_file(const std::string& path, std::string message, std::string hint = {}) {
  return {Severity::kError, {path, 0, 0, {}}, std::move(message), std::move(hint)};
}

/// A file of a similar name in the same folder. Endings are alike anyway, so they do not count.
std::string similar_file(const std::filesystem::path& path) {
  std::map<std::string, std::filesystem::path> by_stem;
  std::vector<std::string> stems;
  std::error_code failure;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (std::filesystem::directory_iterator it(folder, failure), end; !failure && it != end && stems.size() < 1000;
       it.increment(failure)) {
    stems.push_back(it->path().stem().string());
    by_stem[stems.back()] = path.parent_path() / it->path().filename();
  }
  const auto nearest = nearest_word(path.stem().string(), stems);
  return nearest ? "did you mean '" + by_stem[*nearest].string() + "'?" : "";
}

std::vector<int> auto_blocks(const RunConfig& config) {
  const int depth = config.model.num_layers;
  std::vector<int> blocks;
  if (config.moe.placement == "ffn") {
    for (int block = 1; block <= depth; ++block) blocks.push_back(block);
    return blocks;
  }
  // After block round(i · depth / (n + 1)): three gaps spread over the depth, fewer when there are fewer.
  const int gaps = std::clamp(depth - 1, 1, 3);
  for (int i = 1; i <= gaps; ++i) blocks.push_back((2 * i * depth + gaps + 1) / (2 * (gaps + 1)));
  return blocks;
}

}  // namespace

Result<std::string> read_config_text(const std::string& path) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found)
    return about_file(path, "there is no such file", similar_file(path));
  if (status.type() == std::filesystem::file_type::directory)
    return about_file(path, "this is a folder, not a configuration file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return about_file(path, std::string("cannot be read: ") + std::strerror(errno));
  // One byte more than allowed is enough to tell, however long the file (or the pipe) goes on.
  std::string text(kMaxTomlBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return about_file(path, std::string("cannot be read: ") + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxTomlBytes)
    return about_file(path, "the file has more than " + with_thousands(kMaxTomlBytes) + " bytes",
                      "is this a configuration file?");
  return text;
}

Result<RunConfig> read_run_config(const std::string& text, const std::string& file_name,
                                  const MethodCatalogue& catalogue, const std::vector<std::string>& overrides) {
  Result<TomlDocument> document = parse_toml(text, file_name);
  if (!document) return document.error();
  RunReader reader(catalogue, file_name);
  reader.take(*document);
  for (const std::string& one : overrides) {
    const Result<Override> parsed = parse_override(one);
    if (parsed) {
      reader.take(parsed->entry, parsed->bare);
    } else {
      reader.complain(parsed.error());
    }
  }
  return reader.finish();
}

Result<RunConfig> load_run_config(const std::string& path, const MethodCatalogue& catalogue,
                                  const std::vector<std::string>& overrides) {
  const Result<std::string> text = read_config_text(path);
  if (!text) return text.error();
  return read_run_config(*text, path, catalogue, overrides);
}

Result<RunConfig> run_config_from(const std::map<std::string, Value>& values, const MethodCatalogue& catalogue) {
  RunReader reader(catalogue, {});
  for (const auto& [key, value] : values) reader.take(TomlEntry{key, value, {}, {}, {}});
  return reader.finish();
}

std::map<std::string, Value> values_of(const RunConfig& config, const MethodInfo& method) {
  std::map<std::string, Value> values;
  const auto add = [&](const std::string& prefix, const std::map<std::string, Value>& section) {
    for (const auto& [key, value] : section) values.emplace(prefix + key, value);
  };
  add("", values_of(top_fields(), config.top));
  add("data.", values_of(data_fields(), config.data));
  add("model.", values_of(model_fields(), config.model));
  add("moe.", values_of(moe_fields(), config.moe));
  add("train.", values_of(train_fields(), config.train));
  add("probe.", values_of(probe_fields(), config.probe));
  add("record.", values_of(record_fields(), config.record));
  add("decode.", values_of(decode_fields(), config.decode));
  for (const FieldSpec& spec : method.router.fields) {
    const auto found = config.router.find(spec.key);
    values.emplace("moe.router." + spec.key, found == config.router.end() ? spec.default_value : found->second);
  }
  for (const FieldSpec& spec : method.stage_schedule.fields) {
    const auto found = config.stages.find(spec.key);
    values.emplace("stages." + spec.key, found == config.stages.end() ? spec.default_value : found->second);
  }
  return values;
}

std::vector<int> moe_blocks(const RunConfig& config) {
  if (config.moe.layers == "auto") return auto_blocks(config);
  std::optional<std::vector<int>> blocks = parse_blocks(config.moe.layers);
  MOESCOPE_ASSERT(blocks.has_value(), "read_run_config() checked moe.layers");
  std::sort(blocks->begin(), blocks->end());
  return *blocks;
}

Diagnostic error_at(const RunConfig& config, const std::string& key, std::string message, std::string hint) {
  Place place;
  const auto found = config.written.find(key);
  if (found != config.written.end()) {
    place = found->second.place;
  } else {
    for (const auto& [other, written] : config.written)
      if (written.place.line > 0) place.file = written.place.file;
  }
  return {Severity::kError, std::move(place), std::move(message), std::move(hint)};
}

}  // namespace moescope::config
