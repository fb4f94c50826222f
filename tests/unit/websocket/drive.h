// drive.h: runs the codec over a stream that arrives in given pieces, and holds it to what its headers promise.
//
// Each piece is a heap block of exactly its size, so that a sanitizer sees a read past it. A broken promise aborts:
// the fuzz targets need that, and a unit test cannot go on either.
#pragma once

#include <ringwall/check.h>
#include <ringwall/websocket/client_messages.h>
#include <ringwall/websocket/node_frames.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/websocket/reference.h"

namespace drive {

namespace websocket = ringwall::websocket;
using reference::Outcome;
using reference::Seen;

inline std::string to_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::vector<std::byte> to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline bool lies_in(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

using Pieces = std::vector<std::vector<std::byte>>;

// Pieces that end at the given places, which ascend.
inline Pieces split_at(std::string_view stream, const std::vector<std::size_t>& ends) {
  Pieces pieces;
  std::size_t start = 0;
  for (const std::size_t end : ends) {
    pieces.push_back(to_bytes(stream.substr(start, end - start)));
    start = end;
  }
  pieces.push_back(to_bytes(stream.substr(start)));
  return pieces;
}

inline Pieces split_randomly(std::string_view stream, std::size_t piece_bytes_max, std::minstd_rand& random) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0;;) {
    at += random() % (piece_bytes_max + 1);
    if (at >= stream.size()) return split_at(stream, ends);
    ends.push_back(at);
  }
}

// A frame that is to be forwarded is one whole masked message, and what it says is `payload`.
inline void check_forwarded(std::span<const std::byte> frame, websocket::Opcode opcode, const std::string& payload) {
  const std::string bytes = to_string(frame);
  const reference::Header header = reference::read_header(bytes, true);
  RINGWALL_CHECK(header.state == reference::Header::whole);
  RINGWALL_CHECK(header.fin);
  RINGWALL_CHECK(header.opcode == static_cast<unsigned>(opcode));
  RINGWALL_CHECK(header.payload_bytes == bytes.size() - header.bytes);
  RINGWALL_CHECK(reference::mask(bytes.substr(header.bytes), header.key) == payload);
}

class Client {
 public:
  explicit Client(std::uint32_t message_bytes_max) : messages_(message_bytes_max) {}

  void receive(std::span<const std::byte> piece) {
    std::vector<std::byte> scratch(std::max(piece.size(), websocket::control_payload_bytes_max));
    std::span<const std::byte> in = piece;
    for (;;) {
      const auto event = messages_.next(in, scratch);
      RINGWALL_CHECK(lies_in(in, piece));
      if (event.kind == Kind::need_more) break;
      if (event.kind == Kind::need_memory) {
        grow(event.bytes_wanted, in.size());
      } else {
        see(event, piece);
      }
    }
    RINGWALL_CHECK(in.empty());
  }

  Outcome outcome() const { return {.seen = seen_, .inside_message = messages_.inside_message()}; }
  websocket::ClientMessages& messages() { return messages_; }

 private:
  using Kind = websocket::ClientMessages::Event::Kind;

  // Every other time the budget has only half. Capacity never exceeds twice what has come.
  void grow(std::size_t bytes_wanted, std::size_t bytes_left) {
    RINGWALL_CHECK(bytes_wanted > 0);
    const std::size_t bytes = ++grows_ % 2 == 0 ? (bytes_wanted + 1) / 2 : bytes_wanted;
    RINGWALL_CHECK(messages_.grow(bytes));
    const std::size_t arrived = messages_.assembled_bytes() + bytes_left;
    RINGWALL_CHECK(messages_.assembly_capacity_bytes() <= 2 * (websocket::frame_header_bytes_max + arrived));
  }

  void see(const websocket::ClientMessages::Event& event, std::span<const std::byte> piece) {
    const std::string payload = to_string(event.payload);
    if (event.kind == Kind::message) {
      seen_.push_back({"message", static_cast<unsigned>(event.opcode), payload});
      forward(event, piece);
    } else if (event.kind == Kind::ping || event.kind == Kind::pong) {
      seen_.push_back({event.kind == Kind::ping ? "ping" : "pong", 0, payload});
    } else if (event.kind == Kind::close) {
      seen_.push_back({"close", static_cast<unsigned>(event.code), std::string(event.text)});
    } else {
      RINGWALL_CHECK(event.kind == Kind::violation);
      RINGWALL_CHECK(!event.text.empty());
      seen_.push_back({"violation", static_cast<unsigned>(event.code), ""});
    }
  }

