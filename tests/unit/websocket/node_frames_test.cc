#include <ringwall/websocket/node_frames.h>

#include <random>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/websocket/drive.h"
#include "unit/websocket/random_stream.h"

namespace {

using namespace ringwall::websocket;
using namespace std::string_literals;
using Kind = NodeFrames::Event::Kind;
using reference::Outcome;
using reference::Seen;

std::string frame(bool fin, unsigned opcode, const std::string& payload) {
  return reference::frame(fin, opcode, payload, "");
}

void check_same(const Outcome& outcome, const Outcome& expected) {
  REQUIRE(outcome.seen == expected.seen);
  REQUIRE(outcome.at_frame_boundary == expected.at_frame_boundary);
  REQUIRE(outcome.inside_message == expected.inside_message);
  REQUIRE(outcome.messages == expected.messages);
  REQUIRE(outcome.payloads == expected.payloads);
  REQUIRE(outcome.open_payload == expected.open_payload);
}

std::vector<Seen> seen(const std::string& stream) {
  const Outcome expected = reference::read_node(stream);
  std::vector<std::size_t> every_byte;
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    INFO("split at " << split << " of " << stream.size());
    check_same(drive::node(drive::split_at(stream, {split})), expected);
    every_byte.push_back(split);
  }
  check_same(drive::node(drive::split_at(stream, every_byte)), expected);
  return expected.seen;
}

Seen relay(const std::string& bytes) { return {"relay", 0, bytes}; }
Seen violation(unsigned code) { return {"violation", code, ""}; }

}  // namespace

TEST_CASE("a run of frames stops at the first boundary when a frame of ours is due") {
  const std::string two = frame(true, 2, "one") + frame(true, 2, "two");
  NodeFrames frames;
  std::span<const std::byte> in = std::as_bytes(std::span(two));
  CHECK(frames.next(in, true).bytes.size() == two.size() / 2);
  CHECK(frames.at_frame_boundary());
  CHECK(frames.next(in, true).bytes.size() == two.size() / 2);
  in = std::as_bytes(std::span(two));
  CHECK(frames.next(in).bytes.size() == two.size());
  // Within a frame it goes on to the frame's end.
  in = std::as_bytes(std::span(two).first(3));
  CHECK(frames.next(in, true).bytes.size() == 3);
  CHECK_FALSE(frames.at_frame_boundary());
  in = std::as_bytes(std::span(two).subspan(3));
  CHECK(frames.next(in, true).bytes.size() == two.size() / 2 - 3);
  CHECK(frames.at_frame_boundary());
}

TEST_CASE("all data frames of a buffer are relayed as one run, from where they are") {
  const std::string stream =
      frame(true, 1, "one") + frame(false, 2, "two") + frame(true, 0, "") + frame(true, 1, "cut");
  const auto bytes = drive::to_bytes(stream.substr(0, stream.size() - 1));
  std::span<const std::byte> in = bytes;
  NodeFrames frames;
  const auto event = frames.next(in);
  REQUIRE(event.kind == Kind::relay);
  CHECK(event.bytes.data() == bytes.data());
  CHECK(event.bytes.size() == bytes.size());
  CHECK_FALSE(event.kept);
  CHECK_FALSE(frames.at_frame_boundary());
  CHECK(frames.take_messages() == 2);
  CHECK(frames.take_messages() == 0);
  CHECK(frames.next(in).kind == Kind::need_more);
}

