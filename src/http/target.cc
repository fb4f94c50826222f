#include "target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace ringwall::http {
namespace {

constexpr std::size_t registered_name_bytes_max = 255;

std::unexpected<Refusal> bad(std::string_view why) { return std::unexpected(Refusal{400, why}); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_registered_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= registered_name_bytes_max && std::ranges::all_of(name, allowed);
}

bool is_ipv6(std::string_view address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.size() >= text.size()) return false;
  std::memcpy(text.data(), address.data(), address.size());
  in6_addr parsed;
  return inet_pton(AF_INET6, text.data(), &parsed) == 1;
}

bool is_port(std::string_view port) {
  if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
  std::uint32_t number = 0;
  for (const char c : port) number = number * 10 + static_cast<std::uint32_t>(c - '0');
  return number <= 65535;
}

bool has_broken_escape(std::string_view target) {
  for (std::size_t at = target.find('%'); at != std::string_view::npos; at = target.find('%', at + 1)) {
    if (at + 2 >= target.size() || !is_hex_digit(target[at + 1]) || !is_hex_digit(target[at + 2])) return true;
  }
  return false;
}

void split_query(std::string_view path_and_query, RequestHead& head) {
  const std::size_t question = path_and_query.find('?');
  head.path = path_and_query.substr(0, question);
  head.has_query = question != std::string_view::npos;
  head.query = head.has_query ? path_and_query.substr(question + 1) : std::string_view();
}

std::expected<void, Refusal> read_host(RequestHead& head) {
  const std::size_t count = head.fields.count("host");
  if (count > 1) return bad("Host is there more than once");
  if (count == 0) {
    if (head.minor == 0) return {};
    return bad("Host is missing; HTTP/1.1 demands it");
  }
  head.host = *head.fields.find("host");
  if (!is_host(head.host)) return bad("Host is not a name or an address with an optional port");
  return {};
}

std::expected<void, Refusal> read_absolute_form(RequestHead& head) {
  const std::size_t colon = head.target.find("://");
  if (colon == std::string_view::npos) return bad("the request target does not begin with '/'");
  const std::string_view scheme = head.target.substr(0, colon);
  const auto known = {"http", "https", "ws", "wss"};
  if (std::ranges::none_of(known, [scheme](std::string_view name) { return equals_ignoring_case(scheme, name); })) {
    return bad("the request target has a scheme other than http, https, ws or wss");
  }
  const std::string_view rest = head.target.substr(colon + 3);
  const std::size_t authority_bytes = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_bytes);
  if (!is_host(authority)) return bad("the request target has no valid host");
  if (!head.host.empty() && !equals_ignoring_case(head.host, authority)) {
    return bad("the request target and Host name different hosts");
  }
  head.host = authority;
  split_query(rest.substr(authority_bytes), head);
  if (head.path.empty()) head.path = head.method == Method::options && !head.has_query ? "*" : "/";
  return {};
}

}  // namespace

bool is_host(std::string_view host) {
  const std::string_view name = host_without_port(host);
  const std::string_view rest = host.substr(name.size());
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return false;
  if (!name.empty() && name.front() == '[') {
    return name.size() > 2 && name.back() == ']' && is_ipv6(name.substr(1, name.size() - 2));
  }
  return is_registered_name(name);
}

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t bracket = host.find(']');
    return bracket == std::string_view::npos ? host : host.substr(0, bracket + 1);
  }
  return host.substr(0, host.find(':'));
}

std::expected<void, Refusal> read_target_and_host(RequestHead& head) {
  if (has_broken_escape(head.target)) return bad("the request target has a '%' without two hexadecimal digits");
  if (auto host = read_host(head); !host) return host;
  if (head.target.starts_with('/')) {
    split_query(head.target, head);
    return {};
  }
  if (head.target != "*") return read_absolute_form(head);
  if (head.method != Method::options) return bad("the request target '*' is for OPTIONS only");
  head.path = head.target;
  return {};
}

}  // namespace ringwall::http
