#pragma once
// Hidden states, choices and experts of every MoE layer on held-out batches, and what core/analysis says of them.
// Threads: trainer thread only.

#include <vector>

#include "core/model/model.h"
#include "core/telemetry/frame.h"
#include "core/train/report.h"

namespace moescope::train {

/// By layer, classes being the first choices that training would make now.
std::vector<telemetry::LayerMeasures> measure_layers(model::Model& model, const std::vector<model::Batch>& batches);

/// By layer, by the method's evaluation rule. Outputs of all experts are compared on at most 512 tokens.
std::vector<LayerReport> report_layers(model::Model& model, const std::vector<model::Batch>& batches);

}  // namespace moescope::train
