#include <ringwall/admin/request.h>
#include <ringwall/config/address.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace ringwall::admin {

namespace {

using http::Refusal;

std::optional<int> hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      result += text[at] == '+' ? ' ' : text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const std::optional<int> high = hex(text[at + 1]);
    const std::optional<int> low = hex(text[at + 2]);
    if (!high || !low) return std::nullopt;
    result += static_cast<char>(*high * 16 + *low);
    at += 2;
  }
  return result;
}

bool read_parameters(std::string_view query, Request& request) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = decoded(pair.substr(0, equals));
    std::optional<std::string> value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value || request.parameters.size() == parameters_max) return false;
    if (!request.parameters.emplace(std::move(*name), std::move(*value)).second) return false;
  }
  return true;
}

bool is_direct(const http::RequestHead& head) {
  if (head.find("origin")) return false;
  if (const auto site = head.find("sec-fetch-site"); site && *site != "none" && *site != "same-origin") return false;
  std::string_view host = http::host_without_port(head.host);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return http::equals_ignoring_case(host, "localhost") || config::parse_ip(host).has_value();
}

constexpr Refusal not_from_here{403, "only for programs on this machine: metrics, health and readiness are for all"};
constexpr Refusal not_direct{403, "Host must be an address or localhost, and no web page may ask"};
constexpr Refusal not_over_http{403, "what changes something is asked for at admin.socket alone (admin.changes)"};
constexpr Refusal no_header{403, "what changes something needs the header X-Ringwall-Admin: 1"};

}  // namespace

std::string_view Request::parameter(std::string_view name) const {
  const auto at = parameters.find(name);
  return at == parameters.end() ? std::string_view() : at->second;
}

std::expected<std::size_t, Refusal> read_request(std::string_view bytes, Request& request) {
  const auto head = std::make_unique<http::RequestHead>();
  const auto used = http::parse_request_head(bytes, *head);
  if (!used) return std::unexpected(used.error());
  if (*used == 0) return 0;
  if (head->framing == http::Framing::chunked || head->content_length > 0) {
    return std::unexpected(Refusal{400, "a request here has no body: what it says stands in the query"});
  }
  request = {};
  request.method = head->method;
  request.path = head->path;
  request.has_header = head->find(header).has_value();
  request.is_direct = is_direct(*head);
  if (!read_parameters(head->query, request)) {
    return std::unexpected(Refusal{400, "the query is NAME=VALUE&NAME=VALUE, each once, percent-encoded"});
  }
  return *used;
}

const Refusal* refusal(Access access, Peer peer, const Request& request, config::Changes changes) {
  if (access == Access::everyone || peer == Peer::unix_socket) return nullptr;
  if (peer == Peer::elsewhere) return &not_from_here;
  if (!request.is_direct) return &not_direct;
  if (access != Access::changing) return nullptr;
  if (changes == config::Changes::socket) return &not_over_http;
  return request.has_header ? nullptr : &no_header;
}

}  // namespace ringwall::admin
