// Every message a wrong configuration can get, as whole text.
#include <gtest/gtest.h>

#include "tests/core/config/catalogue.h"

namespace moescope::config {
namespace {

TEST(Messages, MoreChoicesThanExperts) {
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n\n\n\nnum_experts = 8\n[moe.router]\ntop_k = 9\n"),
            "run.toml:8:9: error: 'top_k' is 9, but this layer has 8 experts\n"
            "    8 | top_k = 9\n"
            "      |         ^\n"
            "hint: 'num_experts' is set on line 6; top_k may be 1 to 8\n");
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n[moe.router]\ntop_k = 9\n"),
            "run.toml:4:9: error: 'top_k' is 9, but this layer has 8 experts\n"
            "    4 | top_k = 9\n"
            "      |         ^\n"
            "hint: 'num_experts' is 8 by default; top_k may be 1 to 8\n");
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\nnum_experts = 1\n"),
            "run.toml:3:15: error: 'top_k' is 2, but this layer has 1 expert\n"
            "    3 | num_experts = 1\n"
            "      |               ^\n"
            "hint: 'top_k' is 2 by default; top_k may be 1\n");
}

TEST(Messages, FromTheCommandLineNameTheOption) {
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\nnum_experts = 8\n", {"moe.router.top_k=9"}),
            "--set moe.router.top_k=9: error: 'top_k' is 9, but this layer has 8 experts\n"
            "hint: 'num_experts' is set on line 3; top_k may be 1 to 8\n");
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n[moe.router]\ntop_k = 9\n", {"moe.num_experts=4"}),
            "run.toml:4:9: error: 'top_k' is 9, but this layer has 4 experts\n"
            "    4 | top_k = 9\n"
            "      |         ^\n"
            "hint: 'num_experts' is set by --set moe.num_experts=4; top_k may be 1 to 4\n");
  EXPECT_EQ(messages("", {"train.lr=fast"}), "--set train.lr=fast: error: 'lr' is \"fast\", but must be a number\n");
  EXPECT_EQ(messages("", {"trian.lr=0.1"}),
            "--set trian.lr=0.1: error: unknown key 'trian.lr'\nhint: did you mean 'train.lr'?\n");
  EXPECT_EQ(messages("", {"train.lr"}),
            "--set train.lr: error: there is no '='\nhint: write --set key=value, like --set train.lr=0.002\n");
  EXPECT_EQ(messages("", {"=3"}),
            "--set =3: error: there is no key before '='\nhint: write --set key=value, like --set train.lr=0.002\n");
  EXPECT_EQ(
      messages("", {"seed="}),
      "--set seed=: error: there is no value after '='\nhint: write --set key=value, like --set train.lr=0.002\n");
  EXPECT_EQ(messages("", {"seed=1\nname=2"}),
            "--set seed=1\\x0Aname=2: error: 'seed' is \"1\\u000Aname=2\", but must be a whole number\n");
  EXPECT_EQ(messages("", {"seed=[1]"}), "--set seed=[1]: error: 'seed' is an array, but must be a whole number\n");
}

TEST(Messages, UnknownKey) {
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n[moe.router]\ntop_kk = 2\n"),
            "run.toml:4:1: error: unknown key 'top_kk' in [moe.router]\n"
            "    4 | top_kk = 2\n"
            "      | ^\n"
            "hint: did you mean 'top_k'?\n");
  EXPECT_EQ(messages("[train]\nnum_experts = 2\n"),
            "run.toml:2:1: error: unknown key 'num_experts' in [train]\n"
            "    2 | num_experts = 2\n"
            "      | ^\n"
            "hint: 'num_experts' belongs in [moe]\n");
  EXPECT_EQ(messages("[train]\nnum_expert = 2\n"),
            "run.toml:2:1: error: unknown key 'num_expert' in [train]\n"
            "    2 | num_expert = 2\n"
            "      | ^\n"
            "hint: did you mean 'num_experts' in [moe]?\n");
  EXPECT_EQ(messages("[probe]\nfrobnicate = 2\n"),
            "run.toml:2:1: error: unknown key 'frobnicate' in [probe]\n"
            "    2 | frobnicate = 2\n"
            "      | ^\n"
            "hint: keys are every or tokens\n");
  EXPECT_EQ(messages("sede = 2\n"),
            "run.toml:1:1: error: unknown key 'sede' in the top level\n"
            "    1 | sede = 2\n"
            "      | ^\n"
            "hint: did you mean 'seed'?\n");
}

