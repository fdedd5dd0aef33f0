#include "core/corpus/split.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/seed.h"

namespace moescope::corpus {
namespace {

constexpr std::array kParts{Part::kTrain, Part::kValid, Part::kProbe};

class Assignment {
 public:
  explicit Assignment(const std::vector<SplitItem>& items) : items_(items), part_(items.size()), order_(items.size()) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      part_[i] = part_of(items[i].key);
      tokens(part_[i]) += items[i].num_tokens;
    }
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) { return items[a].key < items[b].key; });
  }

  void give_every_label_a_probe() {
    std::map<std::int16_t, std::vector<std::size_t>> by_label;  // in order of the key
    for (const std::size_t i : order_) by_label[items_[i].label].push_back(i);
    for (const auto& [label, members] : by_label) {
      const auto probed = [&](std::size_t i) { return part_[i] == Part::kProbe; };
      if (members.size() >= 3 && std::none_of(members.begin(), members.end(), probed)) move(members[0], Part::kProbe);
    }
  }

  /// Documents move to `part` until it has `least` tokens, from parts that keep that many too; training gives first.
  void top_up(Part part, std::int64_t least) {
    for (const Part giver : kParts) {
      for (const std::size_t i : order_) {
        if (tokens(part) >= least) return;
        if (giver != part && part_[i] == giver && tokens(giver) - items_[i].num_tokens >= least) move(i, part);
      }
    }
  }

  std::int64_t& tokens(Part part) { return tokens_[static_cast<std::size_t>(part)]; }
  std::vector<Part> parts() && { return std::move(part_); }

 private:
  void move(std::size_t i, Part part) {
    tokens(part_[i]) -= items_[i].num_tokens;
    tokens(part) += items_[i].num_tokens;
    part_[i] = part;
  }

  const std::vector<SplitItem>& items_;
  std::vector<Part> part_;
  std::vector<std::size_t> order_;
  std::array<std::int64_t, 3> tokens_{};
};

}  // namespace

Part part_of(std::uint64_t key) {
  const std::uint64_t percent = mix_bits(key) % 100;
  return percent < 2 ? Part::kProbe : percent < 10 ? Part::kValid : Part::kTrain;
}

std::optional<std::vector<Part>> assign_parts(const std::vector<SplitItem>& items, int context) {
  const std::int64_t least = least_part_tokens(context);
  Assignment assignment(items);
  assignment.give_every_label_a_probe();
  for (const Part part : kParts) assignment.top_up(part, least);
  for (const Part part : kParts)
    if (assignment.tokens(part) < least) return std::nullopt;
  return std::move(assignment).parts();
}

}  // namespace moescope::corpus
