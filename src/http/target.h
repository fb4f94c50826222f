// target.h: the parts of a request that say what is asked for and of whom: the request target and Host.
//
// Source: RFC 9112 section 3.2, RFC 9110 section 7.2, RFC 3986. Narrower than the RFCs where nobody needs the width and
// somebody could read it in two ways: no user name, no empty port, and of registered names only letters, digits, '-',
// '.' and '_', which makes a host safe in a page and in a Location.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string_view>

#include <ringwall/http/head.h>

namespace ringwall::http {

namespace characters {
inline constexpr std::array<bool, 256> target = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = '!'; c <= '~'; ++c) table[c] = true;
  for (const char c : std::string_view("\"#<>\\^`{|}")) table[static_cast<unsigned char>(c)] = false;
  return table;
}();
}  // namespace characters

// True for what may stand in a target before its form is looked at: visible ASCII but " # < > \ ^ ` { | }.
[[nodiscard]] inline bool is_target_char(char c) { return characters::target[static_cast<unsigned char>(c)]; }

// uri-host [ ":" port ].
[[nodiscard]] bool is_host(std::string_view host);

// Fills in path, query and host from the target and the Host fields.
[[nodiscard]] std::expected<void, Refusal> read_target_and_host(RequestHead& head);

}  // namespace ringwall::http
