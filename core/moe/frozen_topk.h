#pragma once
// A linear router left at its random start, k best, softmax over the chosen scores: SMoE-Dropout, and the control that
// tells learning from routing. Threads: trainer thread only.

#include <utility>

#include "core/moe/score_head.h"
#include "core/moe/topk_router.h"

namespace moescope::moe {

template <class Config>
class FrozenTopkRouter : public TopkRouter<Config> {
 public:
  /// Scores are not detached: hidden states still learn from the gates.
  Routing route(const RouterInput& input) override {
    SoftmaxTopk choice;
    return this->route_scores(input, head_.scores_TE(head_.vectors_TR(input.hidden_TD)), choice);
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 protected:
  FrozenTopkRouter(const RouterContext& context, ParameterSet& parameters, config::FieldList<Config> fields)
      : TopkRouter<Config>(context, std::move(fields)),
        head_({context.d_model, context.num_experts, /*router_dim=*/0, /*bias=*/true, Init::normal(0.02),
               /*fixed=*/true},
              context.prefix, parameters) {
    this->keep_parameters(context, parameters);
  }

 private:
  ScoreHead head_;
};

}  // namespace moescope::moe
