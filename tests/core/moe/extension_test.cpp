// The seam for new methods, end to end: two methods written here, in a test file, and registered as any other. One
// lists assignments, one is a soft mixture. Neither the layer, nor the reader, nor the checks know of them, and the
// invariants and the gradient test, linked into this program, run over them unasked.

#include "core/moe/router_base.h"
#include "core/moe/score_head.h"
#include "core/moe/softmax_topk.h"
#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

struct SecondBestConfig {
  double sharpness = 1;
  int router_dim = 0;
};

config::FieldList<SecondBestConfig> second_best_fields() {
  return {config::field(&SecondBestConfig::sharpness, "sharpness", "factor on the scores before the softmax")
              .above(0)
              .range(0, 10)
              .live(),
          router_dim_field<SecondBestConfig>()};
}

/// Sends every token to its best two experts, each with the probability of the other.
class SecondBestRouter : public RouterBase<SecondBestConfig> {
 public:
  SecondBestRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, second_best_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, false, Init::normal(0.5)}, context.prefix,
              parameters) {
    keep_parameters(context, parameters);
  }
  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    const SoftmaxTopk choice = choose(input, scores_TE * config_.sharpness, 2);
    Routing routing = routing_of(input, scores_TE, choice);
    routing.assignment = token_choice(choice.expert_TK, choice.probs_TE.gather(1, choice.expert_TK.flip(1)));
    return routing;
  }
  int top_k() const override { return 2; }
  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  ScoreHead head_;
};

Diagnostics check_second_best(const config::RunConfig& config) {
  if (config.moe.num_experts >= 2) return {};
  return {config::error_at(config, "moe.num_experts", "a second best needs two experts")};
}

Method make_second_best() {
  config::MethodInfo info;
  info.id = "second_best";
  info.title = "Second best";
  info.summary = "a toy of the tests";
  info.paper = "none";
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.stages = {{"train", "Train", "all of it"}};
  info.router = config::schema_of("moe.router", second_best_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<SecondBestRouter>(std::move(info));
  method.check = check_second_best;
  return method;
}

struct SlotMixConfig {
  int slots = 2;
};

config::FieldList<SlotMixConfig> slot_mix_fields() {
  return {config::field(&SlotMixConfig::slots, "slots", "slots per expert").range(1, 16)};
}

/// Soft MoE (Puigcerver et al. 2023): dispatch is a softmax over tokens, combine one over slots.
class SlotMixRouter : public RouterBase<SlotMixConfig> {
 public:
  SlotMixRouter(const RouterContext& context, ParameterSet& parameters) : RouterBase(context, slot_mix_fields()) {
    phi_SD_ = parameters.add(context.prefix + ".phi", {num_experts_ * config_.slots, context.d_model},
                             Init::normal(0.5), ParameterRole::kRouter);
    keep_parameters(context, parameters);
  }
  Routing route(const RouterInput& input) override {
    const at::Tensor logits_TS = at::linear(input.hidden_TD, phi_SD_);
    const std::int64_t T = input.hidden_TD.size(0);
    const std::vector<std::int64_t> shape = {1, T, num_experts_, config_.slots};
    Routing routing;
    routing.assignment = DenseRouting{at::arange(T, at::kLong).unsqueeze(0), at::softmax(logits_TS, 0).reshape(shape),
                                      at::softmax(logits_TS, 1).reshape(shape)};
    return routing;
  }
  int top_k() const override { return static_cast<int>(num_experts_); }

 private:
  at::Tensor phi_SD_;
};

Method make_slot_mix() {
  config::MethodInfo info;
  info.id = "slot_mix";
  info.title = "Slot mix";
  info.summary = "a toy of the tests";
  info.paper = "after Puigcerver et al., ICLR 2024";
  info.traits.causal = false;
  info.traits.causal_evaluation = false;
  info.traits.mixes_sequences = true;
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.stages = {{"train", "Train", "all of it"}};
  info.router = config::schema_of("moe.router", slot_mix_fields());
  return method_with_router<SlotMixRouter>(std::move(info));
}

const RegisterMethod registered_second_best{make_second_best()};
const RegisterMethod registered_slot_mix{make_slot_mix()};

TEST(Extension, MethodsFromATestFileStandInTheRegistry) {
  EXPECT_NE(find_method("second_best"), nullptr);
  EXPECT_NE(find_method("slot_mix"), nullptr);
  EXPECT_NE(config::find_method(method_catalogue(), "second_best"), nullptr);
  EXPECT_NE(find_method("stablemoe"), nullptr) << "beside the registered ones";
}

TEST(Extension, TheReaderKnowsTheFields) {
  const auto good = config::read_run_config("[moe]\nmethod = \"second_best\"\n[moe.router]\nsharpness = 2\n", "a.toml",
                                            method_catalogue());
  ASSERT_TRUE(good.has_value()) << format(good.error());
  EXPECT_EQ(std::get<double>(good->router.at("sharpness")), 2);
  EXPECT_EQ(std::get<std::int64_t>(good->router.at("router_dim")), 0);
  const auto bad = config::read_run_config("[moe]\nmethod = \"second_best\"\n[moe.router]\nsharpnes = 2\n", "a.toml",
                                           method_catalogue());
  ASSERT_FALSE(bad.has_value());
  EXPECT_NE(format(bad.error()).find("sharpness"), std::string::npos) << "did you mean";
}

TEST(Extension, ItsOwnRuleIsAsked) {
  const auto config =
      config::read_run_config("[moe]\nmethod = \"second_best\"\nnum_experts = 1\n", "a.toml", method_catalogue());
  ASSERT_TRUE(config.has_value()) << format(config.error());
  const Diagnostics found = check_run(*config);
  EXPECT_TRUE(has_errors(found));
  EXPECT_NE(format(found).find("a.toml:3:15: error: a second best needs two experts"), std::string::npos)
      << format(found);
}

TEST(Extension, TheLayerRunsAndTheRouterLearns) {
  for (const std::string id : {"second_best", "slot_mix"}) {
    test::ToyLayer toy(id, test::ToyShape{});
    const at::Tensor hidden_TD = test::draws({20, 4}, 1);
    const at::Tensor target_TD = test::draws({20, 4}, 2);
    double first = 0;
    double last = 0;
    for (int step = 0; step < 60; ++step) {
      const at::Tensor loss = at::mse_loss(toy.layer->forward(test::input_of(hidden_TD)).delta_TD, target_TD);
      (step == 0 ? first : last) = loss.item<double>();
      loss.backward();
      for (Parameter& one : toy.parameters.all()) {
        if (one.tensor.grad().defined()) one.tensor.detach().sub_(one.tensor.grad(), 0.3);
        one.tensor.mutable_grad() = at::Tensor();
      }
    }
    EXPECT_LT(last, 0.95 * first) << id;
  }
}

TEST(Extension, LiveFieldsAreSetByName) {
  test::ToyLayer toy("second_best", test::ToyShape{});
  EXPECT_EQ(toy.router().set("sharpness", 3.0), "");
  EXPECT_EQ(toy.router().set("router_dim", std::int64_t{2}), "'router_dim' cannot change while running");
}

}  // namespace
}  // namespace moescope::moe