  void forward(const websocket::ClientMessages::Event& event, std::span<const std::byte> piece) {
    const std::string& payload = seen_.back().bytes;
    if (!event.frame.empty()) {
      RINGWALL_CHECK(lies_in(event.frame, piece));
      check_forwarded(event.frame, event.opcode, payload);
    } else if (seen_.size() % 4 == 3) {
      messages_.drop_message();
    } else {
      const std::size_t charged = messages_.assembly_capacity_bytes();
      const websocket::OwnedFrame frame = messages_.take_frame();
      RINGWALL_CHECK(frame.capacity_bytes() == charged);
      check_forwarded(frame.bytes(), event.opcode, payload);
    }
    if (event.frame.empty()) RINGWALL_CHECK(messages_.assembly_capacity_bytes() == 0);
  }

  websocket::ClientMessages messages_;
  std::vector<Seen> seen_;
  unsigned grows_ = 0;
};

inline Outcome client(const Pieces& pieces, std::uint32_t message_bytes_max) {
  Client client(message_bytes_max);
  for (const auto& piece : pieces) client.receive(piece);
  return client.outcome();
}

// Joins what is told of each message, and holds every piece to its promise: told with the run that it lies in.
class Tap final : public websocket::MessageTap {
 public:
  void on_payload(std::span<const std::byte> piece, bool ends_message) override {
    RINGWALL_CHECK(!piece.empty() || ends_message);
    if (!piece.empty()) told_.push_back(piece);
    open += to_string(piece);
    if (ends_message) messages.push_back(std::exchange(open, {}));
  }

  void check_lies_in(const websocket::NodeFrames::Event& event) {
    const bool in_place = event.kind == websocket::NodeFrames::Event::Kind::relay && !event.kept;
    for (const auto piece : told_) RINGWALL_CHECK(in_place && lies_in(piece, event.bytes));
    told_.clear();
  }

  std::vector<std::string> messages;
  std::string open;

 private:
  std::vector<std::span<const std::byte>> told_;
};

inline Outcome node(const Pieces& pieces) {
  using Kind = websocket::NodeFrames::Event::Kind;
  websocket::NodeFrames frames;
  Outcome outcome;
  Tap tap;
  std::vector<Seen>& seen = outcome.seen;
  for (const auto& piece : pieces) {
    std::span<const std::byte> in = piece;
    for (;;) {
      const auto event = frames.next(in, false, &tap);
      RINGWALL_CHECK(lies_in(in, piece));
      tap.check_lies_in(event);
      if (event.kind == Kind::need_more) break;
      if (!event.bytes.empty()) RINGWALL_CHECK(event.kept != lies_in(event.bytes, piece));
      if (event.kind == Kind::relay) {
        RINGWALL_CHECK(!event.bytes.empty());
        if (seen.empty() || seen.back().kind != "relay") seen.push_back({"relay", 0, ""});
        seen.back().bytes += to_string(event.bytes);
      } else if (event.kind == Kind::ping || event.kind == Kind::pong) {
        seen.push_back({event.kind == Kind::ping ? "ping" : "pong", 0, to_string(event.bytes)});
      } else if (event.kind == Kind::close) {
        seen.push_back({"close", static_cast<unsigned>(event.code), std::string(event.text)});
      } else {
        RINGWALL_CHECK(event.kind == Kind::violation);
        RINGWALL_CHECK(!event.text.empty());
        seen.push_back({"violation", static_cast<unsigned>(event.code), ""});
      }
      outcome.messages += frames.take_messages();
      RINGWALL_CHECK(outcome.messages == tap.messages.size());
    }
    RINGWALL_CHECK(in.empty());
  }
  outcome.inside_message = frames.inside_message();
  outcome.at_frame_boundary = frames.at_frame_boundary();
  outcome.payloads = std::move(tap.messages);
  outcome.open_payload = std::move(tap.open);
  return outcome;
}

}  // namespace drive
