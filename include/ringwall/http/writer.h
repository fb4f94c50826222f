// writer.h: writes message heads and small whole answers into memory that the caller owns.
//
// A head that does not fit, or a field that would not stay one line, is not sent: the writer goes on silently and
// `end` says so once. Nothing is allocated; any thread.
// Source: RFC 9112 sections 3, 4, 5 and 7.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include <ringwall/http/head.h>

namespace ringwall::http {

enum class WriteFault {
  too_long,   // the span is too small
  malformed,  // a name, value or target that could not be read back as what it is
};

class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> out) : out_(out) {}

  HeadWriter& request_line(std::string_view method, std::string_view path,
                           std::optional<std::string_view> query = std::nullopt);
  HeadWriter& status_line(int status);
  HeadWriter& status_line(int status, std::string_view reason);
  HeadWriter& field(std::string_view name, std::string_view value);
  HeadWriter& field(std::string_view name, std::uint64_t value);
  // Of a head that the parser has accepted: it is not looked at again.
  HeadWriter& parsed_field(const Header& field);

  // A field whose value comes in pieces: begin_field, append..., end_field.
  HeadWriter& begin_field(std::string_view name);
  HeadWriter& append(std::string_view part_of_value);
  HeadWriter& end_field();

  // Ends the head. Bytes written.
  [[nodiscard]] std::expected<std::size_t, WriteFault> end();

 private:
  void put(std::string_view text);

  std::span<char> out_;
  std::size_t used_ = 0;
  bool too_long_ = false;
  bool malformed_ = false;
};

// "Not Found" of 404. "Unknown" when the status has no name here.
[[nodiscard]] std::string_view status_text(int status);

struct SimpleResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string_view body = {};
  bool keep_alive = false;
  bool to_head = false;  // the request was HEAD: the length is told, the body is not sent
  std::span<const Header> extra = {};
  std::string_view date = {};  // as date_text() makes it; empty: none
};

// "Sun, 06 Nov 1994 08:49:37 GMT", as RFC 9110 section 5.6.7 wants it.
using DateText = std::array<char, 29>;
[[nodiscard]] DateText date_text(std::int64_t unix_s);

// Head and body. Statuses that have no body (1xx, 204, 304) get neither body nor Content-Length.
[[nodiscard]] std::expected<std::size_t, WriteFault> simple_response(std::span<char> out,
                                                                     const SimpleResponse& response);

// The answer to a refused request: the sentence as text, the fields that its status demands (426: Upgrade and
// Sec-WebSocket-Version), and Connection: close.
[[nodiscard]] std::expected<std::size_t, WriteFault> refusal_response(std::span<char> out, const Refusal& refusal,
                                                                      std::string_view date = {}, bool to_head = false);

// What goes before a chunk's payload; chunk_end goes after it. A chunk has at least one byte: none would end the body.
inline constexpr std::size_t chunk_header_bytes_max = 18;
[[nodiscard]] std::size_t write_chunk_header(std::span<char, chunk_header_bytes_max> out, std::uint64_t payload_bytes);
inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace ringwall::http
