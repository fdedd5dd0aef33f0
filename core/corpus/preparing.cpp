#include "core/corpus/preparing.h"

#include <cmath>
#include <filesystem>

#include "core/base/text.h"
#include "core/corpus/document.h"
#include "core/corpus/document_cache.h"
#include "core/corpus/split.h"

namespace moescope::corpus {

Result<MadeTokenizer> make_tokenizer(const config::DataConfig& data, const std::string& model_path,
                                     const std::function<std::vector<std::string_view>()>& training_texts,
                                     const Progress& progress, const std::stop_token& stop,
                                     std::vector<std::string>& notes) {
  if (data.tokenizer == "bytes") return MadeTokenizer{byte_tokenizer(), true};
  MadeTokenizer made;
  std::error_code ignored;
  if (std::filesystem::exists(model_path, ignored)) {
    auto loaded = load_bpe(model_path);
    if (loaded) made.tokenizer = *loaded;
    if (!loaded) notes.emplace_back("a damaged tokenizer was trained again");
  }
  if (!made.tokenizer) {
    progress("training the tokenizer", -1);
    Status saved = Done{};
    auto trained = train_bpe(training_texts(), data.vocab_size, model_path, &saved);
    if (!trained) return trained.error();
    if (!saved) notes.push_back("the tokenizer could not be kept: " + saved.error().front().message);
    made = {*trained, saved.has_value()};
    forget_old_models(std::filesystem::path(model_path).parent_path().string());
  }
  if (made.tokenizer->vocab_size() < data.vocab_size)
    notes.push_back("the text has only " + with_thousands(made.tokenizer->vocab_size()) +
                    " pieces to learn; vocab_size asked for " + with_thousands(data.vocab_size));
  if (stop.stop_requested()) return stopped();
  return made;
}

std::string counted(std::int64_t count, const std::string& noun) {
  return with_thousands(count) + ' ' + noun + (count == 1 ? "" : "s");
}

Diagnostic too_small(const std::string& corpus, const std::string& amount, int context) {
  return error("the corpus '" + printable(corpus) + "' is too small: it has " + amount +
                   ", and training, validation and probe need " + with_thousands(least_part_tokens(context)) +
                   " tokens each (" + with_thousands(least_tokens(context)) + " in all)",
               "take a longer text, or a smaller model.context (now " + std::to_string(context) + ")");
}

std::int64_t least_tokens(int context) { return 3 * least_part_tokens(context); }

double unigram_entropy_bits(const std::vector<std::int32_t>& tokens, int vocab_size) {
  std::vector<std::int64_t> count_V(static_cast<std::size_t>(vocab_size));
  for (const std::int32_t id : tokens) ++count_V[static_cast<std::size_t>(id)];
  double bits = 0;
  for (const std::int64_t count : count_V) {
    const double share = static_cast<double>(count) / static_cast<double>(tokens.size());
    if (count > 0) bits -= share * std::log2(share);
  }
  return bits;
}

void add_specials(Corpus& corpus) {
  const int first = corpus.tokenizer->vocab_size();
  corpus.special = {first, first + 1, first + 2, first + 3, {}};
}

}  // namespace moescope::corpus
