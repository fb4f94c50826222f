#include <ringwall/websocket/client_messages.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/websocket/drive.h"
#include "unit/websocket/random_stream.h"

namespace {

using namespace ringwall::websocket;
using Kind = ClientMessages::Event::Kind;
using reference::Outcome;
using reference::Seen;

constexpr std::uint32_t limit = 16 << 20;
const std::string key = "\x37\xfa\x21\x3d";
const std::string other_key = "\x01\x80\xFE\x7F";

std::string text(const std::string& payload) { return reference::frame(true, 1, payload, key); }
std::string binary(const std::string& payload) { return reference::frame(true, 2, payload, key); }
std::string ping(const std::string& payload) { return reference::frame(true, 9, payload, other_key); }

// The stream's outcome, the same however it is cut in two, and byte by byte.
Outcome read_at_every_split(const std::string& stream, std::uint32_t message_bytes_max = limit) {
  const Outcome expected = reference::read_client(stream, message_bytes_max);
  std::vector<std::size_t> every_byte;
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    const Outcome outcome = drive::client(drive::split_at(stream, {split}), message_bytes_max);
    INFO("split at " << split << " of " << stream.size());
    REQUIRE(outcome.seen == expected.seen);
    REQUIRE(outcome.inside_message == expected.inside_message);
    every_byte.push_back(split);
  }
  CHECK(drive::client(drive::split_at(stream, every_byte), message_bytes_max).seen == expected.seen);
  return expected;
}

std::vector<Seen> seen(const std::string& stream, std::uint32_t message_bytes_max = limit) {
  return read_at_every_split(stream, message_bytes_max).seen;
}

Seen message(unsigned opcode, const std::string& payload) { return {"message", opcode, payload}; }
Seen violation(unsigned code) { return {"violation", code, ""}; }

// A client whose events are looked at one by one.
struct Steps {
  explicit Steps(const std::string& stream, std::uint32_t message_bytes_max = limit)
      : bytes(drive::to_bytes(stream)), in(bytes), scratch(bytes.size() + 125), messages(message_bytes_max) {}

  ClientMessages::Event next() { return messages.next(in, scratch); }

  void then_receive(const std::string& stream) {
    bytes = drive::to_bytes(stream);
    in = bytes;
    scratch.resize(bytes.size() + 125);
  }

  std::vector<std::byte> bytes;
  std::span<const std::byte> in;
  std::vector<std::byte> scratch;
  ClientMessages messages;
};

}  // namespace

TEST_CASE("a message that lies whole in the buffer is forwarded from where it is and costs no memory") {
  const std::string stream = text("{\"id\":1}") + binary("second");
  Steps steps(stream);
  const auto first = steps.next();
  REQUIRE(first.kind == Kind::message);
  CHECK(first.opcode == Opcode::text);
  CHECK(drive::to_string(first.payload) == "{\"id\":1}");
  CHECK(first.payload.data() == steps.scratch.data());
  CHECK(first.frame.data() == steps.bytes.data());
  CHECK(drive::to_string(first.frame) == text("{\"id\":1}"));
  const auto second = steps.next();
  REQUIRE(second.kind == Kind::message);
  CHECK(second.opcode == Opcode::binary);
  CHECK(drive::to_string(second.frame) == binary("second"));
  CHECK(steps.next().kind == Kind::need_more);
  CHECK(steps.messages.assembly_capacity_bytes() == 0);
  CHECK(drive::to_string(steps.bytes) == stream);
}

TEST_CASE("small messages are read whatever the split") {
  for (const std::size_t size : {0, 1, 125, 126, 127, 300}) {
    const std::string payload(size, 'p');
    CHECK(seen(text(payload) + binary(payload)) == std::vector{message(1, payload), message(2, payload)});
  }
}

