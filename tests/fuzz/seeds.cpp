// Writes what the fuzz targets begin with: seeds FOLDER makes FOLDER/<target>/ with small valid inputs of each kind.
// They are made and not kept, so that they are always of the formats of today.

#include <cstdio>
#include <filesystem>
#include <functional>

#include "app/workbench/child_protocol.h"
#include "app/workbench/child_request.h"
#include "core/bus/command_json.h"
#include "core/record/chunk_builder.h"
#include "core/record/run_facts.h"
#include "core/record/safetensors.h"
#include "core/record/tensor_list.h"
#include "core/telemetry/frame_bytes.h"
#include "tests/core/config/catalogue.h"
#include "tests/core/corpus/mo_writer.h"
#include "tests/core/record/recorded_run.h"

using namespace moescope;
using namespace std::string_literals;
using record::fill;
namespace fs = std::filesystem;

namespace {

void texts(const std::string& to) {
  fill(to + "/mo", '\0' + corpus::mo_bytes({corpus::mo_header(), {"Open", "Öffnen"}, {"one\0many"s, "eins\0viele"s}}));
  fill(to + "/mo_big_endian", '\0' + corpus::mo_bytes({corpus::mo_header(), {"a", "b"}}, true));
  fill(to + "/jsonl", "\1{\"text\": \"one \\u00e4\"}\n\n{\"text\": \"two\", \"more\": [1, {\"a\": null}]}\n");
  fill(to + "/text",
       "\2A first passage,\r\nof two lines.\n\n\xEF\xBB\xBF"
       "Another one: größer.\n");
  fill(to + "/aligned", "\3one\ntwo\n\nfour\n\feins\nzwei\ndrei\nvier\n");
}

void frames(const std::string& to) {
  const telemetry::FramePtr frame = record::test_frame(20);
  const telemetry::Event event{telemetry::Event::Kind::kStageSwitch, 3, "text", "you"};
  telemetry::TelemetryFrame whole = *frame;
  whole.events = {event};
  fill(to + "/frame", '\0' + telemetry::frame_bytes(whole));
  fill(to + "/step", '\1' + telemetry::step_bytes(*frame) + telemetry::step_bytes(*record::test_frame(21)));
  fill(to + "/probe", '\2' + telemetry::probe_bytes(*frame->probe));
  fill(to + "/space", '\3' + telemetry::space_bytes(*frame->spaces.front()));
  fill(to + "/tokens", '\4' + telemetry::tokens_bytes(20, frame->expert_tokens));
  fill(to + "/info", '\5' + telemetry::run_info_bytes(record::test_info()));
  fill(to + "/chunk", '\6' + record::chunk_data({1, 2, 2, std::string(64, 'a')}));
  fill(to + "/chunk_long", '\6' + record::chunk_data({1, 2, 2, std::string(4096, 'a')}));
  fill(to + "/tensors", '\7' + record::tensor_list_blob({{"model/a", 1}, {"model/b", ~0ULL}}));
  fill(to + "/facts", '\x8' + record::facts_json(record::test_facts()));
}

void commands(const std::string& to) {
  int number = 0;
  const auto add = [&](char kind, const std::string& text) { fill(to + '/' + std::to_string(number++), kind + text); };
  for (int kind = 0; kind <= static_cast<int>(bus::CommandKind::kWatch); ++kind) {
    bus::Command command;
    command.kind = static_cast<bus::CommandKind>(kind);
    command.key = "train.lr";
    command.value = kind % 2 == 0 ? config::Value(0.25) : config::Value(std::string("text"));
    command.text = "größe \"q\"";
    add('\0', bus::to_json(command));
    bus::Reply reply;
    reply.command = command;
    reply.text = "lr 1 → 2";
    reply.old_value = 0.5;
    reply.sentence =
        bus::SentenceResult{"a b", 1, {{"a", {0, 1}, {0.5F, 0.25F}, {0.1F, telemetry::kNotMeasured}}}, "c"};
    add('\1', bus::to_json(reply));
  }
  add('\2', bus::to_json(bus::RunStatus{}));
}

void messages(const std::string& to) {
  const config::MethodCatalogue catalogue = config::test_catalogue();
  train::RunRequest request;
  request.config = *config::read_run_config("[moe]\nmethod = \"smoe\"\n", "run.toml", catalogue);
  request.origin = train::Origin{train::Origin::Use::kFork, "runs/a", 3, 1};
  request.script = {{2, {}}};
  const config::MethodInfo& method = *config::find_method(catalogue, "smoe");
  fill(to + "/stream", '\5' + app::encode(app::MessageKind::kRequest, app::request_bytes(request, method)) +
                           app::encode(app::MessageKind::kCommand, bus::to_json(bus::Command{})) +
                           app::encode(app::MessageKind::kStop, ""));
}

void safetensors(const std::string& to) {
  static_cast<void>(record::write_safetensors(to + "/two",
                                              {{"model/a", "F32", {2, 1}, std::vector<std::uint8_t>(8, 1)},
                                               {"größe", "I64", {}, std::vector<std::uint8_t>(8, 2)},
                                               {"empty", "U8", {0, 3}, {}}},
                                              {{"step", "12"}}));
  static_cast<void>(record::write_safetensors(to + "/none", {}, {}));
  fill(to + "/header", R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})");
}

void run_file(const std::string& to) {
  for (const std::int64_t steps : {3, 70}) {
    const record::ScratchFolder scratch;
    record::write_run(scratch / "run", steps);
    fs::copy_file(scratch / "run/run.db", to + '/' + std::to_string(steps), fs::copy_options::overwrite_existing);
  }
}

void configs(const std::string& to) {
  for (const auto& entry : fs::directory_iterator(std::string(MOESCOPE_SOURCE_DIR) + "/sample_configs"))
    if (entry.path().extension() == ".toml")
      fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing);
  fill(to + "/odd",
       "name = '''a'''\nseed = 0x1F\n[moe]\nmethod = \"stablemoe\"\nrouter.student = 'bigram'\n"
       "[[a]]\n\"b\".c = [1.5e3, {d = 1979-05-27T07:32:00Z}, nan, -inf, true]\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::pair<const char*, std::function<void(const std::string&)>> kinds[] = {
      {"texts", texts},       {"frames", frames},  {"commands", commands}, {"safetensors", safetensors},
      {"run_file", run_file}, {"config", configs}, {"messages", messages}};
  for (const auto& [name, make] : kinds) {
    const std::string to = std::string(arguments[1]) + '/' + name;
    fs::create_directories(to);
    make(to);
  }
  return 0;
}
