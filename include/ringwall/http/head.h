// head.h: HTTP/1.1 message heads, read strictly: what two readers could read in two ways is refused.
//
// Bytes in, a head out. The caller keeps the bytes and calls again with more of them until the head is whole; every
// view in the result points into those bytes (or to static text) and dies with them. No state, no allocation; any
// thread. A head is about 2 KiB: keep one per shard and use it again, parsing overwrites it.
//
// An answer never changes as bytes come: for every prefix it is "more" or what the whole gives. What ends a head early
// (a bad request line, a bare LF, a bound) is refused as soon as it is seen; the fields are judged once all are there.
//
// After a Refusal the bytes that follow cannot be trusted: send it and close.
// Source: RFC 9112 sections 2 to 7, RFC 9110 sections 5, 7.2, 7.6.1, 7.8, 10.1.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include <ringwall/http/field.h>

namespace ringwall::http {

enum class Method { get, head, post, options, other };

// How a body is delimited. `until_close` is only ever an answer's.
enum class Framing { none, length, chunked, until_close };

// What to tell a peer: a status, and a static sentence of what was found and what would be right.
struct Refusal {
  std::uint16_t status;
  std::string_view why;
};

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  // as sent, in any of its forms
  std::string_view path;    // begins with '/', or is "*"; not decoded, dot segments left in
  std::string_view query;   // without its '?'
  bool has_query = false;   // tells "/?" from "/"
  std::string_view host;    // with the port if one was named; validated; empty only in HTTP/1.0
  int minor = 1;            // HTTP/1.0 or HTTP/1.1
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  // of the body, when framing is `length`
  bool keep_alive = false;
  bool expect_continue = false;  // the client waits for 100 before it sends its body
  bool wants_websocket = false;  // asked for; check_upgrade() tells whether rightly
  FieldList fields;

  [[nodiscard]] std::span<const Header> headers() const { return fields.all(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const { return fields.find(name); }
};

// Bytes consumed: up to and with the empty line that ends the head; 0: not complete yet, nothing consumed.
// Statuses: 400, 414, 417, 431, 501, 505, and 413 for a Content-Length beyond 19 digits.
// `bytes_max` bounds the head with its start line; an operator may lower or raise it.
[[nodiscard]] std::expected<std::size_t, Refusal> parse_request_head(std::string_view bytes, RequestHead& head,
                                                                     std::size_t bytes_max = head_bytes_max);

struct ResponseHead {
  int status = 0;  // 100 to 599
  int minor = 1;
  std::string_view reason;
  Framing framing = Framing::none;  // `none` for 1xx, 204, 304 and answers to HEAD, whatever the fields announce
  std::uint64_t content_length = 0;
  bool keep_alive = false;  // false when the body ends with the connection
  FieldList fields;

  [[nodiscard]] std::span<const Header> headers() const { return fields.all(); }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const { return fields.find(name); }
};

// As above, for a node's answer. The error says what is wrong, for the log; the client gets 502. A 1xx answer is a head
// of its own: the next head follows it (except 101, which ends HTTP on the connection).
[[nodiscard]] std::expected<std::size_t, std::string_view> parse_response_head(std::string_view bytes,
                                                                               bool request_was_head,
                                                                               ResponseHead& head,
                                                                               std::size_t bytes_max = head_bytes_max);

// "example.com" of "example.com:8443", "[::1]" of "[::1]:80". For a validated host.
[[nodiscard]] std::string_view host_without_port(std::string_view host);

}  // namespace ringwall::http
