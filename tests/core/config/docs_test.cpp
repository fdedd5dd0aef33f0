#include "core/config/docs.h"

#include <gtest/gtest.h>

#include "tests/core/config/catalogue.h"

namespace moescope::config {
namespace {

TEST(Docs, ASectionIsATable) {
  const MethodCatalogue catalogue = test_catalogue();
  EXPECT_EQ(section_documentation(find_method(catalogue, "stablemoe")->stage_schedule),
            "\n## `[stages]`\n\n"
            "| key | default | allowed | what it is |\n"
            "|---|---|---|---|\n"
            "| `learn_steps` | `400` | 0 to 1,000,000,000 steps | steps of stage 1 |\n");
}

TEST(Docs, NameEveryKeyOfEverySection) {
  const MethodCatalogue catalogue = test_catalogue();
  const std::string text = documentation(catalogue);
  for (const MethodInfo& method : catalogue)
    for (const auto& [key, spec] : run_fields(method))
      EXPECT_NE(text.find("| `" + spec.key + "` |"), std::string::npos) << key;
  EXPECT_NE(text.find("Other defaults: `moe.capacity_factor = 1.25` `moe.placement = \"ffn\"`\n"), std::string::npos);
}

TEST(Docs, ABarInAHelpTextDoesNotEndItsCell) {
  FieldSpec spec;
  spec.key = "key";
  spec.help = "a | b";
  const Schema schema{"x", {spec}};
  EXPECT_NE(section_documentation(schema).find("| a \\| b |"), std::string::npos);
}

}  // namespace
}  // namespace moescope::config