TEST(Messages, AKeyOfAnotherMethod) {
  EXPECT_EQ(messages("[moe]\nmethod = \"switch\"\n[moe.router]\ndistillation_coefficient = 0.1\n"),
            "run.toml:4:1: error: 'distillation_coefficient' belongs to stablemoe, but this run's method is switch\n"
            "    4 | distillation_coefficient = 0.1\n"
            "      | ^\n"
            "hint: remove it, or set method = \"stablemoe\" in [moe]\n");
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n[stages]\nlearn_steps = 10\n"),
            "run.toml:4:1: error: 'learn_steps' belongs to stablemoe, but this run's method is smoe\n"
            "    4 | learn_steps = 10\n"
            "      | ^\n"
            "hint: remove it, or set method = \"stablemoe\" in [moe]\n");
  EXPECT_EQ(messages("[moe]\nmethod = \"smoe\"\n[stages]\nfrobnicate = 10\n"),
            "run.toml:4:1: error: unknown key 'frobnicate' in [stages]\n"
            "    4 | frobnicate = 10\n"
            "      | ^\n"
            "hint: [stages] has no keys with method 'smoe'\n");
}

TEST(Messages, UnknownSectionOnceForAllItHolds) {
  EXPECT_EQ(messages("[modle]\nd_model = 8\nnum_heads = 2\n[modle.sub]\nx = 1\n"),
            "run.toml:1:2: error: unknown section [modle]\n"
            "    1 | [modle]\n"
            "      |  ^\n"
            "hint: did you mean [model]?\n");
  EXPECT_EQ(
      messages("[optimizer]\nlr = 1\n"),
      "run.toml:1:2: error: unknown section [optimizer]\n"
      "    1 | [optimizer]\n"
      "      |  ^\n"
      "hint: sections are [data], [model], [moe], [moe.router], [stages], [train], [probe], [record], [decode]\n");
  EXPECT_EQ(messages("[moe.method]\nid = \"smoe\"\n"),
            "run.toml:1:6: error: unknown section [moe.method]\n"
            "    1 | [moe.method]\n"
            "      |      ^\n"
            "hint: write method = … in [moe]\n");
  EXPECT_EQ(messages("train = 3\n"),
            "run.toml:1:1: error: 'train' is a section, not a key\n"
            "    1 | train = 3\n"
            "      | ^\n"
            "hint: write [train] on a line of its own\n");
}

TEST(Messages, ABuiltInCorpusThatTheObjectiveCannotUse) {
  EXPECT_EQ(
      messages("[model]\nobjective = \"translation\"\n"),
      "run.toml:2:13: error: 'corpus' is \"manuals\", which holds no sentence pairs, but 'objective' is "
      "\"translation\"\n"
      "    2 | objective = \"translation\"\n"
      "      |             ^\n"
      "hint: 'corpus' is \"manuals\" by default; corpora with pairs are catalogs, synthetic_pairs and a source with "
      "its target\n");
  EXPECT_EQ(messages("[data]\ncorpus = \"synthetic\"\n[model]\nobjective = \"classification\"\n"),
            "run.toml:2:10: error: 'corpus' is \"synthetic\", whose texts have no classes, but 'objective' is "
            "\"classification\"\n"
            "    2 | corpus = \"synthetic\"\n"
            "      |          ^\n"
            "hint: 'objective' is set on line 4; manuals has the section of each page\n");
  EXPECT_EQ(messages("[data]\ncorpus = \"catalogs\"\n[model]\nobjective = \"translation\"\n"), "accepted");
}

TEST(Messages, AlignedFilesAreTwoAndNoCorpusBesideThem) {
  EXPECT_EQ(messages("[data]\nsource = \"a.en\"\n"),
            "run.toml:2:10: error: 'source' is set, but 'target' is not\n"
            "    2 | source = \"a.en\"\n"
            "      |          ^\n"
            "hint: aligned files are two: name both data.source and data.target\n");
  EXPECT_EQ(messages("[data]\ncorpus = \"synthetic\"\nsource = \"a.en\"\ntarget = \"a.de\"\n"),
            "run.toml:2:10: error: 'corpus' is \"synthetic\", but 'source' and 'target' name the texts too\n"
            "    2 | corpus = \"synthetic\"\n"
            "      |          ^\n"
            "hint: remove corpus, or source and target\n");
}

TEST(Messages, UnknownMethod) {
  EXPECT_EQ(messages("[moe]\nmethod = \"stablemo\"\n[moe.router]\nwhatever = 1\n"),
            "run.toml:2:10: error: there is no method 'stablemo', allowed is smoe, stablemoe or switch\n"
            "    2 | method = \"stablemo\"\n"
            "      |          ^\n"
            "hint: did you mean 'stablemoe'?\n");
  EXPECT_EQ(messages("[moe]\nmethod = 3\n"),
            "run.toml:2:10: error: 'method' is 3, but must be a text in quotes\n"
            "    2 | method = 3\n"
            "      |          ^\n");
  EXPECT_EQ(messages("", {"moe.method=xyzzy"}),
            "--set moe.method=xyzzy: error: there is no method 'xyzzy', allowed is smoe, stablemoe or switch\n");
}

