#include "core/train/probe_text.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/assert.h"
#include "core/base/seed.h"
#include "core/model/document_stream.h"
#include "core/model/pair_stream.h"

namespace moescope::train {

namespace {

constexpr int kLongestBeginning = 64;  // as model::probe_sequences(), so that many texts are seen

ProbeText running_text(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const corpus::Split& split = corpus.probe;
  const model::ProbeSequences sequences = model::probe_sequences(split, config.probe.tokens, config.model.context,
                                                                 static_cast<std::uint64_t>(config.top.seed));
  ProbeText text;
  text.batch.tokens_BL = sequences.tokens_BL;
  const std::int64_t L = sequences.tokens_BL.size(1);
  for (std::size_t t = 0; t < sequences.source_T.size(); ++t) {
    const std::int64_t source = sequences.source_T[t];
    const auto document = static_cast<std::size_t>(model::document_of(split, source));
    telemetry::ProbeToken token;
    token.id = split.tokens[static_cast<std::size_t>(source)];
    token.text = corpus.tokenizer->piece(token.id);
    token.label = split.label_D[document];
    token.sequence = static_cast<std::int32_t>(static_cast<std::int64_t>(t) / L);
    token.position = static_cast<std::int32_t>(static_cast<std::int64_t>(t) % L);
    token.document = split.name_D[document];
    text.tokens.push_back(std::move(token));
  }
  return text;
}

/// What the tokens of one sequence have in common.
struct Origin {
  std::int16_t label = 0;
  std::string document;
};

/// Every cell that holds a token; sequence b of the grid is sequence first_sequence + b of the probe.
void add_tokens(const corpus::Corpus& corpus, const at::Tensor& tokens_BL, const at::Tensor& cell_T,
                const std::vector<Origin>& origin_B, std::int32_t first_sequence,
                std::vector<telemetry::ProbeToken>& tokens) {
  const std::int64_t L = tokens_BL.size(1);
  const std::int64_t T = cell_T.defined() ? cell_T.numel() : tokens_BL.numel();
  const std::int64_t* id_C = tokens_BL.const_data_ptr<std::int64_t>();
  for (std::int64_t t = 0; t < T; ++t) {
    const std::int64_t cell = cell_T.defined() ? cell_T.const_data_ptr<std::int64_t>()[t] : t;
    const Origin& origin = origin_B[static_cast<std::size_t>(cell / L)];
    telemetry::ProbeToken token;
    token.id = static_cast<std::int32_t>(id_C[cell]);
    token.text = piece_of(corpus, id_C[cell]);
    token.label = origin.label;
    token.sequence = first_sequence + static_cast<std::int32_t>(cell / L);
    token.position = static_cast<std::int32_t>(cell % L);
    token.document = origin.document;
    tokens.push_back(std::move(token));
  }
}

/// Of `items`, those that go first until `most_tokens` are reached; at least one.
template <class Length>
std::vector<std::int64_t> until(std::vector<std::int64_t> items, std::int64_t most_tokens, const Length& length) {
  std::int64_t tokens = 0;
  std::size_t kept = 0;
  for (; kept < items.size(); ++kept) {
    tokens += length(items[kept]);
    if (tokens > most_tokens && kept > 0) break;
  }
  items.resize(kept);
  return items;
}

ProbeText pairs(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const corpus::PairSplit& split = corpus.probe_pairs;
  const std::vector<std::int64_t> fitting = model::fitting_pairs(split, config.model.context);
  const std::uint64_t seed = derive_seed(static_cast<std::uint64_t>(config.top.seed), "probe");
  const auto tokens_of = [&](std::int64_t pair) {
    return static_cast<std::int64_t>(model::source_of(split, pair).size() + model::target_of(split, pair).size()) + 3;
  };
  const std::vector<std::int64_t> chosen =
      until(model::in_turn(split.label_P, fitting, fitting.size(), seed), config.probe.tokens, tokens_of);
  if (chosen.empty()) return {};
  ProbeText text{model::pair_batch(corpus, split, chosen), {}};
  text.batch.target_T = at::Tensor();
  std::vector<Origin> origin_B;
  for (const std::int64_t pair : chosen) {
    const auto p = static_cast<std::size_t>(pair);
    origin_B.push_back({split.label_P[p], split.name_P[p]});
  }
  add_tokens(corpus, text.batch.source_BL, text.batch.source_cell_T, origin_B, 0, text.tokens);
  add_tokens(corpus, text.batch.tokens_BL, text.batch.cell_T, origin_B, static_cast<std::int32_t>(chosen.size()),
             text.tokens);
  return text;
}

ProbeText text_beginnings(const config::RunConfig& config, const corpus::Corpus& corpus) {
  const corpus::Split& split = corpus.probe;
  std::vector<std::int64_t> documents(split.label_D.size());
  std::iota(documents.begin(), documents.end(), std::int64_t{0});
  const auto tokens_in = [&](std::int64_t document) {
    const auto d = static_cast<std::size_t>(document);
    const std::int64_t most = std::min(kLongestBeginning, config.model.context);
    return std::min(most, split.begin_D[d + 1] - split.begin_D[d]);
  };
  std::erase_if(documents, [&](std::int64_t document) { return tokens_in(document) == 0; });
  const std::uint64_t seed = derive_seed(static_cast<std::uint64_t>(config.top.seed), "probe");
  documents = until(model::in_turn(split.label_D, documents, documents.size(), seed), config.probe.tokens, tokens_in);
  if (documents.empty()) return {};
  const model::Padded grid =
      model::beginnings(split, documents, std::min(kLongestBeginning, config.model.context), corpus.special.pad);
  ProbeText text{{grid.tokens_BL, {}, grid.cell_T}, {}};
  std::vector<Origin> origin_B;
  for (const std::int64_t document : documents) {
    const auto d = static_cast<std::size_t>(document);
    origin_B.push_back({split.label_D[d], split.name_D[d]});
  }
  add_tokens(corpus, grid.tokens_BL, grid.cell_T, origin_B, 0, text.tokens);
  return text;
}

}  // namespace

ProbeText probe_text(const config::RunConfig& config, const corpus::Corpus& corpus) {
  if (config.model.objective == "translation") return pairs(config, corpus);
  if (config.model.objective == "classification") return text_beginnings(config, corpus);
  return running_text(config, corpus);
}

std::string piece_of(const corpus::Corpus& corpus, std::int64_t id) {
  if (id < corpus.tokenizer->vocab_size()) return corpus.tokenizer->piece(static_cast<std::int32_t>(id));
  const corpus::Specials& special = corpus.special;
  if (id == special.bos) return "<begin>";
  if (id == special.eos) return "<end>";
  if (id == special.pad) return "<padding>";
  if (id == special.mask) return "<mask>";
  const auto tag = std::find(special.tag_of_label.begin(), special.tag_of_label.end(), id);
  MOESCOPE_ASSERT(tag != special.tag_of_label.end(), "a token id is of the corpus");
  return "<" + corpus.labels[static_cast<std::size_t>(tag - special.tag_of_label.begin())] + ">";
}

}  // namespace moescope::train
