#pragma once
// The configuration of one run: typed common sections, and the method's own sections as checked plain values.
// Threads: plain values.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/method_info.h"

namespace moescope::config {

struct TopConfig {
  std::string name = "run";
  std::int64_t seed = 7;
};

struct DataConfig {
  std::string corpus = "manuals";  ///< a built-in corpus, or the path of a file or folder
  std::string tokenizer = "bpe";   ///< bpe | bytes
  int vocab_size = 4096;
  std::string languages = "auto";        ///< of corpora of sentence pairs: codes with commas between, or "auto"
  std::string direction = "to_english";  ///< to_english | from_english
  std::string source, target;            ///< aligned files, instead of a corpus; empty: none
};

struct ModelConfig {
  std::string objective = "causal_lm";
  int num_layers = 4;
  int d_model = 64;
  int num_heads = 4;
  int context = 128;
  std::string norm = "pre";           ///< pre | post
  std::string positions = "learned";  ///< learned | rotary
  std::string init_from;              ///< weights of an earlier run (a run folder or a safetensors file); empty: none
  double mask_share = 0.15;           ///< of masked_lm
};

struct MoeConfig {
  std::string method = "stablemoe";
  std::string placement = "inserted";  ///< inserted: an extra layer after a block · ffn: replaces a block's FFN
  /// Blocks that carry an MoE layer, counted from 1, comma-separated ("1,2,3"), or "auto": for `inserted` the three
  /// inner gaps spread over the depth, for `ffn` every block.
  std::string layers = "auto";
  int num_experts = 8;
  int expert_hidden = 128;     ///< inner width of one expert
  int expert_sublayers = 1;    ///< residual FFN sublayers in one expert (inserted placement only)
  double capacity_factor = 0;  ///< slots per expert over the fair share; 0: no limit
};

struct TrainConfig {
  std::int64_t steps = 1500;
  int batch_size = 8;  ///< sequences of `context` tokens
  double lr = 4e-3;
  int warmup = 20;                  ///< steps of linear warm-up
  std::string schedule = "cosine";  ///< cosine | constant, after warm-up
  double weight_decay = 0.01;
  double grad_clip = 1.0;
  double label_smoothing = 0;      ///< ε: the target weighs 1 − ε, the other classes share ε
  int threads = 0;                 ///< training threads; 0: one fewer than cores, at least one
  std::string precision = "fp32";  ///< fp32 (bf16 and auto arrive with the vector kernels)
  int validate_every = 100;
};

struct ProbeConfig {
  int tokens = 512;
  int every = 10;  ///< steps between probes; doubles by itself when watching costs too much
};

/// What a run with a folder keeps of itself.
struct RecordConfig {
  int checkpoint_every = 200;  ///< steps between regular checkpoints; 0: only where something is about to change
  int keep_last = 4;           ///< regular checkpoints that stay, the newest
  int keep_every = 1000;       ///< those at multiples of it stay too; 0: none
  int hash_every = 64;         ///< steps between hashes of the whole state
  int probe_every = 1;         ///< every n-th probe is kept
  int space_every = 5;         ///< with every n-th kept probe the router spaces of all layers too; 0: never
  int probe_budget = 256;      ///< MB of probes and spaces after which they are kept more rarely
};

/// How a translation is searched for, and how much of it is measured.
struct DecodeConfig {
  int beam_width = 4;
  double length_penalty = 1.0;  ///< α of ((5 + length) / 6)^α
  int sentences = 200;          ///< validation pairs that BLEU is measured on
};

FieldList<TopConfig> top_fields();
FieldList<DataConfig> data_fields();
FieldList<ModelConfig> model_fields();
FieldList<MoeConfig> moe_fields();
FieldList<TrainConfig> train_fields();
FieldList<ProbeConfig> probe_fields();
FieldList<RecordConfig> record_fields();
FieldList<DecodeConfig> decode_fields();

struct RunConfig {
  TopConfig top;
  DataConfig data;
  ModelConfig model;
  MoeConfig moe;
  std::map<std::string, Value> router;  ///< every field of the method's router section, defaults filled in
  std::map<std::string, Value> stages;  ///< every field of the method's stage schedule, defaults filled in
  TrainConfig train;
  ProbeConfig probe;
  RecordConfig record;
  DecodeConfig decode;
  Settings written;  ///< what the text or --set wrote, with places, so that later checks can point at it
};

/// The sections every run has, whatever its method.
std::vector<Schema> common_schema();

/// Every section's schema for one method, in the order a file is written; the method's defaults applied.
std::vector<Schema> run_schema(const MethodInfo& method);

/// The full dotted keys of run_schema() with their specs.
std::map<std::string, FieldSpec> run_fields(const MethodInfo& method);

/// Reads and checks a configuration. All errors at once, sorted by place: unknown keys (with the nearest known one),
/// wrong types, values out of range, k > experts, and every rule over several fields.
/// `file_name` is what messages print; `overrides` are `--set key=value` texts, applied after the file.
Result<RunConfig> read_run_config(const std::string& text, const std::string& file_name,
                                  const MethodCatalogue& catalogue, const std::vector<std::string>& overrides = {});

/// The text of a configuration file. Refuses one that is missing, a folder, unreadable or too large.
Result<std::string> read_config_text(const std::string& path);

/// The same from a file: also refuses a missing, unreadable or oversized file.
Result<RunConfig> load_run_config(const std::string& path, const MethodCatalogue& catalogue,
                                  const std::vector<std::string>& overrides = {});

/// The same from a form's values (full dotted key → value).
Result<RunConfig> run_config_from(const std::map<std::string, Value>& values, const MethodCatalogue& catalogue);

/// Every field by full dotted key.
std::map<std::string, Value> values_of(const RunConfig& config, const MethodInfo& method);

/// The configuration as TOML with every field, its help as comments; reads back as the same RunConfig.
std::string to_toml(const RunConfig& config, const MethodInfo& method);

/// The blocks (counted from 1) that carry an MoE layer. Requires: a checked configuration.
std::vector<int> moe_blocks(const RunConfig& config);

/// A Diagnostic at the place where `key` was written, or at the file as a whole when it is a default.
Diagnostic error_at(const RunConfig& config, const std::string& key, std::string message, std::string hint = {});

}  // namespace moescope::config
