// heads.h: parses a head as a connection would meet it: cut at every byte. Each answer to a part of it must be "more",
// or what the whole gives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ringwall/http/head.h>

#include "unit/catch.h"

namespace ringwall::http {

// Parts are copied, so that a sanitizer sees a read beyond their end.
inline void every_part_of_a_request_agrees(std::string_view text, const std::expected<std::size_t, Refusal>& whole) {
  RequestHead head;
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    const std::string part(text.substr(0, bytes));
    const auto parsed = parse_request_head(part, head);
    const bool same = whole ? parsed && *parsed == (bytes < *whole ? 0 : *whole)
                            : (parsed ? *parsed == 0 : parsed.error().why == whole.error().why);
    if (same) continue;
    CAPTURE(bytes, part);
    FAIL("a part of the head was answered otherwise than the whole");
  }
}

// `text` is one whole head, and nothing after it. The result views it.
inline RequestHead request_of(std::string_view text) {
  RequestHead head;
  const auto parsed = parse_request_head(text, head);
  INFO(text);
  if (!parsed) FAIL(parsed.error().why);
  REQUIRE(*parsed == text.size());
  every_part_of_a_request_agrees(text, parsed);
  return head;
}

// The status that `text` is refused with; 0 when it isn't.
inline int refusal_of(std::string_view text) {
  RequestHead head;
  const auto parsed = parse_request_head(text, head);
  every_part_of_a_request_agrees(text, parsed);
  if (parsed) return 0;
  CHECK_FALSE(parsed.error().why.empty());
  return parsed.error().status;
}

inline void every_part_of_an_answer_agrees(std::string_view text, bool request_was_head,
                                           const std::expected<std::size_t, std::string_view>& whole) {
  ResponseHead head;
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    const std::string part(text.substr(0, bytes));
    const auto parsed = parse_response_head(part, request_was_head, head);
    const bool same = whole ? parsed && *parsed == (bytes < *whole ? 0 : *whole)
                            : (parsed ? *parsed == 0 : parsed.error() == whole.error());
    if (same) continue;
    CAPTURE(bytes, part);
    FAIL("a part of the head was answered otherwise than the whole");
  }
}

inline ResponseHead answer_of(std::string_view text, bool request_was_head = false) {
  ResponseHead head;
  const auto parsed = parse_response_head(text, request_was_head, head);
  INFO(text);
  if (!parsed) FAIL(parsed.error());
  REQUIRE(*parsed == text.size());
  every_part_of_an_answer_agrees(text, request_was_head, parsed);
  return head;
}

inline bool is_broken_answer(std::string_view text, bool request_was_head = false) {
  ResponseHead head;
  const auto parsed = parse_response_head(text, request_was_head, head);
  every_part_of_an_answer_agrees(text, request_was_head, parsed);
  return !parsed && !parsed.error().empty();
}

}  // namespace ringwall::http
