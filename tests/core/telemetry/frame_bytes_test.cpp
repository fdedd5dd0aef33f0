#include "core/telemetry/frame_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "core/base/seed.h"

namespace moescope::telemetry {
namespace {

/// Values drawn from a seed, with everything a frame can hold: NaN with a payload, negative zero, empty lists.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : words_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return words_.below(limit); }
  bool coin() { return below(2) == 1; }
  double number() {
    switch (below(5)) {
      case 0: return std::bit_cast<double>(0x7FF0'0000'0000'0001ULL | (below(4) << 50) | below(1U << 30));
      case 1: return -0.0;
      case 2: return -std::numeric_limits<double>::infinity();
      default: return static_cast<double>(below(1U << 30)) / 1023.0 - 1e5;
    }
  }
  float number_f() {
    switch (below(4)) {
      case 0:
        return std::bit_cast<float>(static_cast<std::uint32_t>(0x7F80'0001U | (below(4) << 21) | below(1U << 20)));
      case 1: return -0.0F;
      default: return static_cast<float>(below(1U << 20)) / 1023.0F;
    }
  }
  std::string text() {
    std::string text;
    for (std::uint64_t i = below(12); i > 0; --i) text += static_cast<char>(below(256));
    return text;
  }
  std::int64_t step() { return static_cast<std::int64_t>(below(1ULL << 40)); }
  template <class T>
  std::vector<T> integers() {
    std::vector<T> values(below(20));
    for (T& value : values) value = static_cast<T>(below(1ULL << 32));
    return values;
  }
  std::vector<float> floats() {
    std::vector<float> values(below(20));
    for (float& value : values) value = number_f();
    return values;
  }
  template <class Make>
  auto list(std::uint64_t most, Make make) {
    std::vector<decltype(make())> values;
    for (std::uint64_t i = below(most + 1); i > 0; --i) values.push_back(make());
    return values;
  }

  NamedScalar scalar() { return {text(), number()}; }
  LayerStep layer() {
    LayerStep layer;
    layer.load_E = integers<std::uint32_t>();
    layer.dropped_E = integers<std::uint32_t>();
    layer.capacity = static_cast<std::uint32_t>(below(1ULL << 32));
    layer.router_entropy = number_f();
    layer.experts_per_token = number_f();
    layer.student_agreement = number_f();
    for (auto& count : layer.margin_histogram) count = static_cast<std::uint32_t>(below(1ULL << 32));
    layer.auxiliary_losses = list(3, [&] { return scalar(); });
    return layer;
  }
  std::shared_ptr<ProbeSnapshot> probe() {
    ProbeSnapshot probe;
    probe.step = step();
    probe.spacing = step();
    probe.stage = static_cast<int>(below(3));
    probe.after_break = coin();
    probe.layers = list(3, [&] {
      return LayerProbe{static_cast<int>(below(4)), integers<std::int16_t>(), floats(), floats(),
                        integers<std::int16_t>()};
    });
    probe.reference = list(3, [&] { return integers<std::int16_t>(); });
    probe.fluctuation_L = floats();
    return std::make_shared<ProbeSnapshot>(probe);
  }
  std::shared_ptr<RouterSpace> space() {
    return std::make_shared<RouterSpace>(RouterSpace{step(), static_cast<int>(below(9)), static_cast<int>(below(99)),
                                                     integers<std::int32_t>(), integers<std::int16_t>(), floats(),
                                                     floats()});
  }
  ExpertTokens tokens() {
    return {static_cast<int>(below(9)), static_cast<int>(below(99)), list(4, [&] { return text(); }), floats()};
  }
  Event event() { return {static_cast<Event::Kind>(below(4)), step(), text(), text()}; }
  RunInfo info() {
    RunInfo info;
    info.id = text();
    info.parent_folder = text();
    info.parent_step = step();
    info.name = text();
    info.folder = text();
    info.method = text();
    info.corpus = text();
    info.config_toml = text();
    info.total_steps = step();
    info.num_layers = static_cast<int>(below(9));
    info.num_experts = static_cast<int>(below(99));
    info.top_k = static_cast<int>(below(9));
    info.router_space_dim = static_cast<int>(below(999));
    info.tokens_per_step = static_cast<int>(below(9999));
    info.vocab_size = static_cast<int>(below(9999));
    info.threads = static_cast<int>(below(9));
    info.precision = text();
    info.device = text();
    info.num_parameters = step();
    info.num_active_parameters = step();
    info.unigram_entropy_bits = number();
    info.stages = list(3, [&] { return text(); });
    info.labels = list(3, [&] { return text(); });
    info.probe = list(5, [&] {
      return ProbeToken{text(),
                        -static_cast<std::int32_t>(below(1000)),
                        static_cast<std::int16_t>(below(9)),
                        static_cast<std::int32_t>(below(9)),
                        static_cast<std::int32_t>(below(99)),
                        text()};
    });
    return info;
  }
  std::shared_ptr<TelemetryFrame> frame() {
    TelemetryFrame frame;
    frame.step = step();
    frame.stage = static_cast<int>(below(3));
    frame.losses = list(4, [&] { return scalar(); });
    frame.validation_loss = number();
    frame.lr = number();
    frame.grad_norm = number();
    frame.step_ms = number();
    frame.watch_ms = number();
    frame.tokens_per_second = number();
    frame.layers = list(3, [&] { return layer(); });
    frame.measures = list(3, [&] { return LayerMeasures{number(), step()}; });
    frame.controls = list(3, [&] { return LayerControls{coin(), coin(), ~below(1ULL << 40)}; });
    frame.events = list(3, [&] { return event(); });
    if (coin()) frame.probe = probe();
    frame.spaces = list(2, [&] { return std::shared_ptr<const RouterSpace>(space()); });
    frame.expert_tokens = list(2, [&] { return tokens(); });
    return std::make_shared<TelemetryFrame>(frame);
  }

 private:
  SeededWords words_;
};

/// Writes `value`, reads it back and writes that: equal bytes are equal values to the bit, NaN included.
template <class Write, class Read>
void expect_round_trip(const std::string& bytes, Write write, Read read) {
  const std::string two = bytes + bytes;
  std::string_view rest = two;
  for (const std::size_t left : {bytes.size(), std::size_t{0}}) {
    const auto value = read(rest);
    ASSERT_TRUE(value) << format(value.error());
    ASSERT_EQ(write(*value), bytes);
    ASSERT_EQ(rest.size(), left) << "values may stand one after another";
  }
}

TEST(FrameBytes, EveryValueComesBackToTheBit) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Draw draw(seed);
    const auto frame = draw.frame();
    expect_round_trip(
        frame_bytes(*frame), [](const auto& value) { return frame_bytes(*value); }, read_frame);
    expect_round_trip(
        step_bytes(*frame), [](const auto& value) { return step_bytes(*value); }, read_step);
    expect_round_trip(
        probe_bytes(*draw.probe()), [](const auto& value) { return probe_bytes(*value); }, read_probe);
    expect_round_trip(
        space_bytes(*draw.space()), [](const auto& value) { return space_bytes(*value); }, read_space);
    expect_round_trip(
        event_bytes(draw.event()), [](const auto& value) { return event_bytes(value); }, read_event);
    expect_round_trip(
        run_info_bytes(draw.info()), [](const auto& value) { return run_info_bytes(value); }, read_run_info);
    expect_round_trip(
        tokens_bytes(draw.step(), {draw.tokens(), draw.tokens()}),
        [](const auto& value) { return tokens_bytes(value.step, value.tokens); }, read_tokens);
  }
}

// Equal bytes say nothing of a field that is forgotten in writing and reading alike: so each by name, once.
TEST(FrameBytes, NoFieldIsForgotten) {
  TelemetryFrame frame;
  frame.step = 1;
  frame.stage = 2;
  frame.losses = {{"task", 3}};
  frame.validation_loss = 4;
  frame.lr = 5;
  frame.grad_norm = 6;
  frame.step_ms = 7;
  frame.watch_ms = 8;
  frame.tokens_per_second = 9;
  frame.layers.resize(1);
  frame.layers[0] = {{10, 11}, {12, 13}, 14, 15, 16, 17, {18, 19}, {{"balance", 20}}};
  frame.measures = {{21, 22}};
  frame.controls = {{true, false, 23}, {false, true, ~0ULL}};
  frame.events = {{Event::Kind::kProbeSpacing, 24, "text", "who"}};
  frame.probe = std::make_shared<ProbeSnapshot>(
      ProbeSnapshot{25, 26, 27, true, {{28, {-1, 29}, {30}, {31}, {32}}}, {{33}, {}}, {34}});
  frame.spaces = {std::make_shared<RouterSpace>(RouterSpace{35, 36, 37, {38}, {39}, {40}, {41}})};
  frame.expert_tokens = {{42, 43, {"a", "b"}, {44, 45}}};
  const std::string bytes = frame_bytes(frame);
  std::string_view rest = bytes;
  const auto back = read_frame(rest);
  ASSERT_TRUE(back);
  const TelemetryFrame& b = **back;
  EXPECT_EQ(b.step, 1);
  EXPECT_EQ(b.stage, 2);
  EXPECT_EQ(b.losses.at(0).name, "task");
  EXPECT_EQ(b.losses.at(0).value, 3);
  EXPECT_EQ(b.validation_loss, 4);
  EXPECT_EQ(b.lr, 5);
  EXPECT_EQ(b.grad_norm, 6);
  EXPECT_EQ(b.step_ms, 7);
  EXPECT_EQ(b.watch_ms, 8);
  EXPECT_EQ(b.tokens_per_second, 9);
  const LayerStep& layer = b.layers.at(0);
  EXPECT_THAT(layer.load_E, testing::ElementsAre(10, 11));
  EXPECT_THAT(layer.dropped_E, testing::ElementsAre(12, 13));
  EXPECT_EQ(layer.capacity, 14U);
  EXPECT_EQ(layer.router_entropy, 15);
  EXPECT_EQ(layer.experts_per_token, 16);
  EXPECT_EQ(layer.student_agreement, 17);
  EXPECT_EQ(layer.margin_histogram[1], 19U);
  EXPECT_EQ(layer.auxiliary_losses.at(0).value, 20);
  EXPECT_EQ(b.measures.at(0).collapse, 21);
  EXPECT_EQ(b.measures.at(0).tokens, 22);
  EXPECT_TRUE(b.controls.at(0).router_frozen);
  EXPECT_TRUE(b.controls.at(1).assignment_pinned);
  EXPECT_EQ(b.controls.at(1).frozen_experts, ~0ULL);
  EXPECT_EQ(b.events.at(0).kind, Event::Kind::kProbeSpacing);
  EXPECT_EQ(b.events.at(0).step, 24);
  EXPECT_EQ(b.events.at(0).text, "text");
  EXPECT_EQ(b.events.at(0).who, "who");
  ASSERT_TRUE(b.probe);
  EXPECT_EQ(b.probe->step, 25);
  EXPECT_EQ(b.probe->spacing, 26);
  EXPECT_EQ(b.probe->stage, 27);
  EXPECT_TRUE(b.probe->after_break);
  EXPECT_EQ(b.probe->layers.at(0).top_k, 28);
  EXPECT_THAT(b.probe->layers.at(0).expert_TK, testing::ElementsAre(-1, 29));
  EXPECT_THAT(b.probe->layers.at(0).gate_TK, testing::ElementsAre(30));
  EXPECT_THAT(b.probe->layers.at(0).margin_T, testing::ElementsAre(31));
  EXPECT_THAT(b.probe->layers.at(0).student_T, testing::ElementsAre(32));
  EXPECT_THAT(b.probe->reference, testing::ElementsAre(testing::ElementsAre(33), testing::IsEmpty()));
  EXPECT_THAT(b.probe->fluctuation_L, testing::ElementsAre(34));
  const RouterSpace& space = *b.spaces.at(0);
  EXPECT_EQ(space.step, 35);
  EXPECT_EQ(space.layer, 36);
  EXPECT_EQ(space.dim, 37);
  EXPECT_THAT(space.token_S, testing::ElementsAre(38));
  EXPECT_THAT(space.expert_S, testing::ElementsAre(39));
  EXPECT_THAT(space.vectors_SR, testing::ElementsAre(40));
  EXPECT_THAT(space.rows_ER, testing::ElementsAre(41));
  EXPECT_EQ(b.expert_tokens.at(0).layer, 42);
  EXPECT_EQ(b.expert_tokens.at(0).expert, 43);
  EXPECT_THAT(b.expert_tokens.at(0).tokens, testing::ElementsAre("a", "b"));
  EXPECT_THAT(b.expert_tokens.at(0).log_odds, testing::ElementsAre(44, 45));
}

TEST(FrameBytes, AStepLeavesOutWhatIsStoredApart) {
  Draw draw(7);
  TelemetryFrame frame = *draw.frame();
  frame.probe = draw.probe();
  frame.spaces = {draw.space()};
  frame.events = {draw.event()};
  frame.expert_tokens = {draw.tokens()};
  TelemetryFrame bare = frame;
  bare.probe = nullptr;
  bare.spaces.clear();
  bare.events.clear();
  bare.expert_tokens.clear();
  EXPECT_EQ(step_bytes(frame), step_bytes(bare));
  EXPECT_NE(frame_bytes(frame), frame_bytes(bare));
}

TEST(FrameBytes, EveryCutIsNoticedAndLeavesTheBytesAlone) {
  const std::string whole = frame_bytes(*Draw(3).frame());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::string_view rest = std::string_view(whole).substr(0, length);
    const auto frame = read_frame(rest);
    ASSERT_FALSE(frame) << length;
    ASSERT_EQ(format(frame.error()), "error: the bytes of a frame are damaged: they end early\n");
    ASSERT_EQ(rest.size(), length);
  }
}

TEST(FrameBytes, FlippedBytesAreAnErrorOrAValueThatCanBeWrittenAgain) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const std::string whole = frame_bytes(*Draw(seed).frame());
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string garbled = whole;
        garbled[at] = static_cast<char>(garbled[at] ^ flip);
        std::string_view rest = garbled;
        const auto frame = read_frame(rest);
        if (frame) {
          ASSERT_EQ(frame_bytes(**frame), garbled.substr(0, garbled.size() - rest.size())) << at;
        }
      }
    }
  }
}

