#include <gtest/gtest.h>

#include <cmath>

#include "core/base/seed.h"
#include "tests/core/config/catalogue.h"

namespace moescope::config {
namespace {

std::string random_text(SeededWords& words) {
  const std::vector<std::string> pieces{"a", "B", " ", "\"", "\\", "'", "#", "=",
                                        "ä", "→", "[", "0",  ".",  "/", "{", "\xF0\x9F\x99\x82"};
  std::string text = "x";
  for (std::uint64_t i = words.below(12); i > 0; --i) text += pieces[words.below(pieces.size())];
  return text;
}

Value random_value(const FieldSpec& spec, SeededWords& words) {
  const double low = std::max(spec.minimum, -1e6), high = std::min(spec.maximum, 1e6);
  switch (spec.type) {
    case ValueType::kBool: return words.below(2) == 1;
    case ValueType::kInteger: return static_cast<std::int64_t>(std::floor(low + words.unit() * (high - low)));
    case ValueType::kNumber:
      // Half of them tiny, where a careless writer loses digits; never the excluded end itself.
      return words.below(2) == 1 ? high - words.unit() * (high - low) : std::max(low, 0.0) + 1e-9 * (1 + words.unit());
    case ValueType::kText:
      return spec.choices.empty() ? random_text(words) : spec.choices[words.below(spec.choices.size())];
  }
  return false;
}

/// Rules over several keys would refuse most random values; those keys stay as they are.
bool is_free(const std::string& key) {
  return key != "moe.method" && key != "moe.layers" && key != "moe.num_experts" && key != "moe.router.top_k" &&
         key != "moe.expert_sublayers" && key != "model.d_model" && key != "model.num_heads" &&
         key != "model.context" && key != "train.batch_size" && key != "model.num_layers" && key != "data.source" &&
         key != "data.target";
}

TEST(ToToml, ReadsBackAsTheSameConfiguration) {
  const MethodCatalogue catalogue = test_catalogue();
  SeededWords words(7);
  for (int round = 0; round < 100; ++round) {
    const MethodInfo& method = catalogue[words.below(catalogue.size())];
    std::map<std::string, Value> values{{"moe.method", method.id}};
    for (const auto& [key, spec] : run_fields(method))
      if (is_free(key)) values[key] = random_value(spec, words);
    const auto config = run_config_from(values, catalogue);
    ASSERT_TRUE(config) << format(config.error());
    const std::string text = to_toml(*config, method);
    const auto again = read_run_config(text, "again.toml", catalogue);
    ASSERT_TRUE(again) << format(again.error()) << text;
    ASSERT_EQ(values_of(*again, method), values_of(*config, method)) << text;
    ASSERT_EQ(to_toml(*again, method), text);
  }
}

TEST(ToToml, NamesEveryFieldWithItsHelp) {
  const MethodCatalogue catalogue = test_catalogue();
  const auto config = read_run_config("[moe]\nmethod = \"smoe\"\n", "run.toml", catalogue);
  const std::string text = to_toml(*config, *find_method(catalogue, "smoe"));
  EXPECT_TRUE(
      text.starts_with("name = \"run\"                  # what the run is called, in lists and in its folder's name\n"
                       "seed = 7                      # every random draw follows from it (0 or more)\n"
                       "\n"
                       "[data]\n"
                       "corpus = \"manuals\"            # a built-in corpus (manuals, catalogs, synthetic, "
                       "synthetic_pairs), or the path of a file or "
                       "folder\n"))
      << text;
  EXPECT_NE(text.find("\n[moe.router]\n"
                      "top_k = 2                     # experts each token chooses (1 to 64; live)\n"
                      "balance_coefficient = 0.01    # weight of the balance loss (0 to 100; live)\n"
                      "\n[train]\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nsteps = 1500                  # length of the run (1 to 10,000,000 steps)\n"),
            std::string::npos);
}

}  // namespace
}  // namespace moescope::config