TEST_CASE("large messages are read whole, in pieces of a receive buffer, and cut within and beside their headers") {
  for (const std::size_t size : {65535UL, 65536UL, 1UL << 20}) {
    const std::string payload(size, 'p');
    const std::string stream = text("before") + binary(payload) + text("after");
    const std::vector<Seen> expected = {message(1, "before"), message(2, payload), message(1, "after")};
    std::vector<std::size_t> pieces;
    for (std::size_t end = 16384; end < stream.size(); end += 16384) pieces.push_back(end);
    CHECK(drive::client(drive::split_at(stream, pieces), limit).seen == expected);
    for (std::size_t i = 0; i < 40; ++i) {
      CHECK(drive::client(drive::split_at(stream, {i}), limit).seen == expected);
      CHECK(drive::client(drive::split_at(stream, {stream.size() - i}), limit).seen == expected);
    }
  }
}

TEST_CASE("fragments, however many, leave as one message, and the pings between them are answered before it ends") {
  const std::string payload = "{\"jsonrpc\":\"2.0\"}";
  for (std::size_t fragments = 1; fragments <= payload.size(); ++fragments) {
    std::string stream;
    std::vector<Seen> expected;
    const std::size_t each = payload.size() / fragments;
    for (std::size_t i = 0; i < fragments; ++i) {
      const bool last = i + 1 == fragments;
      const std::string part = payload.substr(i * each, last ? std::string::npos : each);
      stream += reference::frame(last, i == 0 ? 1 : 0, part, i % 2 == 0 ? key : other_key);
      if (last) break;
      stream += ping(part);
      expected.push_back({"ping", 0, part});
    }
    expected.push_back(message(1, payload));
    CHECK(seen(stream) == expected);
  }
}

TEST_CASE("empty fragments make an empty message") {
  const std::string stream = reference::frame(false, 2, "", key) + reference::frame(false, 0, "", other_key) +
                             reference::frame(true, 0, "", key) + text("next");
  CHECK(seen(stream) == std::vector{message(2, ""), message(1, "next")});
}

TEST_CASE("an assembled message leaves as one frame under the key of its first") {
  Steps steps(reference::frame(false, 1, "Hel", key) + reference::frame(true, 0, "lo", other_key) + text("next"));
  const auto wanted = steps.next();
  REQUIRE(wanted.kind == Kind::need_memory);
  REQUIRE(steps.messages.grow(wanted.bytes_wanted));
  const auto more = steps.next();
  REQUIRE(more.kind == Kind::need_memory);
  REQUIRE(steps.messages.grow(more.bytes_wanted));
  const auto event = steps.next();
  REQUIRE(event.kind == Kind::message);
  CHECK(drive::to_string(event.payload) == "Hello");
  CHECK(event.frame.empty());
  CHECK_FALSE(steps.messages.inside_message());
  const std::size_t capacity = steps.messages.assembly_capacity_bytes();
  CHECK(capacity == wanted.bytes_wanted + more.bytes_wanted);
  OwnedFrame frame = steps.messages.take_frame();
  CHECK(steps.messages.assembly_capacity_bytes() == 0);
  CHECK(frame.capacity_bytes() == capacity);
  const OwnedFrame moved = std::move(frame);
  CHECK(drive::to_string(moved.bytes()) == text("Hello"));
  CHECK(steps.next().kind == Kind::message);
}

TEST_CASE("a dropped message gives its memory back and the next one is read") {
  Steps steps(reference::frame(false, 1, "Hel", key) + reference::frame(true, 0, "", key) + text("next"));
  REQUIRE(steps.messages.grow(steps.next().bytes_wanted));
  REQUIRE(steps.next().kind == Kind::message);
  steps.messages.drop_message();
  CHECK(steps.messages.assembly_capacity_bytes() == 0);
  CHECK(drive::to_string(steps.next().payload) == "next");
}

TEST_CASE("memory is asked for as bytes arrive, not as they are announced") {
  Steps steps(binary(std::string(1 << 20, 'p')).substr(0, 10 + 4 + 100));
  const auto event = steps.next();
  REQUIRE(event.kind == Kind::need_memory);
  CHECK(event.bytes_wanted == frame_header_bytes_max + 100);
}

TEST_CASE("a header alone costs no memory") {
  Steps steps(binary(std::string(1 << 20, 'p')).substr(0, 14));
  CHECK(steps.next().kind == Kind::need_more);
  CHECK(steps.messages.inside_message());
}

