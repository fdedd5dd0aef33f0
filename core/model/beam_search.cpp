#include "core/model/beam_search.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/topk.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::model {

namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

struct Beam {
  std::vector<std::int64_t> prefix;  ///< begin token first
  double log_prob = 0;
};

/// The search for one source. All of its beams are equally long.
struct Search {
  std::size_t source = 0;
  std::int64_t most_tokens = 0;
  std::vector<Beam> beams;
  std::vector<Hypothesis> finished;
};

double penalty(std::size_t length, double alpha) { return std::pow((5.0 + static_cast<double>(length)) / 6.0, alpha); }

void finish(Search& search, const Beam& beam, double log_prob, bool ended, double alpha) {
  Hypothesis made;
  made.tokens.assign(beam.prefix.begin() + 1, beam.prefix.end());
  made.log_prob = log_prob;
  made.score = log_prob / penalty(made.tokens.size() + (ended ? 1 : 0), alpha);
  made.ended = ended;
  search.finished.push_back(std::move(made));
}

/// No beam can still beat what is finished: log-probabilities only fall, and the penalty is largest at the end.
bool decided(const Search& search, const BeamSettings& settings) {
  if (search.finished.size() >= static_cast<std::size_t>(settings.width)) return true;
  double best = kImpossible, hope = kImpossible;
  for (const Hypothesis& one : search.finished) best = std::max(best, one.score);
  const auto most = static_cast<std::size_t>(search.most_tokens) + 1;
  for (const Beam& beam : search.beams) hope = std::max(hope, beam.log_prob / penalty(most, settings.length_penalty));
  return best >= hope;
}

class BeamSearch {
 public:
  BeamSearch(Translator& model, const BeamSettings& settings) : model_(model), settings_(settings) {
    // A translation consists of words alone.
    const corpus::Specials& special = model.special();
    never_V_ = at::zeros({model.vocab_size()}, at::kFloat);
    // Every special symbol but the end, tags that no label uses included.
    std::vector<std::int32_t> never;
    const int first = std::min({special.bos, special.eos, special.pad, special.mask});
    for (int id = first; id < model_.vocab_size(); ++id) {
      if (id != special.eos) never.push_back(id);
    }
    for (const std::int32_t id : never) never_V_.mutable_data_ptr<float>()[id] = static_cast<float>(kImpossible);
  }

  void begin(const std::vector<std::vector<std::int64_t>>& sources) {
    const Padded grid = padded(sources, model_.special().pad);
    memory_ = model_.encode(grid.tokens_BL, grid.cell_T);
    for (std::size_t s = 0; s < sources.size(); ++s) {
      const auto twice = static_cast<std::int64_t>(2 * sources[s].size() + 10);
      Search search{s, std::min<std::int64_t>(twice, model_.context() - 1), {}, {}};
      search.beams.push_back({{model_.special().bos}, 0});
      running_.push_back(std::move(search));
    }
    best_.resize(sources.size());
  }

  bool running() const { return !running_.empty(); }

  void step() {
    const Candidates top = candidates();
    for (std::size_t s = 0; s < running_.size(); ++s) extend(running_[s], top, s);
    retire([this](const Search& search) {
      const auto length = static_cast<std::int64_t>(search.beams.empty() ? 0 : search.beams.front().prefix.size() - 1);
      return search.beams.empty() || length >= search.most_tokens || decided(search, settings_);
    });
  }

  std::vector<Hypothesis> end() {
    retire([](const Search&) { return true; });
    return std::move(best_);
  }

 private:
  struct Candidates {
    at::Tensor log_prob_SK, index_SK;  ///< index: beam · V + token
  };

