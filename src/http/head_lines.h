// head_lines.h: what request and response heads have in common: lines that end in CRLF, and an empty one at the end.
//
// The finding of the end comes first and judges only line ends and the number of lines, so that a head that drips in
// is scanned and not parsed each time; the fields are parsed once, when the head is whole.
// Source: RFC 9112 sections 2.2 and 5.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include <ringwall/http/head.h>

namespace ringwall::http {

// Bytes of the field lines at the start of `bytes`, with the empty line that ends them; 0: it is not there yet.
[[nodiscard]] std::expected<std::size_t, Refusal> find_fields_end(std::string_view bytes);

// `lines` are whole field lines, each with its CRLF.
[[nodiscard]] std::expected<void, Refusal> parse_field_lines(std::string_view lines, FieldList& fields);

}  // namespace ringwall::http