TEST_CASE("a message in many pieces asks for memory a few times and ends with no more than its size") {
  const std::string stream = binary(std::string(1 << 20, 'p'));
  Steps steps("");
  unsigned asked = 0;
  for (std::size_t at = 0; at < stream.size(); at += 1000) {
    steps.then_receive(stream.substr(at, 1000));
    for (auto event = steps.next(); event.kind == Kind::need_memory; event = steps.next()) {
      REQUIRE(steps.messages.grow(event.bytes_wanted));
      ++asked;
    }
  }
  CHECK(asked == 12);
  CHECK(steps.messages.assembly_capacity_bytes() == frame_header_bytes_max + (1 << 20));
  CHECK(steps.messages.assembled_bytes() == 1 << 20);
}

TEST_CASE("without memory nothing is consumed, and the question is asked again") {
  Steps steps(reference::frame(false, 1, "Hello", key));
  const auto first = steps.next();
  REQUIRE(first.kind == Kind::need_memory);
  CHECK(steps.in.size() == 5);
  const auto second = steps.next();
  REQUIRE(second.kind == Kind::need_memory);
  CHECK(second.bytes_wanted == first.bytes_wanted);
  CHECK(steps.in.size() == 5);
  REQUIRE(steps.messages.grow(first.bytes_wanted));
  CHECK(steps.next().kind == Kind::need_more);
  CHECK(steps.messages.assembled_bytes() == 5);
}

TEST_CASE("with less memory than wanted as much as fits is read") {
  Steps steps(reference::frame(false, 1, "Hello", key));
  REQUIRE(steps.next().bytes_wanted == frame_header_bytes_max + 5);
  REQUIRE(steps.messages.grow(frame_header_bytes_max + 2));
  CHECK(steps.next().kind == Kind::need_memory);
  CHECK(steps.in.size() == 3);
  CHECK(steps.messages.assembled_bytes() == 2);
}

TEST_CASE("text may be cut within a character by fragments and buffers") {
  const std::string bell = "\xF0\x9F\x94\x94";
  for (std::size_t cut = 0; cut <= bell.size(); ++cut) {
    const std::string stream =
        reference::frame(false, 1, bell.substr(0, cut), key) + reference::frame(true, 0, bell.substr(cut), key);
    CHECK(seen(stream) == std::vector{message(1, bell)});
  }
}

TEST_CASE("text that is not UTF-8 is refused, in one frame and in fragments") {
  for (const char* wrong : {"\xF0\x9F\x94", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "ok\xFF"}) {
    CHECK(seen(text(wrong)) == std::vector{violation(1007)});
    CHECK(seen(reference::frame(false, 1, wrong, key) + reference::frame(true, 0, "", key)) ==
          std::vector{violation(1007)});
  }
  CHECK(seen(text("\xF4\x8F\xBF\xBF")) == std::vector{message(1, "\xF4\x8F\xBF\xBF")});
}

TEST_CASE("binary need not be UTF-8") { CHECK(seen(binary("\xFF\xC0")) == std::vector{message(2, "\xFF\xC0")}); }

TEST_CASE("a continuation of nothing is refused, also after a message that ended") {
  CHECK(seen(reference::frame(true, 0, "x", key)) == std::vector{violation(1002)});
  CHECK(seen(text("a") + reference::frame(false, 0, "x", key)) == std::vector{message(1, "a"), violation(1002)});
}

TEST_CASE("a new message within an unfinished one is refused") {
  CHECK(seen(reference::frame(false, 1, "a", key) + text("b")) == std::vector{violation(1002)});
  CHECK(seen(reference::frame(false, 1, "a", key) + reference::frame(false, 2, "b", key)) ==
        std::vector{violation(1002)});
}

TEST_CASE("an unmasked frame is refused and what follows is swallowed") {
  CHECK(seen(text("a") + reference::frame(true, 1, "b", "") + text("c")) ==
        std::vector{message(1, "a"), violation(1002)});
}