std::string verdict(std::string_view bytes) {
  const auto event = read_event(bytes);
  return event ? "accepted" : format(event.error());
}

TEST(FrameBytes, HostileBytesGetASentence) {
  using namespace std::string_literals;
  const std::string good = event_bytes({Event::Kind::kNotice, 1, "t", "w"});
  EXPECT_EQ(good, "\x92\x01\x94\x03\x01\xA1t\xA1w"s);
  EXPECT_EQ(verdict(good), "accepted");
  EXPECT_EQ(verdict("\x92\x02\x94\x03\x01\xA1t\xA1w"s),
            "error: an event was written by a newer MoEScope (version 2 of its bytes; this one reads up to 1)\n"
            "hint: open it with the newer MoEScope\n");
  EXPECT_EQ(verdict("\x92\x02\xC0"s).substr(0, 45), "error: an event was written by a newer MoESco")
      << "whatever follows";
  EXPECT_EQ(verdict("\x92\x00\x94\x03\x01\xA1t\xA1w"s),
            "error: the bytes of an event are damaged: their version is 0\n");
  EXPECT_EQ(verdict("\x01"s), "error: the bytes of an event are damaged: their version is missing\n");
  EXPECT_EQ(verdict("\x92\x01\x93\x03\x01\xA1t"s),
            "error: the bytes of an event are damaged: a list of 4 parts is missing\n");
  EXPECT_EQ(verdict("\x92\x01\x94\x04\x01\xA1t\xA1w"s),
            "error: the bytes of an event are damaged: an event is of no known kind\n");
  EXPECT_EQ(verdict("\x92\x01\x94\x03\xC0\xA1t\xA1w"s),
            "error: the bytes of an event are damaged: a whole number is missing or out of range\n");
  EXPECT_EQ(verdict("\x92\x01\x94\x03\x01\x05\xA1w"s), "error: the bytes of an event are damaged: a text is missing\n");
  const std::string too_large =
      "error: the bytes of an event are damaged: they are no MessagePack, or larger or deeper than any value of a "
      "run\n";
  EXPECT_EQ(verdict("\xDD\xFF\xFF\xFF\xFF"s), too_large) << "an array of four thousand million";
  EXPECT_EQ(verdict("\xC6\xFF\xFF\xFF\xFF"s), "error: the bytes of an event are damaged: they end early\n");
  EXPECT_EQ(verdict("\x81\x01\x01"s), too_large) << "a map";
  EXPECT_EQ(verdict("\xC1"s), too_large) << "what MessagePack never uses";
  EXPECT_EQ(verdict(std::string(100'000, '\x91')), too_large) << "a deep nest";
  EXPECT_EQ(verdict(""), "error: the bytes of an event are damaged: they end early\n");
}

TEST(FrameBytes, OneKindOfValueIsNotTakenForAnother) {
  Draw draw(11);
  const std::string bytes = probe_bytes(*draw.probe());
  std::string_view rest = bytes;
  EXPECT_FALSE(read_step(rest));
  EXPECT_FALSE(read_run_info(rest));
  EXPECT_FALSE(read_event(rest));
}

}  // namespace
}  // namespace moescope::telemetry
