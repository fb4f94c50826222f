// request.h: what is asked of the admin interface, read from HTTP, and who may ask it.
//
// Pure functions; bytes in, a Request out. Requests have no body: what they say stands in the query.
// Source: RFC 9110, RFC 3986 section 2.1 (percent encoding), and the Fetch standard's forbidden and safelisted headers:
// a web page cannot set a field of its own without a preflight, which is never granted here.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/http/head.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace ringwall::admin {

inline constexpr std::size_t parameters_max = 16;
// What changes something needs it, with any value.
inline constexpr std::string_view header = "X-Ringwall-Admin";

enum class Peer : std::uint8_t { unix_socket, this_machine, elsewhere };

struct Request {
  http::Method method = http::Method::get;
  std::string path;
  std::map<std::string, std::string, std::less<>> parameters;  // of the query
  bool has_header = false;
  // Its Host is an address or localhost, and no web page of another place sent it: a name could have been made to lead
  // here (DNS rebinding).
  bool is_direct = false;

  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

// Bytes consumed, or 0 where the head is not whole yet.
[[nodiscard]] std::expected<std::size_t, http::Refusal> read_request(std::string_view bytes, Request& request);

// Who may ask for what. `everyone` tells nothing of clients; the others are for who is on this machine.
enum class Access : std::uint8_t { everyone, reading, changing };

// What to say to who may not; none: it may. `changes` is admin.changes.
[[nodiscard]] const http::Refusal* refusal(Access access, Peer peer, const Request& request, config::Changes changes);

}  // namespace ringwall::admin
