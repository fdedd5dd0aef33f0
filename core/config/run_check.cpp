#include "core/config/run_check.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/text.h"

namespace moescope::config {
namespace {

// Beyond this a step's activations no longer fit a laptop: 2^18 tokens × 4,096 pieces are 4 GiB of logits.
constexpr std::int64_t kMaxTokensPerStep = 1 << 18;

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// "'num_experts' is set on line 6", "… is set by --set moe.num_experts=8", "… is 8 by default".
std::string origin(const RunConfig& config, const std::string& key, const Value& value) {
  const std::string subject = '\'' + last_part(key) + "' is ";
  const auto found = config.written.find(key);
  if (found == config.written.end()) return subject + to_text(value) + " by default";
  const Place& place = found->second.place;
  if (place.line > 0) return subject + "set on line " + std::to_string(place.line);
  return subject + (place.file.empty() ? to_text(value) : "set by " + place.file);
}

std::string times(std::int64_t count, const char* noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

class Rules {
 public:
  Rules(const RunConfig& config, const std::set<std::string>& bad) : config_(config), bad_(bad) {}

  Diagnostics found() && { return std::move(found_); }

  void top_k_fits_experts() {
    const auto top_k = config_.router.find("top_k");
    if (!good({"moe.router.top_k", "moe.num_experts"}) || top_k == config_.router.end()) return;
    const auto* choices = std::get_if<std::int64_t>(&top_k->second);
    const std::int64_t experts = config_.moe.num_experts;
    if (choices == nullptr || *choices <= experts) return;
    const std::string may = "; top_k may be " + (experts == 1 ? std::string("1") : "1 to " + std::to_string(experts));
    report({"moe.router.top_k", *choices}, {"moe.num_experts", experts},
           "'top_k' is " + std::to_string(*choices) + ", but this layer has " + times(experts, "expert"), may);
  }

  void heads_divide_width() {
    const std::int64_t width = config_.model.d_model, heads = config_.model.num_heads;
    if (!good({"model.d_model", "model.num_heads"})) return;
    if (width % heads != 0) {
      const std::int64_t below = width / heads * heads;
      const std::string may =
          below == 0 ? std::to_string(heads) : join_or({std::to_string(below), std::to_string(below + heads)});
      report({"model.d_model", width}, {"model.num_heads", heads},
             "'d_model' is " + std::to_string(width) + ", which " + times(heads, "head") + " cannot share evenly",
             "; d_model may be " + may);
    } else if (good({"model.positions"}) && config_.model.positions == "rotary" && width / heads % 2 != 0) {
      report({"model.d_model", width}, {"model.num_heads", heads},
             "'d_model' is " + std::to_string(width) + ", which gives each head an odd width of " +
                 std::to_string(width / heads) + ", but rotary positions turn pairs",
             "; d_model may be " + std::to_string(width + heads));
    }
  }

  void layers_name_blocks() {
    const std::string& text = config_.moe.layers;
    if (!good({"moe.layers"}) || text == "auto") return;
    const auto blocks = parse_blocks(text);
    if (!blocks) {
      at("moe.layers", "'layers' is " + to_text(text) + ", allowed is auto or block numbers like \"1,2,3\"");
      return;
    }
    if (!good({"model.num_layers"})) return;
    const std::int64_t depth = config_.model.num_layers;
    for (auto block = blocks->begin(); block != blocks->end(); ++block) {
      if (*block < 1 || *block > depth) {
        report({"moe.layers", text}, {"model.num_layers", depth},
               "'layers' names block " + std::to_string(*block) + ", but the model has " + times(depth, "block"),
               depth == 1 ? "; the only block is 1" : "; blocks are 1 to " + std::to_string(depth));
        return;
      }
      if (std::find(blocks->begin(), block, *block) != block) {
        at("moe.layers", "'layers' names block " + std::to_string(*block) + " twice");
        return;
      }
    }
  }

  void step_fits_memory() {
    if (!good({"train.batch_size", "model.context"})) return;
    const std::int64_t batch = config_.train.batch_size, context = config_.model.context;
    if (batch * context <= kMaxTokensPerStep) return;
    report({"train.batch_size", batch}, {"model.context", context},
           "'batch_size' is " + std::to_string(batch) + ", which with a context of " + std::to_string(context) +
               " makes " + with_thousands(batch * context) + " tokens a step, allowed are " +
               with_thousands(kMaxTokensPerStep),
           "; batch_size may be 1 to " + std::to_string(kMaxTokensPerStep / context));
  }

  void sublayers_need_insertion() {
    if (!good({"moe.expert_sublayers", "moe.placement"})) return;
    if (config_.moe.placement == "inserted" || config_.moe.expert_sublayers == 1) return;
    report({"moe.expert_sublayers", std::int64_t{config_.moe.expert_sublayers}},
           {"moe.placement", config_.moe.placement},
           "'expert_sublayers' is " + std::to_string(config_.moe.expert_sublayers) +
               ", but an expert in place of an FFN has one",
           "; expert_sublayers may be 1");
  }

  /// Of built-in corpora this is known before they are read.
  void corpus_fits_objective() {
    if (!good({"model.objective", "data.corpus"}) || !config_.data.source.empty()) return;
    const std::string &objective = config_.model.objective, &corpus = config_.data.corpus;
    const bool pairs = corpus == "catalogs" || corpus == "synthetic_pairs", texts = corpus == "synthetic";
    if (objective == "translation" && (texts || corpus == "manuals")) {
      report({"data.corpus", corpus}, {"model.objective", objective},
             "'corpus' is \"" + corpus + "\", which holds no sentence pairs, but 'objective' is \"translation\"",
             "; corpora with pairs are catalogs, synthetic_pairs and a source with its target");
    } else if (objective == "classification" && (texts || pairs)) {
      report({"data.corpus", corpus}, {"model.objective", objective},
             "'corpus' is \"" + corpus + "\", whose texts have no classes, but 'objective' is \"classification\"",
             "; manuals has the section of each page");
    }
  }

  void aligned_files_are_two() {
    if (!good({"data.source", "data.target", "data.corpus"})) return;
    const DataConfig& data = config_.data;
    if (data.source.empty() != data.target.empty()) {
      const bool source = data.target.empty();
      at(source ? "data.source" : "data.target",
         source ? "'source' is set, but 'target' is not" : "'target' is set, but 'source' is not",
         "aligned files are two: name both data.source and data.target");
    } else if (!data.source.empty() && data.corpus != DataConfig{}.corpus) {  // to_toml() writes the default
      at("data.corpus", "'corpus' is " + to_text(Value(data.corpus)) + ", but 'source' and 'target' name the texts too",
         "remove corpus, or source and target");
    }
  }

  void name_is_there() {
    if (good({"name"}) && config_.top.name.empty())
      at("name", "'name' is empty", "name the run, like name = \"first\"");
    if (good({"data.corpus"}) && config_.data.corpus.empty())
      at("data.corpus", "'corpus' is empty",
         "name a built-in corpus (manuals, catalogs, synthetic, synthetic_pairs) or a file or folder");
  }

 private:
  bool good(std::initializer_list<const char*> keys) const {
    return std::none_of(keys.begin(), keys.end(), [&](const char* key) { return bad_.contains(key); });
  }

  void at(const std::string& key, std::string message, std::string hint = {}) {
    found_.push_back(error_at(config_, key, std::move(message), std::move(hint)));
  }

  /// At the first key, or at the second when only that one was written; the hint tells where the other comes from.
  void report(const std::pair<std::string, Value>& first, const std::pair<std::string, Value>& second,
              std::string message, const std::string& may) {
    const bool only_second = !config_.written.contains(first.first) && config_.written.contains(second.first);
    const auto& here = only_second ? second : first;
    const auto& other = only_second ? first : second;
    at(here.first, std::move(message), origin(config_, other.first, other.second) + may);
  }

  const RunConfig& config_;
  const std::set<std::string>& bad_;
  Diagnostics found_;
};

}  // namespace

std::optional<std::vector<int>> parse_blocks(const std::string& text) {
  std::vector<int> blocks;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = std::string_view(text).substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    int block = 0;
    const auto [stop, failure] = std::from_chars(part.data(), part.data() + part.size(), block);
    if (failure != std::errc{} || stop != part.data() + part.size()) return std::nullopt;
    blocks.push_back(block);
    begin = end + 1;
  }
  return blocks;
}

Diagnostics check_rules(const RunConfig& config, const std::set<std::string>& bad) {
  Rules rules(config, bad);
  rules.name_is_there();
  rules.aligned_files_are_two();
  rules.heads_divide_width();
  rules.layers_name_blocks();
  rules.top_k_fits_experts();
  rules.sublayers_need_insertion();
  rules.step_fits_memory();
  rules.corpus_fits_objective();
  return std::move(rules).found();
}

}  // namespace moescope::config
