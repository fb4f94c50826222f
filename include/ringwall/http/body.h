// body.h: takes a message's body out of the bytes that follow its head: Content-Length, chunked, or until close.
//
// Bytes in, pieces of payload out, each a view into the input: nothing is copied or kept, whatever the size of the
// body and however its bytes are cut. One reader per body; 40 bytes of state, no allocation.
//
// A Refusal is final: 413 when the body is larger than its bound (at once, when the head or a chunk's size announces
// it), 431 for trailers over theirs, 400 for a chunk that is not exactly as the grammar says. In a node's answer it
// means a broken node.
// Source: RFC 9112 sections 6 and 7. Bare LF, space around a chunk's size and sizes over 16 digits are refused, since
// servers are known to differ there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string_view>

#include <ringwall/http/head.h>

namespace ringwall::http {

inline constexpr std::uint64_t body_unbounded = std::numeric_limits<std::uint64_t>::max();

class BodyReader {
 public:
  struct Piece {
    std::string_view payload;
    bool done;  // the body is whole with this payload; what is left of the input is the next message's
  };

  BodyReader() = default;  // no body: done at once
  BodyReader(Framing framing, std::uint64_t content_length, std::uint64_t body_bytes_max = body_unbounded);

  // Takes bytes off `in` up to the end of one piece of payload, of the input or of the body. An empty payload that is
  // not done means that the input ran out: come back with more.
  [[nodiscard]] std::expected<Piece, Refusal> next(std::string_view& in);

  [[nodiscard]] bool done() const { return state_ == State::done; }

  // True when a peer that closes now has sent all of its body.
  [[nodiscard]] bool whole_at_close() const { return state_ == State::done || state_ == State::until_close; }

  // Payload handed out so far.
  [[nodiscard]] std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  enum class State : std::uint8_t {
    done,
    refused,
    length,
    until_close,
    size_first,  // the first digit of a chunk's size
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
  };

  [[nodiscard]] std::unexpected<Refusal> refuse(const Refusal& refusal);
  [[nodiscard]] std::expected<Piece, Refusal> take_payload(std::string_view& in);
  // These take one byte of chunked framing; the refusal it earns, or nullptr.
  [[nodiscard]] const Refusal* step(char c);
  [[nodiscard]] const Refusal* step_size(char c);
  [[nodiscard]] const Refusal* step_trailer(char c);
  [[nodiscard]] const Refusal* begin_chunk();

  std::uint64_t remaining_ = 0;  // of the body (length) or of the chunk
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t body_bytes_max_ = body_unbounded;
  const Refusal* refusal_ = nullptr;  // set exactly when state_ is refused
  std::uint16_t extension_bytes_ = 0;
  std::uint16_t trailer_bytes_ = 0;
  std::uint8_t size_digits_ = 0;
  State state_ = State::done;
};

}  // namespace ringwall::http
