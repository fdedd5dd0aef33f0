#pragma once
// Declared once: a config struct lists its fields with key, help, range or choices, and whether each may change while
// running. The same list feeds the TOML reader, --set, the form, the command check, the documentation and the record
// of a run. Defaults are the struct's member initialisers and nothing else.
//
//   struct SwitchConfig { double balance_coefficient = 0.01; … };
//   FieldList<SwitchConfig> switch_fields() {
//     return {field(&SwitchConfig::balance_coefficient, "balance_coefficient", "weight of the load-balance loss")
//                 .range(0, 100).live(), …};
//   }
//
// Threads: plain values, immutable after construction.

#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/config/value.h"

namespace moescope::config {

enum class ValueType { kBool, kInteger, kNumber, kText };

/// What anyone may know of a field without knowing its struct.
struct FieldSpec {
  std::string key;   ///< inside its section, snake_case
  std::string help;  ///< one sentence, no full stop
  ValueType type = ValueType::kNumber;
  Value default_value;
  double minimum = -std::numeric_limits<double>::infinity();  ///< inclusive, numbers only
  double maximum = std::numeric_limits<double>::infinity();   ///< inclusive, numbers only
  bool minimum_excluded = false;
  std::vector<std::string> choices;  ///< text only; empty: any text
  std::string unit;                  ///< "steps", "tokens"; empty: a plain number
  bool live = false;                 ///< may change while running, through `set <section>.<key> <value>`
  bool logarithmic = false;          ///< a slider moves it by factors
};

/// A section of the configuration as a plain value: what forms, readers and documentation walk.
struct Schema {
  std::string section;  ///< "moe.router"; empty for the top level
  std::vector<FieldSpec> fields;
};

template <class Struct>
class Field {
 public:
  FieldSpec spec;
  std::function<Value(const Struct&)> get;
  /// Requires: the value has the field's type (check_value() says so).
  std::function<void(Struct&, const Value&)> set;

  Field& range(double minimum, double maximum) {
    spec.minimum = minimum;
    spec.maximum = maximum;
    return *this;
  }
  Field& above(double minimum) {
    spec.minimum = minimum;
    spec.minimum_excluded = true;
    return *this;
  }
  Field& choices(std::vector<std::string> words) {
    spec.choices = std::move(words);
    return *this;
  }
  Field& unit(std::string name) {
    spec.unit = std::move(name);
    return *this;
  }
  Field& live() {
    spec.live = true;
    return *this;
  }
  Field& logarithmic() {
    spec.logarithmic = true;
    return *this;
  }
};

template <class Struct>
using FieldList = std::vector<Field<Struct>>;

/// A field over a bool, int, int64_t, double or std::string member.
template <class Struct, class Member>
Field<Struct> field(Member Struct::*member, const std::string& key, const std::string& help) {
  Field<Struct> made;
  made.spec.key = key;
  made.spec.help = help;
  if constexpr (std::is_same_v<Member, bool>) {
    made.spec.type = ValueType::kBool;
    made.get = [member](const Struct& s) { return Value(s.*member); };
    made.set = [member](Struct& s, const Value& v) { s.*member = std::get<bool>(v); };
  } else if constexpr (std::is_integral_v<Member>) {
    made.spec.type = ValueType::kInteger;
    if constexpr (sizeof(Member) < sizeof(std::int64_t)) {  // what the member cannot hold is out of range
      made.spec.minimum = static_cast<double>(std::numeric_limits<Member>::min());
      made.spec.maximum = static_cast<double>(std::numeric_limits<Member>::max());
    }
    made.get = [member](const Struct& s) { return Value(static_cast<std::int64_t>(s.*member)); };
    made.set = [member](Struct& s, const Value& v) { s.*member = static_cast<Member>(std::get<std::int64_t>(v)); };
  } else if constexpr (std::is_floating_point_v<Member>) {
    made.spec.type = ValueType::kNumber;
    made.get = [member](const Struct& s) { return Value(static_cast<double>(s.*member)); };
    made.set = [member](Struct& s, const Value& v) { s.*member = static_cast<Member>(std::get<double>(v)); };
  } else {
    static_assert(std::is_same_v<Member, std::string>, "a field is a bool, an integer, a number or a text");
    made.spec.type = ValueType::kText;
    made.get = [member](const Struct& s) { return Value(s.*member); };
    made.set = [member](Struct& s, const Value& v) { s.*member = std::get<std::string>(v); };
  }
  made.spec.default_value = made.get(Struct{});
  return made;
}

template <class Struct>
Schema schema_of(std::string section, const FieldList<Struct>& fields) {
  Schema schema{std::move(section), {}};
  for (const Field<Struct>& one : fields) schema.fields.push_back(one.spec);
  return schema;
}

/// "a whole number", "a text in quotes": what a value of this type is called in messages.
std::string type_in_words(ValueType type);

/// An empty text when `value` fits `spec`, else what is wrong with it: "'top_k' is 9, allowed is 1 to 8".
/// An integer is accepted for a number field; coerce() turns it into one.
std::string check_value(const FieldSpec& spec, const Value& value);

/// What `spec` allows, as messages and help say it: "1 to 8", "more than 0", "cosine or constant". Empty: anything.
std::string range_text(const FieldSpec& spec);

/// `value` as the field's type. Requires: check_value() found nothing.
Value coerce(const FieldSpec& spec, const Value& value);

/// The values of one section, keys without the section's name: fills `target` and leaves other fields alone.
/// Requires: the values passed check_value().
template <class Struct>
void assign(const FieldList<Struct>& fields, const std::map<std::string, Value>& values, Struct& target) {
  for (const Field<Struct>& one : fields) {
    const auto found = values.find(one.spec.key);
    if (found != values.end()) one.set(target, coerce(one.spec, found->second));
  }
}

/// Every field of `source` by key.
template <class Struct>
std::map<std::string, Value> values_of(const FieldList<Struct>& fields, const Struct& source) {
  std::map<std::string, Value> values;
  for (const Field<Struct>& one : fields) values.emplace(one.spec.key, one.get(source));
  return values;
}

}  // namespace moescope::config
