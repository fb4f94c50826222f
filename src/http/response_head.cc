#include <algorithm>

#include <ringwall/http/head.h>

#include "control_fields.h"
#include "head_lines.h"

namespace ringwall::http {
namespace {

// Bytes taken; 0: more are needed.
using Taken = std::expected<std::size_t, std::string_view>;

std::unexpected<std::string_view> broken(std::string_view why) { return std::unexpected(why); }

Taken take_status_line(std::string_view bytes, ResponseHead& head) {
  constexpr std::string_view form = "HTTP/1.v ddd";
  for (std::size_t at = 0; at < std::min(form.size(), bytes.size()); ++at) {
    const char c = bytes[at];
    const char wanted = form[at];
    if (wanted == 'v' ? c != '0' && c != '1' : wanted == 'd' ? c < '0' || c > '9' : c != wanted) {
      return broken("the answer does not begin with HTTP/1.1 and a status");
    }
    if (wanted == 'v') head.minor = c - '0';
    if (wanted == 'd') head.status = head.status * 10 + (c - '0');
  }
  const std::size_t lf = bytes.find('\n');
  if (bytes.size() < form.size() || lf == std::string_view::npos) return 0;
  if (bytes[lf - 1] != '\r') return broken("the status line ends in LF alone");
  const std::string_view rest = bytes.substr(form.size(), lf - 1 - form.size());
  if (!rest.empty() && rest.front() != ' ') return broken("the status is not three digits");
  if (head.status < 100 || head.status > 599) return broken("the status is not between 100 and 599");
  head.reason = trim(rest);
  if (!is_field_text(head.reason)) return broken("the status line has a control character");
  return lf + 1;
}

std::expected<void, std::string_view> read_framing(bool request_was_head, ResponseHead& head) {
  const auto control = read_control_fields(head.fields, head.minor);
  if (!control) return broken(control.error().why);
  head.content_length = control->content_length;
  head.keep_alive = control->keep_alive;
  const bool informational_or_empty = head.status < 200 || head.status == 204;
  if (informational_or_empty && (control->framing == Framing::chunked || control->content_length > 0)) {
    return broken("a 1xx or 204 answer announces a body");
  }
  if (informational_or_empty || head.status == 304 || request_was_head) return {};
  head.framing = control->framing;
  if (head.framing == Framing::none) {
    head.framing = Framing::until_close;
    head.keep_alive = false;
  }
  return {};
}

Taken parse_within(std::string_view bytes, bool request_was_head, ResponseHead& head) {
  const Taken line = take_status_line(bytes, head);
  if (!line || *line == 0) return line;
  const std::string_view rest = bytes.substr(*line);
  const auto fields = find_fields_end(rest);
  if (!fields) return broken(fields.error().why);
  if (*fields == 0) return 0;
  constexpr std::size_t empty_line_bytes = 2;
  if (auto parsed = parse_field_lines(rest.substr(0, *fields - empty_line_bytes), head.fields); !parsed) {
    return broken(parsed.error().why);
  }
  if (auto framing = read_framing(request_was_head, head); !framing) return broken(framing.error());
  return *line + *fields;
}

}  // namespace

std::expected<std::size_t, std::string_view> parse_response_head(std::string_view bytes, bool request_was_head,
                                                                 ResponseHead& head, std::size_t bytes_max) {
  head = ResponseHead();
  const std::string_view within = bytes.substr(0, bytes_max);
  const Taken taken = parse_within(within, request_was_head, head);
  if (taken && *taken == 0 && within.size() == bytes_max) return broken("the answer's head is larger than allowed");
  return taken;
}

}  // namespace ringwall::http
