// forward.h: a client's head rewritten for the node, and a node's head rewritten for the client.
//
// What belongs to one hop goes: Connection and what it names, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding,
// Upgrade, Expect, HTTP2-Settings. What a client could say about where it comes from goes too: Forwarded,
// X-Forwarded-*, X-Real-IP, and is replaced by the truth, since the node believes it. Framing is always written anew
// from what was parsed, never copied. A Connection that names a field the node depends on was refused by the parser
// already.
//
// The caller owns the memory written to; allow head_bytes_max + forward_bytes_added_max. WriteFault::too_long is the
// only fault that a parsed head can cause.
// Source: RFC 9110 sections 7.6.1 and 7.6.3, RFC 7239 sections 4 and 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include <ringwall/http/head.h>
#include <ringwall/http/writer.h>

namespace ringwall::http {

// What rewriting can add to a head at most, apart from the length of the host given.
inline constexpr std::size_t forward_bytes_added_max = 512;

// Who asked, as the socket knows it.
struct Origin {
  std::string_view address;        // "192.0.2.1" or "2001:db8::1": no brackets, no port, no scope
  std::string_view proto;          // "https" or "http": how the client reached Ringwall
  std::string_view host_for_node;  // Host as the node's filter accepts it; the client's own when it is preserved
};

// The body as it will be sent on: none, length or chunked (an answer's may be until_close).
struct BodyPlan {
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
};

[[nodiscard]] std::expected<std::size_t, WriteFault> write_request_to_node(std::span<char> out,
                                                                           const RequestHead& request,
                                                                           const Origin& origin, BodyPlan body);

// `keep_alive` is what Ringwall will do with the client's connection; an until_close body always closes it. With no
// body planned, the node's Content-Length is kept where it describes a body that is not sent (HEAD, 304). `date` is for
// an answer that has none; empty: none is added.
[[nodiscard]] std::expected<std::size_t, WriteFault> write_response_to_client(std::span<char> out,
                                                                              const ResponseHead& response,
                                                                              BodyPlan body, bool keep_alive,
                                                                              std::string_view date = {});

}  // namespace ringwall::http
