#include "app/workbench/child_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace moescope::app {
namespace {

using testing::HasSubstr;

std::string problem(const std::string& bytes) {
  MessageReader reader;
  reader.add(bytes);
  while (true) {
    const auto message = reader.next();
    if (!message) return message.error().front().message;
    if (!*message) return "";
  }
}

TEST(ChildProtocol, MessagesComeOutAsTheyWentInHoweverTheStreamIsCut) {
  constexpr std::array kKinds{MessageKind::kRequest, MessageKind::kCommand, MessageKind::kStop,
                              MessageKind::kRunInfo, MessageKind::kFrame,   MessageKind::kReply,
                              MessageKind::kStatus,  MessageKind::kDropped, MessageKind::kBye};
  std::string stream;
  for (std::size_t i = 0; i < kKinds.size(); ++i) stream += encode(kKinds[i], std::string(i * 97 % 300, 'x'));
  for (std::size_t piece = 1; piece <= stream.size(); piece += piece < 20 ? 1 : 37) {
    MessageReader reader;
    std::vector<Message> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.add(std::string_view(stream).substr(at, piece));
      for (auto message = reader.next(); message && *message; message = reader.next()) got.push_back(**message);
    }
    ASSERT_EQ(got.size(), kKinds.size()) << "in pieces of " << piece;
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
      EXPECT_EQ(got[i].kind, kKinds[i]);
      EXPECT_EQ(got[i].body, std::string(i * 97 % 300, 'x'));
    }
  }
}

TEST(ChildProtocol, TheLargestMessagePassesAndOneByteMoreIsRefusedBeforeItIsRead) {
  MessageReader reader;
  reader.add(encode(MessageKind::kFrame, std::string(kMostBody, 'f')));
  const auto message = reader.next();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->body.size(), kMostBody);

  std::string head = encode(MessageKind::kFrame, "");
  head[4] = 1;  // 16 MiB and one byte
  head[7] = 1;
  EXPECT_EQ(problem(head), "a message of 16777217 bytes");
  for (const std::size_t at : {4, 5, 6, 7}) head[at] = '\xff';
  EXPECT_EQ(problem(head), "a message of 4294967295 bytes");
}

TEST(ChildProtocol, WhatIsNoMessageIsRefusedAtItsFirstWrongByte) {
  EXPECT_EQ(problem("G"), "something that is no message of a training process");
  EXPECT_EQ(problem("Mo "), "something that is no message of a training process");
  EXPECT_EQ(problem("MoE\x02"), "messages of version 2 instead of version 1");
  std::string unknown = encode(MessageKind::kStop, "");
  for (const int kind : {0, 4, 15, 22, 255}) {
    unknown[8] = static_cast<char>(kind);
    EXPECT_EQ(problem(unknown), "a message of unknown kind " + std::to_string(kind));
  }
  EXPECT_EQ(problem(encode(MessageKind::kStop, "") + "?"), "something that is no message of a training process")
      << "also behind a good one";
}

TEST(ChildProtocol, AnErrorStays) {
  MessageReader reader;
  reader.add("?");
  EXPECT_FALSE(reader.next());
  reader.add(encode(MessageKind::kStop, ""));
  EXPECT_FALSE(reader.next());
}

TEST(ChildProtocol, EveryByteOfAHeadMatters) {
  const std::string good = encode(MessageKind::kStatus, "abc");
  for (std::size_t at = 0; at < kMessageHead; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      MessageReader reader;
      reader.add(bytes);
      const auto message = reader.next();
      const bool same = message && *message && (*message)->kind == MessageKind::kStatus && (*message)->body == "abc";
      EXPECT_FALSE(same) << "bit " << bit << " of byte " << at;
    }
}

}  // namespace
}  // namespace moescope::app