TEST_CASE("a tap is told of each message in a buffer where it lies, and of its end before the run is handed out") {
  const std::string stream = frame(true, 1, "one") + frame(false, 2, "tw") + frame(true, 0, "o") + frame(true, 1, "") +
                             frame(true, 9, "ping") + frame(false, 1, "") + frame(true, 0, "") + frame(true, 1, "cut");
  const auto bytes = drive::to_bytes(stream.substr(0, stream.size() - 1));
  struct Told final : MessageTap {
    void on_payload(std::span<const std::byte> piece, bool ends_message) override {
      if (!piece.empty()) last = piece.data();
      all.push_back(drive::to_string(piece) + (ends_message ? "." : ""));
    }
    std::vector<std::string> all;
    const std::byte* last = nullptr;
  } tap;
  std::span<const std::byte> in = bytes;
  NodeFrames frames;
  REQUIRE(frames.next(in, false, &tap).kind == Kind::relay);
  CHECK(tap.all == std::vector<std::string>{"one.", "tw", "o.", "."});
  REQUIRE(frames.next(in, false, &tap).kind == Kind::ping);
  CHECK(tap.all.size() == 4);
  REQUIRE(frames.next(in, false, &tap).kind == Kind::relay);
  CHECK(tap.all == std::vector<std::string>{"one.", "tw", "o.", ".", ".", "cu"});
  CHECK(tap.last == &bytes[bytes.size() - 2]);
  // A run that stops at a boundary tells no more than it relays.
  in = std::as_bytes(std::span(stream).last(1));
  REQUIRE(frames.next(in, true, &tap).kind == Kind::relay);
  const std::string two = frame(true, 2, "four") + frame(true, 2, "five");
  in = std::as_bytes(std::span(two));
  REQUIRE(frames.next(in, true, &tap).kind == Kind::relay);
  CHECK(tap.all.size() == 8);
  CHECK(tap.all.back() == "four.");
}

TEST_CASE("a tap is told no more after a close or a violation, and the message that was open never ends") {
  for (const std::string& last : {frame(true, 8, ""), frame(true, 1, "new")}) {
    const Outcome outcome = drive::node({drive::to_bytes(frame(false, 1, "open") + last + frame(true, 0, "more"))});
    CHECK(outcome.payloads.empty());
    CHECK(outcome.open_payload == "open");
  }
}

TEST_CASE("a header that is not whole is kept back, and relayed when it is") {
  const std::string stream = frame(true, 2, std::string(300, 'p'));
  const auto bytes = drive::to_bytes(stream);
  NodeFrames frames;
  std::span<const std::byte> in = std::span(bytes).first(3);
  CHECK(frames.next(in).kind == Kind::need_more);
  CHECK(in.empty());
  CHECK(frames.at_frame_boundary());
  CHECK_FALSE(frames.inside_message());
  in = std::span(bytes).subspan(3);
  const auto header = frames.next(in);
  REQUIRE(header.kind == Kind::relay);
  CHECK(header.kept);
  CHECK(drive::to_string(header.bytes) == stream.substr(0, 4));
  CHECK_FALSE(frames.at_frame_boundary());
  const auto payload = frames.next(in);
  REQUIRE(payload.kind == Kind::relay);
  CHECK_FALSE(payload.kept);
  CHECK(payload.bytes.size() == 300);
  CHECK(frames.at_frame_boundary());
}

TEST_CASE("every message size is relayed byte for byte, whatever the split") {
  for (const std::size_t size : {0, 1, 125, 126, 127, 300}) {
    const std::string stream = frame(true, 1, std::string(size, 'p'));
    CHECK(seen(stream + stream) == std::vector{relay(stream + stream)});
  }
}

TEST_CASE("large messages are relayed byte for byte, cut within and beside their headers") {
  for (const std::size_t size : {65535UL, 65536UL, 1UL << 20}) {
    const std::string stream = frame(true, 1, "before") + frame(true, 2, std::string(size, 'p'));
    const Outcome expected = reference::read_node(stream);
    CHECK(expected.seen == std::vector{relay(stream)});
    for (std::size_t i = 0; i < 30; ++i) {
      check_same(drive::node(drive::split_at(stream, {i})), expected);
      check_same(drive::node(drive::split_at(stream, {stream.size() - i})), expected);
    }
  }
}

TEST_CASE("a frame of 2^63 - 1 bytes is relayed as it comes") {
  const std::string head = "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFpayload";
  CHECK(seen(head) == std::vector{relay(head)});
}

