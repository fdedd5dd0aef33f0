#pragma once
// What a model is worth on held-out text by the method's own evaluation rule: the loss of any objective, and what the
// objective itself asks for (BLEU, accuracy).
// Threads: trainer thread only.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/dataset.h"
#include "core/model/model.h"

namespace moescope::train {

/// Mean cross-entropy in nats per asked token (or text) over all batches. No batches: NaN.
double validation_loss(model::Model& model, const std::vector<model::Batch>& batches);

inline constexpr double kBitsPerNat = 1.4426950408889634;

/// How many texts of one label a classifier puts into the right class.
struct Accuracy {
  std::string label;
  std::int64_t right = 0, documents = 0;
  double share() const { return documents == 0 ? 0 : static_cast<double>(right) / static_cast<double>(documents); }
};

/// The label it learnt from first, then every other label that has classes: zero-shot. At most 200 validation texts of
/// each. Stops between labels once `stop` says so.
std::vector<Accuracy> accuracy_by_label(model::Model& model, const corpus::Corpus& corpus, int batch_size,
                                        const std::function<bool()>& stop = {});

/// Adds "accuracy" (of the label it learnt from) and "accuracy.<label>" of a classifier, "bleu" and "bleu.<language>"
/// of a translation, nothing for language models, and nothing once `stop` says so.
void add_quality(const config::RunConfig& config, const corpus::Corpus& corpus, model::Model& model,
                 std::map<std::string, double>& more, std::string& bleu_signature,
                 const std::function<bool()>& stop = {});
/// "bleu 31.2, bleu.French 33 (signature)".
std::string in_words(const std::map<std::string, double>& quality, const std::string& bleu_signature);

}  // namespace moescope::train
