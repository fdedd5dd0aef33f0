#pragma once
// From what the user wrote to a checked RunConfig: finds the method, then checks every key against its schema and
// collects all messages. Threads: one reader, one thread.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/config/toml_document.h"

namespace moescope::config {

class RunReader {
 public:
  RunReader(const MethodCatalogue& catalogue, std::string file_name)
      : catalogue_(catalogue), file_name_(std::move(file_name)) {}

  /// A later entry of the same key wins. `bare` is the text of an override, taken as it is by keys that want a text.
  void take(const TomlDocument& document);
  void take(const TomlEntry& entry, const std::string& bare = {});
  void complain(const Diagnostics& diagnostics);

  /// The configuration, or everything that is wrong, sorted by place.
  Result<RunConfig> finish();

 private:
  struct Entry {
    TomlEntry toml;
    std::string bare;
  };

  const MethodInfo* method();
  void check_tables();
  void check_entry(const Entry& entry);
  void unknown_key(const TomlEntry& entry);
  std::string hint_for_unknown(const std::string& section, const std::string& name) const;
  std::vector<std::string> methods_with(const std::string& section, const std::string& name) const;
  void report(const Place& place, std::string message, std::string hint = {});

  const MethodCatalogue& catalogue_;
  std::string file_name_;
  std::map<std::string, Entry> entries_;
  std::vector<TomlTable> tables_;
  std::map<std::string, FieldSpec> fields_;
  bool method_known_ = false;
  std::string method_id_;
  std::map<std::string, Value> values_;  ///< of the entries found good
  std::set<std::string> bad_;
  std::set<std::string> unknown_sections_;
  Diagnostics diagnostics_;
  Settings written_;
};

/// `values` by full key, completed with the defaults of `fields`, as the typed structs.
RunConfig assemble(const MethodInfo& method, const std::map<std::string, Value>& values);

}  // namespace moescope::config
