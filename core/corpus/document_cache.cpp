#include "core/corpus/document_cache.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/corpus/sealed_file.h"

namespace moescope::corpus {
namespace {

constexpr std::string_view kDocuments = "documents";
constexpr std::string_view kPairs = "pairs";
constexpr std::string_view kTokens = "tokens";
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

std::optional<std::string> read_kept(const std::string& path, std::string_view kind, std::vector<std::string>& notes) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) return std::nullopt;
  auto bytes = read_sealed(path, kind, kMaxBytes);
  if (bytes) return std::move(*bytes);
  notes.push_back("a damaged cache file was made again: " + std::filesystem::path(path).filename().string());
  return std::nullopt;
}

bool read_documents(ByteReader& reader, DocumentSet& set) {
  set.name = reader.text();
  set.source = reader.text();
  for (std::size_t left = reader.count(8); left > 0; --left) set.labels.emplace_back(reader.text());
  for (std::size_t left = reader.count(24); left > 0 && reader.ok(); --left) {
    Document document;
    document.label = static_cast<std::int16_t>(reader.number());
    document.name = reader.text();
    document.text = reader.text();
    if (document.label < 0 || static_cast<std::size_t>(document.label) >= set.labels.size()) return false;
    set.documents.push_back(std::move(document));
  }
  for (std::size_t left = reader.count(8); left > 0; --left) set.notes.emplace_back(reader.text());
  return reader.at_end();
}

bool read_pairs(ByteReader& reader, PairSet& set) {
  set.name = reader.text();
  set.source = reader.text();
  for (std::size_t left = reader.count(24); left > 0; --left) {
    PairLanguage language;
    language.code = reader.text();
    language.label = reader.text();
    language.num_pairs = reader.number();
    set.languages.push_back(std::move(language));
  }
  for (std::size_t left = reader.count(40); left > 0 && reader.ok(); --left) {
    SentencePair pair;
    pair.label = static_cast<std::int16_t>(reader.number());
    pair.name = reader.text();
    pair.line = reader.number();
    pair.first = reader.text();
    pair.second = reader.text();
    if (pair.label < 1 || static_cast<std::size_t>(pair.label) >= set.languages.size()) return false;
    set.pairs.push_back(std::move(pair));
  }
  for (std::size_t left = reader.count(8); left > 0; --left) set.notes.emplace_back(reader.text());
  return reader.at_end() && !set.languages.empty();
}

}  // namespace

Status save_documents(const std::string& path, const DocumentSet& set) {
  ByteWriter writer;
  writer.text(set.name);
  writer.text(set.source);
  writer.number(static_cast<std::int64_t>(set.labels.size()));
  for (const std::string& label : set.labels) writer.text(label);
  writer.number(static_cast<std::int64_t>(set.documents.size()));
  for (const Document& document : set.documents) {
    writer.number(document.label);
    writer.text(document.name);
    writer.text(document.text);
  }
  writer.number(static_cast<std::int64_t>(set.notes.size()));
  for (const std::string& note : set.notes) writer.text(note);
  return write_sealed(path, kDocuments, writer.bytes());
}

std::optional<DocumentSet> load_documents(const std::string& path, std::vector<std::string>& notes) {
  const std::optional<std::string> bytes = read_kept(path, kDocuments, notes);
  if (!bytes) return std::nullopt;
  ByteReader reader(*bytes);
  DocumentSet set;
  if (!read_documents(reader, set)) return std::nullopt;
  return set;
}

Status save_pairs(const std::string& path, const PairSet& set) {
  ByteWriter writer;
  writer.text(set.name);
  writer.text(set.source);
  writer.number(static_cast<std::int64_t>(set.languages.size()));
  for (const PairLanguage& language : set.languages) {
    writer.text(language.code);
    writer.text(language.label);
    writer.number(language.num_pairs);
  }
  writer.number(static_cast<std::int64_t>(set.pairs.size()));
  for (const SentencePair& pair : set.pairs) {
    writer.number(pair.label);
    writer.text(pair.name);
    writer.number(pair.line);
    writer.text(pair.first);
    writer.text(pair.second);
  }
  writer.number(static_cast<std::int64_t>(set.notes.size()));
  for (const std::string& note : set.notes) writer.text(note);
  return write_sealed(path, kPairs, writer.bytes());
}

std::optional<PairSet> load_pairs(const std::string& path, std::vector<std::string>& notes) {
  const std::optional<std::string> bytes = read_kept(path, kPairs, notes);
  if (!bytes) return std::nullopt;
  ByteReader reader(*bytes);
  PairSet set;
  if (!read_pairs(reader, set)) return std::nullopt;
  return set;
}

Status save_tokens(const std::string& path, const std::string& tokenizer, const DocumentTokens& tokens) {
  ByteWriter writer;
  writer.text(tokenizer);
  writer.number(static_cast<std::int64_t>(tokens.size()));
  for (const auto& ids : tokens)
    writer.text({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::int32_t)});
  return write_sealed(path, kTokens, writer.bytes());
}

std::optional<DocumentTokens> load_tokens(const std::string& path, std::size_t num_documents, int vocab_size,
                                          const std::string& tokenizer, std::vector<std::string>& notes) {
  const std::optional<std::string> bytes = read_kept(path, kTokens, notes);
  if (!bytes) return std::nullopt;
  ByteReader reader(*bytes);
  if (reader.text() != tokenizer) return std::nullopt;
  DocumentTokens tokens(reader.count(8));
  if (tokens.size() != num_documents) return std::nullopt;
  for (auto& ids : tokens) {
    const std::string_view raw = reader.text();
    ids.resize(raw.size() / sizeof(std::int32_t));
    std::copy_n(raw.data(), ids.size() * sizeof(std::int32_t), reinterpret_cast<char*>(ids.data()));
    for (const std::int32_t id : ids)
      if (id < 0 || id >= vocab_size) return std::nullopt;
  }
  if (!reader.at_end()) return std::nullopt;
  return tokens;
}

void forget_old_models(const std::string& folder) {
  constexpr std::size_t kKept = 24;
  std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> models;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const bool of_manuals = entry.path().filename().string().rfind("manuals-", 0) == 0;
    if (entry.path().extension() == ".model" && !of_manuals)
      models.emplace_back(entry.last_write_time(ignored), entry.path());
  }
  std::sort(models.rbegin(), models.rend());
  for (std::size_t i = kKept; i < models.size(); ++i) {
    std::filesystem::remove(models[i].second, ignored);
    std::filesystem::remove(models[i].second.replace_extension(".tokens"), ignored);
  }
}

}  // namespace moescope::corpus
