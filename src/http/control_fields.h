// control_fields.h: the fields that say where a message ends and what becomes of its connection.
//
// The same rules for requests and answers, since a front and a node that disagree here is how requests are smuggled:
// Content-Length or Transfer-Encoding, once, never both, and nothing but "chunked".
// Source: RFC 9112 sections 6.1 to 6.3 and 9.3, RFC 9110 section 7.6.1.
#pragma once

#include <cstdint>
#include <expected>

#include <ringwall/http/head.h>

namespace ringwall::http {

struct ControlFields {
  Framing framing = Framing::none;  // none, length or chunked: what the fields announce
  std::uint64_t content_length = 0;
  bool keep_alive = false;
  bool upgrade = false;  // Connection has the option
};

[[nodiscard]] std::expected<ControlFields, Refusal> read_control_fields(const FieldList& fields, int minor);

}  // namespace ringwall::http
