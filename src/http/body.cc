#include <algorithm>

#include <ringwall/check.h>
#include <ringwall/http/body.h>

namespace ringwall::http {
namespace {

constexpr std::uint8_t size_digits_max = 16;  // what std::uint64_t holds

constexpr Refusal too_large{413, "the body is larger than allowed"};
constexpr Refusal no_size{400, "a chunk does not begin with its size in hexadecimal"};
constexpr Refusal long_size{400, "a chunk's size has more than 16 digits"};
constexpr Refusal bad_size_end{400, "a chunk's size is followed by something else than ';' or CRLF"};
constexpr Refusal bad_extension{400, "a chunk extension has a control character or a bare LF"};
constexpr Refusal long_extensions{400, "the chunk extensions are longer than 4096 bytes together"};
constexpr Refusal bad_line_end{400, "a CR in the chunked framing has no LF after it"};
constexpr Refusal bad_chunk_end{400, "a chunk's data does not end in CRLF where its size says"};
constexpr Refusal bad_trailer{400, "a trailer field is not Name: value on one line"};
constexpr Refusal long_trailers{431, "the trailer section is longer than 4096 bytes"};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

BodyReader::BodyReader(Framing framing, std::uint64_t content_length, std::uint64_t body_bytes_max)
    : body_bytes_max_(body_bytes_max) {
  switch (framing) {
    case Framing::none:
      return;
    case Framing::until_close:
      state_ = State::until_close;
      return;
    case Framing::chunked:
      state_ = State::size_first;
      return;
    case Framing::length:
      remaining_ = content_length;
      if (content_length > 0) state_ = State::length;
      if (content_length > body_bytes_max) (void)refuse(too_large);
      return;
  }
}

std::unexpected<Refusal> BodyReader::refuse(const Refusal& refusal) {
  state_ = State::refused;
  refusal_ = &refusal;
  return std::unexpected(refusal);
}

std::expected<BodyReader::Piece, Refusal> BodyReader::next(std::string_view& in) {
  while (true) {
    if (state_ == State::refused) return std::unexpected(*refusal_);
    if (state_ == State::done) return Piece{{}, true};
    if (in.empty()) return Piece{{}, false};
    if (state_ == State::length || state_ == State::data || state_ == State::until_close) return take_payload(in);
    if (const Refusal* refusal = step(in.front())) return refuse(*refusal);
    in.remove_prefix(1);
  }
}

std::expected<BodyReader::Piece, Refusal> BodyReader::take_payload(std::string_view& in) {
  std::size_t bytes = in.size();
  if (state_ == State::until_close) {
    if (bytes > body_bytes_max_ - payload_bytes_) return refuse(too_large);
  } else {
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, remaining_));
    remaining_ -= bytes;
    if (remaining_ == 0) state_ = state_ == State::data ? State::data_cr : State::done;
  }
  payload_bytes_ += bytes;
  RINGWALL_CHECK(payload_bytes_ <= body_bytes_max_);
  const std::string_view payload = in.substr(0, bytes);
  in.remove_prefix(bytes);
  return Piece{payload, state_ == State::done};
}

const Refusal* BodyReader::step(char c) {
  switch (state_) {
    case State::size_first:
    case State::size:
    case State::extension:
    case State::size_lf:
      return step_size(c);
    case State::data_cr:
      state_ = State::data_lf;
      return c == '\r' ? nullptr : &bad_chunk_end;
    case State::data_lf:
      state_ = State::size_first;
      return c == '\n' ? nullptr : &bad_chunk_end;
    default:
      return step_trailer(c);
  }
}

const Refusal* BodyReader::step_size(char c) {
  if (state_ == State::size_lf) return c == '\n' ? begin_chunk() : &bad_line_end;
  if (state_ == State::extension) {
    if (c == '\r') {
      state_ = State::size_lf;
      return nullptr;
    }
    if (!is_field_char(c)) return &bad_extension;
    return ++extension_bytes_ > chunk_extension_bytes_max ? &long_extensions : nullptr;
  }
  if (const int digit = hex_digit(c); digit >= 0) {
    if (state_ == State::size_first) size_digits_ = 0;
    if (++size_digits_ > size_digits_max) return &long_size;
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    state_ = State::size;
    return nullptr;
  }
  if (state_ == State::size_first) return &no_size;
  if (c != '\r' && c != ';') return &bad_size_end;
  state_ = c == '\r' ? State::size_lf : State::extension;
  return nullptr;
}

const Refusal* BodyReader::begin_chunk() {
  state_ = remaining_ == 0 ? State::trailer_first : State::data;
  return remaining_ > body_bytes_max_ - payload_bytes_ ? &too_large : nullptr;
}

const Refusal* BodyReader::step_trailer(char c) {
  if (state_ == State::last_lf) {
    state_ = State::done;
    return c == '\n' ? nullptr : &bad_line_end;
  }
  if (state_ == State::trailer_first && c == '\r') {
    state_ = State::last_lf;
    return nullptr;
  }
  if (++trailer_bytes_ > trailer_bytes_max) return &long_trailers;
  switch (state_) {
    case State::trailer_first:
      state_ = State::trailer_name;
      return is_token_char(c) ? nullptr : &bad_trailer;
    case State::trailer_name:
      if (c == ':') state_ = State::trailer_value;
      return c == ':' || is_token_char(c) ? nullptr : &bad_trailer;
    case State::trailer_value:
      if (c == '\r') state_ = State::trailer_lf;
      return c == '\r' || is_field_char(c) ? nullptr : &bad_trailer;
    default:
      RINGWALL_CHECK(state_ == State::trailer_lf);
      state_ = State::trailer_first;
      return c == '\n' ? nullptr : &bad_line_end;
  }
}

}  // namespace ringwall::http