TEST(Messages, TypeRangeAndChoice) {
  EXPECT_EQ(messages("[train]\nsteps = 0\nlr = \"fast\"\nschedule = \"cosin\"\nbatch_size = [8]\n"),
            "run.toml:2:9: error: 'steps' is 0, allowed is 1 to 10,000,000\n"
            "    2 | steps = 0\n"
            "      |         ^\n"
            "run.toml:3:6: error: 'lr' is \"fast\", but must be a number\n"
            "    3 | lr = \"fast\"\n"
            "      |      ^\n"
            "run.toml:4:12: error: 'schedule' is \"cosin\", allowed is cosine or constant\n"
            "    4 | schedule = \"cosin\"\n"
            "      |            ^\n"
            "hint: did you mean \"cosine\"?\n"
            "run.toml:5:14: error: 'batch_size' is an array, but must be a whole number\n"
            "    5 | batch_size = [8]\n"
            "      |              ^\n");
}

TEST(Messages, HeadsThatDoNotDivideTheWidth) {
  EXPECT_EQ(messages("[model]\nnum_heads = 5\nd_model = 64\n"),
            "run.toml:3:11: error: 'd_model' is 64, which 5 heads cannot share evenly\n"
            "    3 | d_model = 64\n"
            "      |           ^\n"
            "hint: 'num_heads' is set on line 2; d_model may be 60 or 65\n");
  EXPECT_EQ(messages("[model]\nnum_heads = 5\n"),
            "run.toml:2:13: error: 'd_model' is 64, which 5 heads cannot share evenly\n"
            "    2 | num_heads = 5\n"
            "      |             ^\n"
            "hint: 'd_model' is 64 by default; d_model may be 60 or 65\n");
  EXPECT_EQ(messages("[model]\nnum_heads = 4\nd_model = 12\npositions = \"rotary\""),
            "run.toml:3:11: error: 'd_model' is 12, which gives each head an odd width of 3, but rotary positions turn "
            "pairs\n"
            "    3 | d_model = 12\n"
            "      |           ^\n"
            "hint: 'num_heads' is set on line 2; d_model may be 16\n");
}

TEST(Messages, LayersThatAreNotThere) {
  EXPECT_EQ(messages("[moe]\nlayers = \"1;2\"\n"),
            "run.toml:2:10: error: 'layers' is \"1;2\", allowed is auto or block numbers like \"1,2,3\"\n"
            "    2 | layers = \"1;2\"\n"
            "      |          ^\n");
  EXPECT_EQ(messages("[moe]\nlayers = \"1,5\"\n"),
            "run.toml:2:10: error: 'layers' names block 5, but the model has 4 blocks\n"
            "    2 | layers = \"1,5\"\n"
            "      |          ^\n"
            "hint: 'num_layers' is 4 by default; blocks are 1 to 4\n");
  EXPECT_EQ(messages("[moe]\nlayers = \"2,2\"\n"),
            "run.toml:2:10: error: 'layers' names block 2 twice\n"
            "    2 | layers = \"2,2\"\n"
            "      |          ^\n");
  for (const char* odd : {"", ",", "1,", "0", "-1", "1 2", "1.0", "99999999999"})
    EXPECT_NE(messages(std::string("[moe]\nlayers = \"") + odd + "\"\n").find("run.toml:2:10: error: 'layers'"),
              std::string::npos)
        << odd;
}

TEST(Messages, AStepTooLargeForAnyLaptop) {
  EXPECT_EQ(messages("[model]\ncontext = 4096\n[train]\nbatch_size = 100\n"),
            "run.toml:4:14: error: 'batch_size' is 100, which with a context of 4096 makes 409,600 tokens a step, "
            "allowed are 262,144\n"
            "    4 | batch_size = 100\n"
            "      |              ^\n"
            "hint: 'context' is set on line 2; batch_size may be 1 to 64\n");
}

TEST(Messages, SublayersInPlaceOfAnFfn) {
  EXPECT_EQ(messages("[moe]\nplacement = \"ffn\"\nexpert_sublayers = 3\n"),
            "run.toml:3:20: error: 'expert_sublayers' is 3, but an expert in place of an FFN has one\n"
            "    3 | expert_sublayers = 3\n"
            "      |                    ^\n"
            "hint: 'placement' is set on line 2; expert_sublayers may be 1\n");
}

TEST(Messages, EmptyNames) {
  EXPECT_EQ(messages("name = \"\"\n"),
            "run.toml:1:8: error: 'name' is empty\n"
            "    1 | name = \"\"\n"
            "      |        ^\n"
            "hint: name the run, like name = \"first\"\n");
}

TEST(Messages, AllAtOnceAndARuleOverABadKeyIsPassedOver) {
  EXPECT_EQ(messages("seed = -1\nname = 3\n[moe]\nmethod = \"smoe\"\nnum_experts = 0\n[moe.router]\ntop_k = 9\n"),
            "run.toml:1:8: error: 'seed' is -1, allowed is 0 or more\n"
            "    1 | seed = -1\n"
            "      |        ^\n"
            "run.toml:2:8: error: 'name' is 3, but must be a text in quotes\n"
            "    2 | name = 3\n"
            "      |        ^\n"
            "run.toml:5:15: error: 'num_experts' is 0, allowed is 1 to 256\n"
            "    5 | num_experts = 0\n"
            "      |               ^\n");
}

}  // namespace
}  // namespace moescope::config
