#include "control_fields.h"

#include <algorithm>

namespace ringwall::http {
namespace {

std::unexpected<Refusal> bad(std::string_view why) { return std::unexpected(Refusal{400, why}); }

// A request that names one of these in Connection asks us to take it away from the node (RFC 9110 section 7.6.1 says
// that it must not be named): what the node then reads is another request than the one that was checked.
constexpr std::string_view not_to_be_nominated[] = {
    "host",   "content-length", "content-type", "content-encoding", "transfer-encoding", "authorization",
    "cookie", "origin",         "forwarded",    "x-forwarded-for",  "x-forwarded-proto", "x-real-ip",
};

bool may_be_nominated(std::string_view option) {
  if (starts_ignoring_case(option, "sec-websocket-")) return false;
  return std::ranges::none_of(not_to_be_nominated,
                              [option](std::string_view name) { return equals_ignoring_case(option, name); });
}

std::expected<std::uint64_t, Refusal> parse_content_length(std::string_view value) {
  constexpr std::size_t digits_max = 19;  // the most that std::uint64_t always holds
  if (value.empty()) return bad("Content-Length is empty; it must be a decimal number");
  if (!std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
    return bad("Content-Length is not a decimal number");
  }
  if (value.size() > digits_max) return std::unexpected(Refusal{413, "Content-Length is beyond any body"});
  std::uint64_t length = 0;
  for (const char c : value) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  return length;
}

struct ConnectionOptions {
  std::size_t count = 0;
  bool close = false, keep_alive = false, upgrade = false;
};

std::expected<void, Refusal> read_connection(std::string_view list, ConnectionOptions& options) {
  while (const auto option = take_list_member(list)) {
    if (!is_token(*option)) return bad("Connection has a member that is not a token");
    if (++options.count > connection_options_max) return bad("Connection has more than 16 options");
    if (!may_be_nominated(*option))
      return bad("Connection names a field that is meant for the far end, not for this hop");
    options.close |= equals_ignoring_case(*option, "close");
    options.keep_alive |= equals_ignoring_case(*option, "keep-alive");
    options.upgrade |= equals_ignoring_case(*option, "upgrade");
  }
  return {};
}

}  // namespace

std::expected<ControlFields, Refusal> read_control_fields(const FieldList& fields, int minor) {
  ControlFields control;
  ConnectionOptions options;
  bool has_length = false;
  bool has_coding = false;
  for (const Header& field : fields.all()) {
    if (equals_ignoring_case(field.name, "content-length")) {
      if (has_length) return bad("Content-Length is there more than once");
      const auto length = parse_content_length(field.value);
      if (!length) return std::unexpected(length.error());
      has_length = true;
      control.framing = Framing::length;
      control.content_length = *length;
    } else if (equals_ignoring_case(field.name, "transfer-encoding")) {
      if (has_coding) return bad("Transfer-Encoding is there more than once");
      if (!equals_ignoring_case(field.value, "chunked")) {
        return std::unexpected(Refusal{501, "Transfer-Encoding is something else than chunked alone"});
      }
      has_coding = true;
      control.framing = Framing::chunked;
    } else if (equals_ignoring_case(field.name, "connection")) {
      if (auto read = read_connection(field.value, options); !read) return std::unexpected(read.error());
    }
  }
  if (has_length && has_coding) return bad("Content-Length and Transfer-Encoding are both there; send one");
  if (has_coding && minor == 0) return bad("Transfer-Encoding in HTTP/1.0, which does not know it");
  control.keep_alive = !options.close && (minor == 1 || options.keep_alive);
  control.upgrade = options.upgrade;
  return control;
}

}  // namespace ringwall::http
