// copied_fields.h: which fields of a head pass to the far end, and what replaces those that must not.
//
// Source: RFC 9110 section 7.6.1, RFC 7239 section 4.
#pragma once

#include <ringwall/http/forward.h>

namespace ringwall::http {

// Writes the fields that belong neither to one hop nor to the framing, for which `is_ours` is false, in their order.
void copy_fields(HeadWriter& writer, const FieldList& fields, bool (*is_ours)(std::string_view name));

// True for what Ringwall says itself in a request: Host and the fields that claim where it comes from.
[[nodiscard]] bool is_ours_in_request(std::string_view name);

// Forwarded, X-Forwarded-For, X-Forwarded-Proto, X-Real-IP and Via.
void write_origin(HeadWriter& writer, const Origin& origin);

}  // namespace ringwall::http
