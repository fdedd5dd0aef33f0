#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
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
};

int list_corpora() {
  for (const corpus::CorpusInfo& info : corpus::list_corpora(app::cache_folder()))
    std::printf("%-12s %-10s %s\n", info.id.c_str(), info.cached ? "prepared" : "-", info.description.c_str());
  std::printf("%-12s %-10s %s\n", "PATH", "-", "a text file, a JSONL file, or a folder whose sub-folders are classes");
  return kDone;
}

/// The name and the tokenizer's settings, checked as a configuration would be.
Result<config::DataConfig> checked_data(const PrepareOptions& options) {
  std::map<std::string, config::Value> values{{"corpus", options.name}};
  Diagnostics problems;
  if (!options.tokenizer.empty()) values["tokenizer"] = options.tokenizer;
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
  std::vector<std::string> known;
  for (const corpus::CorpusInfo& info : corpus::list_corpora(app::cache_folder())) known.push_back(info.id);
  const bool built_in = std::find(known.begin(), known.end(), options.name) != known.end();
  if (!built_in && !std::filesystem::exists(options.name)) {
    const auto nearest = nearest_word(options.name, known);
    problems.push_back(error("there is no corpus, file or folder '" + printable(options.name) + '\'',
                             nearest ? "did you mean '" + *nearest + "'?" : "built-in corpora are " + join_or(known)));
  }
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

void print(const corpus::Corpus& corpus) {
  std::printf("%s: %s training tokens, %s for validation, %s to probe; %d pieces; identity %s\n", corpus.name.c_str(),
              with_thousands(static_cast<long long>(corpus.train.tokens.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.valid.tokens.size())).c_str(),
              with_thousands(static_cast<long long>(corpus.probe.tokens.size())).c_str(),
              corpus.tokenizer->vocab_size(), corpus.identity.c_str());
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
  prepare_verb->add_option("NAME", options->name, "A built-in corpus, or the path of a file or folder")->required();
  prepare_verb->add_option("--tokenizer", options->tokenizer, "bpe or bytes")->type_name("NAME");
  prepare_verb->add_option("--vocab-size", options->vocab_size, "Pieces of the bpe tokenizer")->type_name("N");
  prepare_verb->footer("Exit codes: 0 done, 1 it cannot be had, 2 the input is wrong, 130 interrupted.");
  return {verb, [options, prepare_verb] { return prepare_verb->parsed() ? prepare(*options) : list_corpora(); }};
}

}  // namespace moescope::cli