TEST_CASE("a message of the limit is read, and one byte more is refused as soon as it is announced") {
  CHECK(seen(text(std::string(100, 'p')), 100) == std::vector{message(1, std::string(100, 'p'))});
  const std::string over = text(std::string(101, 'p'));
  CHECK(seen(over.substr(0, 6), 100) == std::vector{violation(1009)});
  CHECK(seen(over.substr(0, 5), 100).empty());
}

TEST_CASE("fragments count together against the limit, and messages do not") {
  const std::string half = reference::frame(false, 1, std::string(50, 'p'), key);
  CHECK(seen(half + reference::frame(true, 0, std::string(50, 'p'), key) + text(std::string(100, 'p')), 100).size() ==
        2);
  CHECK(seen(half + reference::frame(true, 0, std::string(51, 'p'), key).substr(0, 6), 100) ==
        std::vector{violation(1009)});
}

TEST_CASE("a length of 2^63 - 1 is over the limit, and nothing overflows") {
  const std::string huge = "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + key;
  CHECK(seen(huge + "x") == std::vector{violation(1009)});
  const std::string continued = "\x80\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + key;
  CHECK(seen(reference::frame(false, 2, "some", key) + continued) == std::vector{violation(1009)});
}

TEST_CASE("pings and pongs carry their payloads, from none to 125 bytes") {
  for (const std::size_t size : {0, 1, 125}) {
    const std::string payload(size, 'p');
    CHECK(seen(ping(payload) + reference::frame(true, 10, payload, key)) ==
          std::vector<Seen>{{"ping", 0, payload}, {"pong", 0, payload}});
  }
}

TEST_CASE("a client's close ends the stream with its code and reason") {
  const std::string payload = "\x03\xE8" + std::string("done");
  CHECK(seen(reference::frame(true, 8, payload, key) + text("late")) == std::vector<Seen>{{"close", 1000, "done"}});
  CHECK(seen(reference::frame(true, 8, "", key)) == std::vector<Seen>{{"close", 1005, ""}});
  CHECK(seen(reference::frame(false, 1, "a", key) + reference::frame(true, 8, payload, key)) ==
        std::vector<Seen>{{"close", 1000, "done"}});
}

TEST_CASE("a close with half a code, a wrong code or a wrong reason is refused") {
  CHECK(seen(reference::frame(true, 8, "\x03", key)) == std::vector{violation(1002)});
  CHECK(seen(reference::frame(true, 8, "\x03\xEE", key)) == std::vector{violation(1002)});
  CHECK(seen(reference::frame(true, 8, "\x03\xE8\xFF", key)) == std::vector{violation(1007)});
}

TEST_CASE("an unfinished message is seen as such from its first byte to its last") {
  const std::string first = reference::frame(false, 1, "Hel", key);
  const std::string stream = first + ping("p") + reference::frame(true, 0, "lo", key);
  for (std::size_t end = 0; end <= stream.size(); ++end) {
    CHECK(drive::client(drive::split_at(stream.substr(0, end), {}), limit).inside_message ==
          (end != 0 && end != stream.size()));
  }
}

TEST_CASE("random streams are read as the reference reads them, whatever the pieces") {
  std::minstd_rand random(6455);
  unsigned messages = 0;
  unsigned violations = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    const std::string stream = reference::random_stream(random, true);
    const std::uint32_t message_bytes_max = random() % 4 == 0 ? 150 : limit;
    const Outcome expected = reference::read_client(stream, message_bytes_max);
    const std::size_t piece_bytes_max = random() % 2 == 0 ? 20 : 20000;
    const Outcome outcome = drive::client(drive::split_randomly(stream, piece_bytes_max, random), message_bytes_max);
    INFO("round " << round);
    REQUIRE(outcome.seen == expected.seen);
    REQUIRE(outcome.inside_message == expected.inside_message);
    for (const Seen& seen : expected.seen) {
      messages += seen.kind == "message" ? 1 : 0;
      violations += seen.kind == "violation" ? 1 : 0;
    }
  }
  CHECK(messages > 3000);
  CHECK(violations > 300);
}