  Candidates candidates() {
    const auto S = static_cast<std::int64_t>(running_.size());
    const auto W = static_cast<std::int64_t>(running_.front().beams.size());
    const auto L = static_cast<std::int64_t>(running_.front().beams.front().prefix.size());
    const at::Tensor prefix_RL = at::empty({S * W, L}, at::kLong), so_far_R1 = at::empty({S * W, 1}, at::kDouble);
    auto* token = prefix_RL.mutable_data_ptr<std::int64_t>();
    auto* so_far = so_far_R1.mutable_data_ptr<double>();
    for (const Search& search : running_) {
      for (const Beam& beam : search.beams) {
        token = std::copy(beam.prefix.begin(), beam.prefix.end(), token);
        *so_far++ = beam.log_prob;
      }
    }
    const at::Tensor logits_RV = model_.next_logits(memory_, prefix_RL);
    const at::Tensor log_prob_RV = at::log_softmax(logits_RV, 1) + never_V_;
    const std::int64_t V = logits_RV.size(1);
    const at::Tensor sum_SZ = (log_prob_RV.to(at::kDouble) + so_far_R1).view({S, W * V});
    // Of twice the beam's width at most one in two ends a hypothesis, so enough go on.
    auto [best_SK, index_SK] = at::topk(sum_SZ, std::min<std::int64_t>(2 * settings_.width, W * V), 1);
    return {best_SK.contiguous(), index_SK.contiguous()};
  }

  void extend(Search& search, const Candidates& top, std::size_t s) {
    const auto K = static_cast<std::size_t>(top.index_SK.size(1)), width = static_cast<std::size_t>(settings_.width);
    const double* log_prob_K = top.log_prob_SK.const_data_ptr<double>() + s * K;
    const std::int64_t* index_K = top.index_SK.const_data_ptr<std::int64_t>() + s * K;
    const std::int64_t V = model_.vocab_size();
    std::vector<Beam> next;
    for (std::size_t k = 0; k < K && next.size() < width && log_prob_K[k] > kImpossible; ++k) {
      const Beam& from = search.beams[static_cast<std::size_t>(index_K[k] / V)];
      const std::int64_t token = index_K[k] % V;
      if (token != model_.special().eos) {
        next.push_back({from.prefix, log_prob_K[k]});
        next.back().prefix.push_back(token);
      } else if (k < width) {
        finish(search, from, log_prob_K[k], true, settings_.length_penalty);
      }
    }
    // Beside others' beams an absent one is kept as impossible, so that all searches have equally many.
    while (!next.empty() && next.size() < width) next.push_back({next.front().prefix, kImpossible});
    search.beams = std::move(next);
  }

  /// Takes out the searches that are over, and their part of the memory.
  void retire(const std::function<bool(const Search&)>& over) {
    std::vector<Search> kept;
    std::vector<std::int64_t> row;
    for (std::size_t s = 0; s < running_.size(); ++s) {
      if (over(running_[s])) {
        best_[running_[s].source] = best_of(running_[s]);
      } else {
        row.push_back(static_cast<std::int64_t>(s));
        kept.push_back(std::move(running_[s]));
      }
    }
    if (!kept.empty() && kept.size() < running_.size()) memory_ = part(memory_, at::tensor(row, at::kLong));
    running_ = std::move(kept);
  }

  static Memory part(const Memory& memory, const at::Tensor& row_S) {
    const std::int64_t B = memory.grid.num_sequences, D = memory.hidden_CD.size(1);
    Memory chosen;
    chosen.hidden_CD = memory.hidden_CD.view({B, -1, D}).index_select(0, row_S).view({-1, D});
    chosen.grid.num_sequences = row_S.size(0);
    if (memory.grid.token_B11L.defined()) chosen.grid.token_B11L = memory.grid.token_B11L.index_select(0, row_S);
    return chosen;
  }

  Hypothesis best_of(Search& search) {
    if (search.finished.empty()) {
      for (const Beam& beam : search.beams) {
        if (beam.log_prob > kImpossible) finish(search, beam, beam.log_prob, false, settings_.length_penalty);
      }
    }
    if (search.finished.empty()) return {};
    return *std::max_element(search.finished.begin(), search.finished.end(),
                             [](const Hypothesis& a, const Hypothesis& b) { return a.score < b.score; });
  }

  Translator& model_;
  BeamSettings settings_;
  at::Tensor never_V_;
  Memory memory_;
  std::vector<Search> running_;
  std::vector<Hypothesis> best_;
};

}  // namespace

std::vector<Hypothesis> beam_search(Translator& model, const std::vector<std::vector<std::int64_t>>& sources,
                                    const BeamSettings& settings, const std::function<bool()>& stop) {
  if (sources.empty()) return {};
  const c10::AutoGradMode no_gradient(false);
  BeamSearch search(model, settings);
  search.begin(sources);
  while (search.running() && !(stop && stop())) search.step();
  return search.end();
}

}  // namespace moescope::model
