#include <algorithm>
#include <array>
#include <utility>

#include <ringwall/http/head.h>

#include "control_fields.h"
#include "head_lines.h"
#include "target.h"

namespace ringwall::http {
namespace {

// Bytes taken; 0: more are needed.
using Taken = std::expected<std::size_t, Refusal>;

std::unexpected<Refusal> refuse(std::uint16_t status, std::string_view why) {
  return std::unexpected(Refusal{status, why});
}

Taken skip_empty_lines(std::string_view bytes) {
  std::size_t at = 0;
  for (std::size_t lines = 0; at < bytes.size(); ++lines) {
    if (bytes[at] == '\n') return refuse(400, "an empty line ends in LF alone; lines end in CRLF");
    if (bytes[at] != '\r') break;
    if (lines == leading_empty_lines_max) return refuse(400, "empty lines where a request should begin");
    if (at + 1 < bytes.size() && bytes[at + 1] != '\n')
      return refuse(400, "a CR without LF where a request should begin");
    at += 2;
  }
  return at;
}

Taken take_method(std::string_view line, RequestHead& head) {
  constexpr char tls_handshake_record = 0x16;
  std::size_t at = 0;
  while (at < line.size() && is_token_char(line[at])) {
    if (++at > method_bytes_max) return refuse(501, "the method's name is longer than any known");
  }
  if (at == line.size()) return 0;
  if (at == 0 && line[0] == tls_handshake_record) {
    return refuse(400, "a TLS handshake on a port that speaks plain HTTP; use http:// or ws:// here");
  }
  if (at == 0 || line[at] != ' ') return refuse(400, "this is not an HTTP request: it should begin with METHOD SP");
  head.method_text = line.substr(0, at);
  return at + 1;
}

Taken take_target(std::string_view line, RequestHead& head) {
  std::size_t at = 0;
  while (at < line.size() && is_target_char(line[at])) {
    if (++at > target_bytes_max) return refuse(414, "the request target is longer than 8192 bytes");
  }
  if (at == line.size()) return 0;
  if (line[at] == '\r' || line[at] == '\n') {
    return refuse(400, "the request line has no version; it should end in HTTP/1.1 CRLF");
  }
  if (line[at] != ' ') return refuse(400, "the request target has a character that must be percent-encoded");
  if (at == 0) return refuse(400, "the request line has no target, or two spaces before it");
  head.target = line.substr(0, at);
  return at + 1;
}

Taken take_version(std::string_view line, RequestHead& head) {
  constexpr std::string_view form = "HTTP/d.d\r\n";
  for (std::size_t at = 0; at < std::min(form.size(), line.size()); ++at) {
    const char c = line[at];
    if (form[at] == 'd' ? c < '0' || c > '9' : c != form[at]) {
      if (form[at] == '\r' && c == '\n') return refuse(400, "the request line ends in LF alone; lines end in CRLF");
      return refuse(400, "the request line does not end in HTTP/1.1 CRLF");
    }
    const std::size_t major_at = 5, minor_at = 7;
    if ((at == major_at && c != '1') || (at == minor_at && c > '1')) {
      return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    if (at == minor_at) head.minor = c - '0';
  }
  return line.size() < form.size() ? 0 : form.size();
}

Taken take_request_line(std::string_view bytes, RequestHead& head) {
  std::size_t at = 0;
  for (const auto take : {take_method, take_target, take_version}) {
    const Taken taken = take(bytes.substr(at), head);
    if (!taken || *taken == 0) return taken;
    at += *taken;
  }
  return at;
}

std::expected<void, Refusal> read_method(RequestHead& head) {
  constexpr std::array<std::pair<std::string_view, Method>, 4> known{{
      {"GET", Method::get},
      {"HEAD", Method::head},
      {"POST", Method::post},
      {"OPTIONS", Method::options},
  }};
  if (head.method_text == "CONNECT") return refuse(501, "CONNECT is not served: this is not a forward proxy");
  const auto* found = std::ranges::find(known, head.method_text, &std::pair<std::string_view, Method>::first);
  head.method = found == known.end() ? Method::other : found->second;
  return {};
}

// Two of these, and two readers may each take another one.
std::expected<void, Refusal> refuse_repeated(const FieldList& fields) {
  if (fields.count("content-type") > 1) return refuse(400, "Content-Type is there more than once");
  if (fields.count("origin") > 1) return refuse(400, "Origin is there more than once");
  if (fields.count("authorization") > 1) return refuse(400, "Authorization is there more than once");
  return {};
}

// HTTP/1.0 knows neither Expect nor Upgrade: RFC 9110 sections 10.1.1 and 7.8 have a server ignore them there.
std::expected<void, Refusal> read_wishes(RequestHead& head) {
  if (head.minor == 0) return {};
  const bool has_body =
      head.framing == Framing::chunked || (head.framing == Framing::length && head.content_length > 0);
  for (const Header& field : head.headers()) {
    if (!equals_ignoring_case(field.name, "expect")) continue;
    if (!equals_ignoring_case(field.value, "100-continue")) {
      return refuse(417, "Expect is something else than 100-continue");
    }
    head.expect_continue = has_body;
  }
  head.wants_websocket = head.fields.lists("upgrade", "websocket");
  return {};
}

std::expected<void, Refusal> read_meaning(RequestHead& head) {
  if (auto method = read_method(head); !method) return method;
  if (auto target = read_target_and_host(head); !target) return target;
  if (auto repeated = refuse_repeated(head.fields); !repeated) return repeated;
  const auto control = read_control_fields(head.fields, head.minor);
  if (!control) return std::unexpected(control.error());
  head.framing = control->framing;
  head.content_length = control->content_length;
  head.keep_alive = control->keep_alive;
  return read_wishes(head);
}

Taken parse_within(std::string_view bytes, RequestHead& head) {
  const Taken empty_lines = skip_empty_lines(bytes);
  if (!empty_lines) return empty_lines;
  if (*empty_lines >= bytes.size()) return 0;
  const Taken line = take_request_line(bytes.substr(*empty_lines), head);
  if (!line || *line == 0) return line;
  const std::string_view rest = bytes.substr(*empty_lines + *line);
  const Taken fields = find_fields_end(rest);
  if (!fields || *fields == 0) return fields;
  constexpr std::size_t empty_line_bytes = 2;
  if (auto parsed = parse_field_lines(rest.substr(0, *fields - empty_line_bytes), head.fields); !parsed) {
    return std::unexpected(parsed.error());
  }
  if (auto meaning = read_meaning(head); !meaning) return std::unexpected(meaning.error());
  return *empty_lines + *line + *fields;
}

}  // namespace

// Looking at no byte beyond the bound is what makes the answer the same for a prefix and for the whole.
std::expected<std::size_t, Refusal> parse_request_head(std::string_view bytes, RequestHead& head,
                                                       std::size_t bytes_max) {
  head = RequestHead();
  const std::string_view within = bytes.substr(0, bytes_max);
  const Taken taken = parse_within(within, head);
  if (taken && *taken == 0 && within.size() == bytes_max) {
    return refuse(431, "the request's head is larger than allowed; send fewer or shorter fields");
  }
  return taken;
}

}  // namespace ringwall::http
