#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/interrupt.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/config/run_config.h"
#include "core/corpus/corpus.h"

namespace moescope::cli {
namespace {

struct PrepareOptions {
  std::string name;
  std::string tokenizer;
  std::string vocab_size;
  std::string languages, direction;
  std::string source, target;
};

int list_corpora() {
  for (const corpus::CorpusInfo& info : corpus::list_corpora(app::cache_folder()))
    std::printf("%-16s %-10s %s\n", info.id.c_str(), info.cached ? "prepared" : "-", info.description.c_str());
  std::printf("%-16s %-10s %s\n", "PATH", "-", "a text file, a JSONL file, or a folder whose sub-folders are classes");
  std::printf("%-16s %-10s %s\n", "--source FILE", "-", "two aligned files, with --target FILE");
  return kDone;
}

std::optional<Diagnostic> unknown_corpus(const PrepareOptions& options) {
  std::vector<std::string> known;
  for (const corpus::CorpusInfo& info : corpus::list_corpora(app::cache_folder())) known.push_back(info.id);
  if (options.name.empty()) {
    if (!options.source.empty()) return std::nullopt;
    return error("no corpus is named", "name " + join_or(known) + ", a file or folder, or --source and --target");
  }
  const bool built_in = std::find(known.begin(), known.end(), options.name) != known.end();
  if (built_in || std::filesystem::exists(options.name)) return std::nullopt;
  const auto nearest = nearest_word(options.name, known);
  return error("there is no corpus, file or folder '" + printable(options.name) + '\'',
               nearest ? "did you mean '" + *nearest + "'?" : "built-in corpora are " + join_or(known));
}

/// What the command line says of the data, checked as a configuration would be.
Result<config::DataConfig> checked_data(const PrepareOptions& options) {
  std::map<std::string, config::Value> values;
  Diagnostics problems;
  const std::pair<const char*, const std::string&> texts[]{
      {"corpus", options.name},         {"tokenizer", options.tokenizer}, {"languages", options.languages},
      {"direction", options.direction}, {"source", options.source},       {"target", options.target}};
  for (const auto& [key, text] : texts)
    if (!text.empty()) values[key] = text;
  if (!options.vocab_size.empty()) {
    char* end = nullptr;
    const long long number = std::strtoll(options.vocab_size.c_str(), &end, 10);
    values["vocab_size"] =
        *end == '\0' ? config::Value(static_cast<std::int64_t>(number)) : config::Value(options.vocab_size);
  }
  for (const auto& one : config::data_fields())
    if (const auto value = values.find(one.spec.key); value != values.end())
      if (const std::string message = config::check_value(one.spec, value->second); !message.empty())
        problems.push_back(error(message));
  if (const auto problem = unknown_corpus(options)) problems.push_back(*problem);
  if (!problems.empty()) return problems;
  config::DataConfig data;
  config::assign(config::data_fields(), values, data);
  return data;
}

/// What the working thread last reported.
class Report {
 public:
  void set(const std::string& activity, double fraction) {
    const std::lock_guard lock(mutex_);
    activity_ = activity;
    fraction_ = fraction;
  }
  void show(StatusLine& line) {
    const std::lock_guard lock(mutex_);
    if (!line.visible() && activity_ != said_) line.say(activity_);
    said_ = activity_;
    if (!activity_.empty()) line.show(activity_ + (fraction_ >= 0 ? ' ' + bar(fraction_, 20) : "…"));
  }

 private:
  std::mutex mutex_;
  std::string activity_, said_;
  double fraction_ = -1;
};

void print_pairs(const corpus::Corpus& corpus) {
  std::vector<long long> count_of_label(corpus.labels.size());
  for (const corpus::PairSplit* pairs : {&corpus.train_pairs, &corpus.valid_pairs, &corpus.probe_pairs})
    for (const std::int16_t label : pairs->label_P) ++count_of_label[static_cast<std::size_t>(label)];
  std::printf("  %s training pairs, %s for validation, %s to probe\n",
              with_thousands(static_cast<long long>(corpus.train_pairs.label_P.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.valid_pairs.label_P.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.probe_pairs.label_P.size())).c_str());
  for (std::size_t label = 1; label < corpus.labels.size(); ++label)
    std::printf("  %s: %s pairs\n", corpus.labels[label].c_str(), with_thousands(count_of_label[label]).c_str());
}

void print(const corpus::Corpus& corpus) {
  std::printf("%s: %s training tokens, %s for validation, %s to probe; %d pieces; identity %s\n", corpus.name.c_str(),
              with_thousands(static_cast<long long>(corpus.train.tokens.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.valid.tokens.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.probe.tokens.size())).c_str(),
              corpus.tokenizer->vocab_size(), corpus.identity.c_str());
  if (corpus.parallel()) print_pairs(corpus);
  for (const std::string& note : corpus.notes) std::printf("  %s\n", note.c_str());
}

int prepare(const PrepareOptions& options) {
  const Result<config::DataConfig> data = checked_data(options);
  if (!data) {
    std::fputs(format(data.error()).c_str(), stderr);
    return kWrongInput;
  }
  watch_interrupts();
  corpus::CorpusRequest request;
  request.data = *data;
  request.cache_folder = app::cache_folder();
  std::stop_source stop;
  Report report;
  auto work = std::async(std::launch::async, [&] {
    return corpus::prepare_corpus(
        request, [&](const std::string& activity, double fraction) { report.set(activity, fraction); },
        stop.get_token());
  });
  {
    StatusLine line;
    log::set_console(false);
    while (work.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
      if (interrupted()) stop.request_stop();
      report.show(line);
    }
  }
  const auto prepared = work.get();
  if (prepared) {
    print(**prepared);
    return kDone;
  }
  if (interrupted()) return kInterrupted;
  std::fputs(format(prepared.error()).c_str(), stderr);
  return kRunFailed;
}

}  // namespace

Verb add_corpora(CLI::App& program) {
  auto options = std::make_shared<PrepareOptions>();
  CLI::App* verb = program.add_subcommand("corpora", "List the texts to train on, or prepare one");
  CLI::App* prepare_verb = verb->add_subcommand("prepare", "Render, clean, split and tokenize a corpus, and keep it");
  prepare_verb->add_option("NAME", options->name, "A built-in corpus, or the path of a file or folder");
  prepare_verb->add_option("--tokenizer", options->tokenizer, "bpe or bytes")->type_name("NAME");
  prepare_verb->add_option("--vocab-size", options->vocab_size, "Pieces of the bpe tokenizer")->type_name("N");
  prepare_verb->add_option("--languages", options->languages, "Of sentence pairs: codes like fr,de, or auto")
      ->type_name("CODES");
  prepare_verb->add_option("--direction", options->direction, "Of sentence pairs: to_english or from_english")
      ->type_name("WAY");
  CLI::Option* source = prepare_verb->add_option("--source", options->source, "A file of sentences, instead of NAME");
  CLI::Option* target = prepare_verb->add_option("--target", options->target, "The file with their translations");
  source->type_name("FILE")->needs(target);
  target->type_name("FILE")->needs(source);
  prepare_verb->footer("Exit codes: 0 done, 1 it cannot be had, 2 the input is wrong, 130 interrupted.");
  return {verb, [options, prepare_verb] { return prepare_verb->parsed() ? prepare(*options) : list_corpora(); }};
}

}  // namespace moescope::cli
