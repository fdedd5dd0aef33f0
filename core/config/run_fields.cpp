// The declarations of the common sections: everything known of a key is on its line.
#include <algorithm>
#include <utility>

#include "core/config/run_config.h"

namespace moescope::config {
namespace {

// The largest number every reader of JSON keeps exactly.
constexpr double kMaxSeed = 9007199254740991.0;

void apply_defaults(const MethodInfo& method, std::vector<Schema>& sections) {
  for (Schema& schema : sections) {
    const std::string prefix = schema.section.empty() ? "" : schema.section + '.';
    for (FieldSpec& spec : schema.fields) {
      const auto found = method.defaults.find(prefix + spec.key);
      if (found == method.defaults.end()) continue;
      MOESCOPE_ASSERT(check_value(spec, found->second).empty(), "a method's default fits the field it is for");
      spec.default_value = coerce(spec, found->second);
    }
  }
}

Schema renamed(Schema schema, std::string section) {
  schema.section = std::move(section);
  return schema;
}

}  // namespace

FieldList<TopConfig> top_fields() {
  return {
      field(&TopConfig::name, "name", "what the run is called, in lists and in its folder's name"),
      field(&TopConfig::seed, "seed", "every random draw follows from it").range(0, kMaxSeed),
  };
}

FieldList<DataConfig> data_fields() {
  return {
      field(&DataConfig::corpus, "corpus",
            "a built-in corpus (manuals, catalogs, synthetic, synthetic_pairs), or the path of a file or folder"),
      field(&DataConfig::tokenizer, "tokenizer",
            "how text becomes tokens: pieces learnt from the corpus, or plain bytes")
          .choices({"bpe", "bytes"}),
      field(&DataConfig::vocab_size, "vocab_size", "pieces the bpe tokenizer learns").range(256, 65536).unit("pieces"),
      field(&DataConfig::languages, "languages",
            "of a corpus of sentence pairs the languages beside English, like \"fr,de\", or auto: the five largest"),
      field(&DataConfig::direction, "direction", "which way a corpus of sentence pairs is translated")
          .choices({"to_english", "from_english"}),
      field(&DataConfig::source, "source",
            "a file of sentences to translate, instead of a corpus; line by line with target"),
      field(&DataConfig::target, "target", "the file with their translations"),
  };
}

FieldList<ModelConfig> model_fields() {
  return {
      field(&ModelConfig::objective, "objective",
            "what the model learns: the next token, hidden tokens, a translation, or the class of a text")
          .choices({"causal_lm", "masked_lm", "translation", "classification"}),
      field(&ModelConfig::num_layers, "num_layers", "transformer blocks").range(1, 64).unit("blocks"),
      field(&ModelConfig::d_model, "d_model", "width of the model, a multiple of num_heads").range(4, 4096),
      field(&ModelConfig::num_heads, "num_heads", "attention heads").range(1, 64).unit("heads"),
      field(&ModelConfig::context, "context", "length of a training sequence").range(8, 4096).unit("tokens"),
      field(&ModelConfig::norm, "norm", "layer norm before or after each sublayer").choices({"pre", "post"}),
      field(&ModelConfig::positions, "positions", "how the model knows where a token stands")
          .choices({"learned", "rotary"}),
      field(&ModelConfig::init_from, "init_from",
            "start from the weights of an earlier run: its folder or a safetensors file; empty starts afresh"),
      field(&ModelConfig::mask_share, "mask_share", "share of tokens that masked_lm hides and asks for")
          .above(0)
          .range(0, 0.9),
  };
}

FieldList<MoeConfig> moe_fields() {
  return {
      field(&MoeConfig::method, "method", "the routing method, as `moescope-cli methods` lists it"),
      field(&MoeConfig::placement, "placement", "an extra layer after a block, or in place of a block's FFN")
          .choices({"inserted", "ffn"}),
      field(&MoeConfig::layers, "layers", "blocks that carry an MoE layer, from 1, like \"1,2,3\"; auto spreads them"),
      field(&MoeConfig::num_experts, "num_experts", "experts in each MoE layer").range(1, 256).unit("experts"),
      field(&MoeConfig::expert_hidden, "expert_hidden", "inner width of one expert").range(1, 16384),
      field(&MoeConfig::expert_sublayers, "expert_sublayers", "residual FFN sublayers in one expert, inserted only")
          .range(1, 8),
      field(&MoeConfig::capacity_factor, "capacity_factor", "slots per expert over the fair share; 0: no limit")
          .range(0, 64)
          .live(),
  };
}

FieldList<TrainConfig> train_fields() {
  return {
      field(&TrainConfig::steps, "steps", "length of the run").range(1, 10'000'000).unit("steps"),
      field(&TrainConfig::batch_size, "batch_size", "sequences in a step").range(1, 4096).unit("sequences"),
      field(&TrainConfig::lr, "lr", "peak learning rate").range(0, 1).live().logarithmic(),
      field(&TrainConfig::warmup, "warmup", "linear rise of the learning rate").range(0, 1'000'000).unit("steps"),
      field(&TrainConfig::schedule, "schedule", "the learning rate after the rise").choices({"cosine", "constant"}),
      field(&TrainConfig::weight_decay, "weight_decay", "AdamW's pull of weights towards zero").range(0, 10),
      field(&TrainConfig::grad_clip, "grad_clip", "largest gradient norm; 0: no limit").range(0, 1000),
      field(&TrainConfig::label_smoothing, "label_smoothing",
            "weight of the target that the other classes share instead")
          .range(0, 0.9),
      field(&TrainConfig::threads, "threads", "training threads; 0: one fewer than cores")
          .range(0, 256)
          .unit("threads"),
      field(&TrainConfig::precision, "precision", "number format of the training").choices({"fp32"}),
      field(&TrainConfig::validate_every, "validate_every", "how often the validation loss is measured")
          .range(1, 1'000'000)
          .unit("steps"),
  };
}

FieldList<ProbeConfig> probe_fields() {
  return {
      field(&ProbeConfig::tokens, "tokens", "held-out tokens whose routing is recorded").range(16, 8192).unit("tokens"),
      field(&ProbeConfig::every, "every", "how often; doubles by itself when watching costs too much")
          .range(1, 100'000)
          .unit("steps"),
  };
}

FieldList<RecordConfig> record_fields() {
  return {
      field(&RecordConfig::checkpoint_every, "checkpoint_every", "how often the whole state is saved; 0: not regularly")
          .range(0, 10'000'000)
          .unit("steps"),
      field(&RecordConfig::keep_last, "keep_last", "regular checkpoints that are kept, the newest").range(1, 10'000),
      field(&RecordConfig::keep_every, "keep_every", "checkpoints at multiples of this are kept too; 0: none")
          .range(0, 10'000'000)
          .unit("steps"),
      field(&RecordConfig::hash_every, "hash_every",
            "how often the whole state is hashed, so that a replay can be held against it")
          .range(1, 1'000'000)
          .unit("steps"),
      field(&RecordConfig::probe_every, "probe_every", "every n-th probe is recorded").range(1, 100'000),
      field(&RecordConfig::space_every, "space_every",
            "with every n-th recorded probe the router spaces of all layers; 0: never")
          .range(0, 100'000),
      field(&RecordConfig::probe_budget, "probe_budget",
            "size of probes and spaces after which they are recorded more rarely")
          .range(1, 1'000'000)
          .unit("MB"),
  };
}

FieldList<DecodeConfig> decode_fields() {
  return {
      field(&DecodeConfig::beam_width, "beam_width", "hypotheses kept while a translation is searched; 1 is greedy")
          .range(1, 64),
      field(&DecodeConfig::length_penalty, "length_penalty",
            "exponent of the length a hypothesis is measured against; more favours longer translations")
          .range(0, 10),
      field(&DecodeConfig::sentences, "sentences", "validation pairs translated for BLEU at the end of a run")
          .range(0, 100'000)
          .unit("pairs"),
  };
}

std::vector<Schema> common_schema() {
  return {schema_of("", top_fields()),          schema_of("data", data_fields()),    schema_of("model", model_fields()),
          schema_of("moe", moe_fields()),       schema_of("train", train_fields()),  schema_of("probe", probe_fields()),
          schema_of("record", record_fields()), schema_of("decode", decode_fields())};
}

std::vector<Schema> run_schema(const MethodInfo& method) {
  std::vector<Schema> sections = common_schema();
  const auto train =
      std::find_if(sections.begin(), sections.end(), [](const Schema& schema) { return schema.section == "train"; });
  sections.insert(train, {renamed(method.router, "moe.router"), renamed(method.stage_schedule, "stages")});
  std::erase_if(sections, [](const Schema& schema) { return schema.fields.empty(); });
  apply_defaults(method, sections);
  return sections;
}

std::map<std::string, FieldSpec> run_fields(const MethodInfo& method) {
  std::map<std::string, FieldSpec> fields;
  for (const Schema& schema : run_schema(method))
    for (const FieldSpec& spec : schema.fields) {
      const std::string key = schema.section.empty() ? spec.key : schema.section + '.' + spec.key;
      fields.emplace(key, spec);
    }
  return fields;
}

}  // namespace moescope::config