TEST_CASE("control frames are taken out, also between fragments, and the rest is relayed as it was") {
  const std::string first = frame(false, 1, "Hel");
  const std::string last = frame(true, 0, "lo");
  const std::string longest(125, 'p');
  CHECK(seen(first + frame(true, 9, longest) + last + frame(true, 10, "") + first) ==
        std::vector<Seen>{relay(first), {"ping", 0, longest}, relay(last), {"pong", 0, ""}, relay(first)});
}

TEST_CASE("a ping in pieces is kept until it is whole, and a whole one after it lies where it came") {
  const auto bytes = drive::to_bytes(frame(true, 9, "pieces") + frame(true, 9, "whole"));
  NodeFrames frames;
  std::span<const std::byte> in = std::span(bytes).first(4);
  CHECK(frames.next(in).kind == Kind::need_more);
  in = std::span(bytes).subspan(4);
  const auto first = frames.next(in);
  REQUIRE(first.kind == Kind::ping);
  CHECK(first.kept);
  CHECK(drive::to_string(first.bytes) == "pieces");
  const auto second = frames.next(in);
  REQUIRE(second.kind == Kind::ping);
  CHECK_FALSE(second.kept);
  CHECK(drive::to_string(second.bytes) == "whole");
}

TEST_CASE("after a whole frame of an unfinished message only control frames of ours may follow") {
  const auto fragment = drive::to_bytes(frame(false, 1, "Hel"));
  std::span<const std::byte> in = fragment;
  NodeFrames frames;
  REQUIRE(frames.next(in).kind == Kind::relay);
  CHECK(frames.at_frame_boundary());
  CHECK(frames.inside_message());
  CHECK(frames.take_messages() == 0);
  const auto last = drive::to_bytes(frame(true, 0, "lo"));
  in = last;
  REQUIRE(frames.next(in).kind == Kind::relay);
  CHECK_FALSE(frames.inside_message());
  CHECK(frames.take_messages() == 1);
}

TEST_CASE("the node's close ends the stream with its code and reason") {
  const std::string answer = frame(true, 1, "answer");
  CHECK(seen(answer + frame(true, 8, "\x03\xE9" + "restart"s) + answer) ==
        std::vector<Seen>{relay(answer), {"close", 1001, "restart"}});
  CHECK(seen(frame(true, 8, "")) == std::vector<Seen>{{"close", 1005, ""}});
}

TEST_CASE("what a broken node may send is refused, and what came before it is relayed") {
  const std::string good = frame(true, 1, "good");
  const std::string broken[] = {
      reference::frame(true, 1, "masked", "\x01\x02\x03\x04"),
      "\xC1\x01x"s,          // a reserved bit
      "\x83\x01x"s,          // an unknown opcode
      "\x09\x01x"s,          // a ping in fragments
      "\x89\x7E\x00\x7Ex"s,  // a ping of 126 bytes
      "\x82\x7E\x00\x05x"s,  // a length in more bytes than it needs
      "\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00x"s,
      frame(true, 0, "continues nothing"),
      frame(true, 8, "\x03"),
      frame(true, 8, "\x03\xED"),
  };
  for (const std::string& wrong : broken) {
    CHECK(seen(good + wrong + good) == std::vector<Seen>{relay(good), violation(1002)});
  }
  CHECK(seen(good + frame(true, 8, "\x03\xE8\xFF")) == std::vector<Seen>{relay(good), violation(1007)});
  const std::string unfinished = frame(false, 1, "a");
  CHECK(seen(unfinished + good) == std::vector<Seen>{relay(unfinished), violation(1002)});
}

TEST_CASE("random streams are relayed as the reference relays them, whatever the pieces") {
  std::minstd_rand random(9944);
  unsigned messages = 0;
  unsigned violations = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    const std::string stream = reference::random_stream(random, false);
    const Outcome expected = reference::read_node(stream);
    const std::size_t piece_bytes_max = random() % 2 == 0 ? 20 : 20000;
    INFO("round " << round);
    check_same(drive::node(drive::split_randomly(stream, piece_bytes_max, random)), expected);
    messages += expected.messages;
    for (const Seen& seen : expected.seen) violations += seen.kind == "violation" ? 1 : 0;
  }
  CHECK(messages > 3000);
  CHECK(violations > 300);
}
