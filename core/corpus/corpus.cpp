#include "core/corpus/corpus.h"

#include <filesystem>
#include <utility>

#include "core/corpus/catalogs.h"
#include "core/corpus/manuals.h"
#include "core/corpus/preparing.h"

namespace moescope::corpus {

Result<std::shared_ptr<const Corpus>> prepare_corpus(const CorpusRequest& request, const Progress& progress,
                                                     const std::stop_token& stop) {
  const Progress report = [&progress](const std::string& activity, double fraction) {
    if (progress) progress(activity, fraction);
  };
  return wants_pairs(request.data) ? prepare_parallel(request, report, stop) : prepare_plain(request, report, stop);
}

std::vector<CorpusInfo> list_corpora(const std::string& cache_folder) {
  std::error_code ignored;
  const std::string folder = cache_folder + "/corpora";
  const bool cached = manuals_cached(folder) && std::filesystem::exists(manuals_marker(folder), ignored);
  return {
      {"manuals", "manual pages in English, German, French and Spanish, C headers, Python sources", cached},
      {"catalogs", "sentence pairs: messages of programs in English and some thirty languages",
       catalogs_cached(folder)},
      {"synthetic", "made text of known classes: four Markov languages, copy, reverse, arithmetic, translation", true},
      {"synthetic_pairs", "made sentence pairs: a small grammar translated by four rules", true}};
}

}  // namespace moescope::corpus
