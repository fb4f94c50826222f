#include <ringwall/session/answer_reader.h>
#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/node_frames.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "unit/catch.h"

namespace ringwall::session {
namespace {

constexpr std::size_t head_max = rpc::answer_head_bytes_max;
constexpr std::size_t tail_max = rpc::answer_tail_bytes_max;

struct Ends {
  std::string head, tail;
  bool operator==(const Ends&) const = default;
};

Ends ends_of(const std::string& message) {
  if (message.size() <= head_max) return {message, ""};
  return {message.substr(0, head_max), message.substr(message.size() - tail_max)};
}

// No two windows of it are alike.
std::string text(std::size_t bytes, unsigned seed = 1) {
  std::minstd_rand random(seed);
  std::string text(bytes, '\0');
  std::ranges::generate(text, [&] { return static_cast<char>('a' + random() % 26); });
  return text;
}

// Each piece is passed in a block of its own, which is gone afterwards.
class Reader {
 public:
  void add(std::string_view piece, bool ends_message) {
    const std::vector<std::byte> block(std::as_bytes(std::span(piece)).begin(), std::as_bytes(std::span(piece)).end());
    reader_.add(block, ends_message, [&](std::string_view head, std::string_view tail) {
      told.push_back({std::string(head), std::string(tail)});
      in_place = head.data() == reinterpret_cast<const char*>(block.data());
    });
    if (ends_message) REQUIRE(reader_.bytes_held() == 0);
    REQUIRE(reader_.bytes_held() <= AnswerReader::kept_bytes_max + sizeof(std::size_t));
  }

  void add_whole(const std::string& message, std::size_t piece_bytes) {
    for (std::size_t at = 0; at < message.size(); at += piece_bytes) {
      add(std::string_view(message).substr(at, piece_bytes), at + piece_bytes >= message.size());
    }
  }

  std::vector<Ends> told;
  bool in_place = false;

 private:
  AnswerReader reader_;
};

TEST_CASE("a message in one piece is told where it is, with nothing kept") {
  Reader reader;
  std::vector<Ends> expected;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, head_max - 1, head_max, head_max + 1,
                                  head_max + tail_max, head_max + tail_max + 1, std::size_t{1} << 20}) {
    reader.add(text(bytes), true);
    expected.push_back(ends_of(text(bytes)));
    CHECK((bytes == 0 || reader.in_place));
  }
  CHECK(reader.told == expected);
}

TEST_CASE("a message cut anywhere has the same head and tail, where they overlap and where they do not") {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{2}, head_max - 1, head_max, head_max + 1, head_max + 2, head_max + tail_max - 1,
        head_max + tail_max, head_max + tail_max + 1, 2 * (head_max + tail_max)}) {
    const std::string message = text(bytes);
    for (std::size_t split = 0; split <= bytes; ++split) {
      Reader reader;
      reader.add(message.substr(0, split), false);
      reader.add(message.substr(split), true);
      INFO(bytes << " bytes split at " << split);
      REQUIRE(reader.told == std::vector{ends_of(message)});
    }
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{3}, tail_max - 1, tail_max, tail_max + 1}) {
      Reader reader;
      reader.add_whole(message, piece_bytes);
      INFO(bytes << " bytes in pieces of " << piece_bytes);
      REQUIRE(reader.told == std::vector{ends_of(message)});
    }
  }
}

TEST_CASE("a large message in pieces of a receive buffer keeps its head and its tail alone") {
  const std::string message = text(1 << 20);
  Reader reader;
  reader.add_whole(message, 16 << 10);
  CHECK(reader.told == std::vector{ends_of(message)});
}

TEST_CASE("messages in random pieces are told in order, whatever their sizes") {
  std::minstd_rand random(9944);
  for (int round = 0; round < 300; ++round) {
    Reader reader;
    std::vector<Ends> expected;
    const std::size_t piece_bytes_max = std::array{4UL, 300UL, 3000UL}[random() % 3];
    for (unsigned i = 0; i < 8; ++i) {
      const std::string message = text(random() % 4000, static_cast<unsigned>(random()));
      for (std::string_view rest = message;;) {
        const std::size_t bytes = std::min<std::size_t>(rest.size(), random() % (piece_bytes_max + 1));
        const bool ends = bytes == rest.size() && random() % 4 != 0;  // or an empty piece ends it
        reader.add(rest.substr(0, bytes), ends);
        rest.remove_prefix(bytes);
        if (ends) break;
      }
      expected.push_back(ends_of(message));
    }
    REQUIRE(reader.told == expected);
  }
}

TEST_CASE("what is told may destroy the reader") {
  auto reader = std::make_unique<AnswerReader>();
  const std::string message = text(2000);
  const auto bytes = std::as_bytes(std::span(message));
  std::optional<Ends> told;
  reader->add(bytes.first(700), false, [](std::string_view, std::string_view) { FAIL(); });
  reader->add(bytes.subspan(700), true, [&](std::string_view head, std::string_view tail) {
    reader.reset();
    told = Ends{std::string(head), std::string(tail)};
  });
  CHECK(told == ends_of(message));
}

TEST_CASE("behind a tap, fragments with pings between and many messages in a buffer are told each once") {
  struct Tap final : websocket::MessageTap {
    void on_payload(std::span<const std::byte> piece, bool ends_message) override {
      reader.add(piece, ends_message, [&](std::string_view head, std::string_view tail) {
        told.push_back({std::string(head), std::string(tail)});
      });
    }
    AnswerReader reader;
    std::vector<Ends> told;
  };
  std::string stream;
  const auto append = [&](bool fin, websocket::Opcode opcode, const std::string& payload) {
    std::array<std::byte, websocket::frame_header_bytes_max> header;
    const std::size_t bytes = websocket::write_frame_header(header, fin, opcode, payload.size(), std::nullopt);
    stream.append(reinterpret_cast<const char*>(header.data()), bytes).append(payload);
  };
  std::vector<Ends> expected;
  for (const std::size_t bytes : {0UL, 40UL, 1025UL, 3000UL}) {
    const std::string message = text(bytes);
    append(true, websocket::Opcode::text, message);
    append(false, websocket::Opcode::text, message.substr(0, bytes / 3));
    append(true, websocket::Opcode::ping, text(125));
    append(false, websocket::Opcode::continuation, message.substr(bytes / 3, bytes / 2));
    append(true, websocket::Opcode::continuation, message.substr(bytes / 3 + bytes / 2));
    expected.insert(expected.end(), 2, ends_of(message));
  }
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    websocket::NodeFrames frames;
    Tap tap;
    for (const std::string& piece : {stream.substr(0, split), stream.substr(split)}) {
      for (auto in = std::as_bytes(std::span(piece)); !in.empty();) {
        REQUIRE(frames.next(in, false, &tap).kind != websocket::NodeFrames::Event::Kind::violation);
      }
    }
    // An empty message's end may be in a header that is relayed with no more bytes to come.
    INFO("split at " << split);
    REQUIRE(tap.told == expected);
  }
}

}  // namespace
}  // namespace ringwall::session
