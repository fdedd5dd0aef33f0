#include "core/moe/balanced_assignment.h"

#include <algorithm>
#include <limits>

#include "core/base/assert.h"

namespace moescope::moe {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr int kNoToken = -1;

/// One move of an augmenting path: expert `from` hands `token` on, or (kNoToken) the right to one token above the
/// floor passes from the next expert to it.
struct Move {
  int from = -1;
  int token = kNoToken;
};

class Assignment {
 public:
  Assignment(std::span<const double> scores_TE, int num_experts)
      : scores_TE_(scores_TE),
        E_(num_experts),
        T_(static_cast<int>(scores_TE.size()) / num_experts),
        floor_(T_ / E_),
        extra_left_(T_ % E_),
        expert_T_(static_cast<std::size_t>(T_), -1),
        token_of_(static_cast<std::size_t>(E_)),
        cheapest_(static_cast<std::size_t>(E_ * E_)) {
    for (int e = 0; e < E_; ++e) refresh(e);
  }

  void add(int token) {
    std::vector<double> distance(static_cast<std::size_t>(E_));
    std::vector<Move> reached(static_cast<std::size_t>(E_));
    for (int e = 0; e < E_; ++e) distance[index(e)] = -score(token, e);
    while (relax(distance, reached)) {
    }
    int end = -1;
    for (int e = 0; e < E_; ++e) {
      if (has_room(e) && (end < 0 || distance[index(e)] < distance[index(end)])) end = e;
    }
    MOESCOPE_ASSERT(end >= 0, "there is room for every token");
    if (load(end) == floor_) --extra_left_;
    push(token, end, reached);
  }

  std::vector<std::int32_t> take() { return std::move(expert_T_); }

 private:
  struct Cheapest {
    double cost = kNever;  ///< what the sum loses when a token moves on
    int token = kNoToken;
  };

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  double score(int token, int expert) const { return scores_TE_[index(token * E_ + expert)]; }
  int load(int e) const { return static_cast<int>(token_of_[index(e)].size()); }
  bool has_room(int e) const { return load(e) < floor_ || (load(e) == floor_ && extra_left_ > 0); }
  /// e may take a token in place of f's right to one above the floor.
  bool takes_right(int e, int f) const { return load(e) == floor_ && load(f) > floor_; }

  /// Bellman–Ford over experts: a longer way is taken only if it is better, so equal sums always end alike.
  bool relax(std::vector<double>& distance, std::vector<Move>& reached) const {
    constexpr double kGain = 1e-12;  // rounding must not keep a circle of equal sums going
    bool better = false;
    for (int e = 0; e < E_; ++e) {
      for (int f = 0; f < E_; ++f) {
        if (f == e) continue;
        const Cheapest& move = cheapest_[index(e * E_ + f)];
        const bool right = takes_right(e, f) && !(move.cost <= 0);
        const double cost = right ? 0 : move.cost;
        if (!(distance[index(e)] + cost < distance[index(f)] - kGain) || leads_to(reached, e, f)) continue;
        distance[index(f)] = distance[index(e)] + cost;
        reached[index(f)] = {e, right ? kNoToken : move.token};
        better = true;
      }
    }
    return better;
  }

  /// f is already on the way to e.
  bool leads_to(const std::vector<Move>& reached, int e, int f) const {
    for (int at = e, steps = 0; at >= 0 && steps <= E_; at = reached[index(at)].from, ++steps) {
      if (at == f) return true;
    }
    return false;
  }

  /// Walks back from `end`, moving what each step names; the first expert of the way takes `token`.
  void push(int token, int end, const std::vector<Move>& reached) {
    std::vector<int> way;
    for (int e = end; e >= 0; e = reached[index(e)].from) way.push_back(e);
    for (const int e : way) {
      const Move& move = reached[index(e)];
      if (move.from < 0) {
        give(token, e);
      } else if (move.token != kNoToken) {
        std::erase(token_of_[index(move.from)], move.token);
        give(move.token, e);
      }
    }
    for (const int e : way) refresh(e);
  }

  void give(int token, int e) {
    token_of_[index(e)].push_back(token);
    expert_T_[index(token)] = e;
  }

  /// The token that costs least to move from e to each other expert.
  void refresh(int e) {
    for (int f = 0; f < E_; ++f) {
      Cheapest best;
      for (const int token : token_of_[index(e)]) {
        const double cost = score(token, e) - score(token, f);
        if (cost < best.cost || (cost == best.cost && token < best.token)) best = {cost, token};
      }
      cheapest_[index(e * E_ + f)] = best;
    }
  }

  std::span<const double> scores_TE_;
  int E_, T_, floor_, extra_left_;  ///< experts that may still go above the floor
  std::vector<std::int32_t> expert_T_;
  std::vector<std::vector<int>> token_of_;
  std::vector<Cheapest> cheapest_;
};

}  // namespace

std::vector<std::int32_t> balanced_assignment(std::span<const double> scores_TE, int num_experts) {
  MOESCOPE_ASSERT(num_experts >= 1 && scores_TE.size() % static_cast<std::size_t>(num_experts) == 0,
                  "one score per token and expert");
  Assignment assignment(scores_TE, num_experts);
  const int num_tokens = static_cast<int>(scores_TE.size()) / num_experts;
  for (int token = 0; token < num_tokens; ++token) assignment.add(token);
  return assignment.take();
}

}  // namespace moescope::moe
