#include <ringwall/config/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include <ringwall/check.h>

namespace ringwall::config {
namespace {

constexpr std::size_t dns_name_bytes_max = 253;
constexpr std::size_t dns_label_bytes_max = 63;
constexpr unsigned mapped_prefix_bits = 96;

using Address = std::array<std::uint8_t, 16>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_label(std::string_view label) {
  const auto allowed = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= dns_label_bytes_max && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, allowed);
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  if (text.find('\0') != text.npos || ::inet_pton(AF_INET, std::string(text).c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<Address> parse_v6(std::string_view text) {
  Address bytes{};
  if (text.find('\0') != text.npos || ::inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  return bytes;
}

Address mapped(const std::array<std::uint8_t, 4>& v4) {
  Address address{};
  address[10] = address[11] = 0xff;
  std::ranges::copy(v4, address.begin() + 12);
  return address;
}

bool is_mapped(const Address& address) {
  const auto zero = [](std::uint8_t byte) { return byte == 0; };
  return std::all_of(address.begin(), address.begin() + 10, zero) && address[10] == 0xff && address[11] == 0xff;
}

std::string print(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  RINGWALL_CHECK(::inet_ntop(family, bytes, text.data(), text.size()) != nullptr);
  return text.data();
}

Address masked(const Address& address, unsigned prefix_bits) {
  Address result{};
  for (unsigned i = 0; i < result.size() && prefix_bits > i * 8; ++i) {
    const unsigned kept = std::min(prefix_bits - i * 8, 8U);
    result[i] = static_cast<std::uint8_t>(address[i] & (0xffU << (8 - kept)));
  }
  return result;
}

// Host and port at the last colon; brackets are taken off and must stand around an address with colons, and only there.
std::optional<std::pair<std::string_view, std::uint16_t>> split_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) {
    return std::nullopt;
  }
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) {
    return std::nullopt;
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  if (bracketed != (host.find(':') != host.npos)) {
    return std::nullopt;
  }
  return std::pair(host, *port);
}

}  // namespace

std::optional<std::string> parse_ip(std::string_view text) {
  if (const auto v4 = parse_v4(text)) {
    return print(AF_INET, v4->data());
  }
  if (const auto v6 = parse_v6(text)) {
    return print(AF_INET6, v6->data());
  }
  return std::nullopt;
}

std::optional<std::string> parse_dns_name(std::string_view text) {
  if (!text.empty() && text.back() == '.') {
    text.remove_suffix(1);
  }
  if (text.empty() || text.size() > dns_name_bytes_max) {
    return std::nullopt;
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(), lower);
  std::string_view rest = name;
  std::string_view label;
  for (bool more = true; more;) {
    const std::size_t dot = rest.find('.');
    more = dot != rest.npos;
    label = rest.substr(0, dot);
    rest = more ? rest.substr(dot + 1) : std::string_view{};
    if (!is_label(label)) {
      return std::nullopt;
    }
  }
  if (std::ranges::all_of(label, is_digit)) {
    return std::nullopt;
  }
  return name;
}

std::optional<std::string> parse_dns_pattern(std::string_view text) {
  const bool wildcard = text.starts_with("*.");
  std::optional<std::string> name = parse_dns_name(wildcard ? text.substr(2) : text);
  if (name && wildcard) {
    name->insert(0, "*.");
  }
  return name;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, port);
  if (error != std::errc{} || rest != end || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::optional<Endpoint> parse_bind_address(std::string_view text) {
  const auto parts = split_port(text);
  if (!parts) {
    return std::nullopt;
  }
  if (parts->first == "*") {
    return Endpoint{"", parts->second};
  }
  const std::optional<std::string> ip = parse_ip(parts->first);
  return ip ? std::optional(Endpoint{*ip, parts->second}) : std::nullopt;
}

std::optional<Endpoint> parse_peer_address(std::string_view text) {
  const auto parts = split_port(text);
  if (!parts) {
    return std::nullopt;
  }
  std::optional<std::string> host = parse_ip(parts->first);
  if (!host) {
    host = parse_dns_name(parts->first);
  }
  return host ? std::optional(Endpoint{*host, parts->second}) : std::nullopt;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto v4 = parse_v4(address);
  const auto v6 = v4 ? std::optional(mapped(*v4)) : parse_v6(address);
  if (!v6) {
    return std::nullopt;
  }
  const unsigned first_bits = v4 ? mapped_prefix_bits : 0;
  unsigned bits = 128 - first_bits;
  if (slash != text.npos) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc{} || rest != end || bits > 128 - first_bits) {
      return std::nullopt;
    }
  }
  const Cidr cidr{*v6, static_cast<std::uint8_t>(first_bits + bits)};
  if (masked(cidr.address, cidr.prefix_bits) != cidr.address) {
    return std::nullopt;
  }
  return cidr;
}

bool Cidr::contains(const std::array<std::uint8_t, 16>& other) const { return masked(other, prefix_bits) == address; }

std::string to_text(const Cidr& cidr) {
  if (is_mapped(cidr.address) && cidr.prefix_bits >= mapped_prefix_bits) {
    return fmt::format("{}/{}", print(AF_INET, cidr.address.data() + 12), cidr.prefix_bits - mapped_prefix_bits);
  }
  return fmt::format("{}/{}", print(AF_INET6, cidr.address.data()), cidr.prefix_bits);
}

std::string to_text(const Endpoint& endpoint) {
  if (endpoint.host.empty()) {
    return fmt::format("*:{}", endpoint.port);
  }
  const bool brackets = endpoint.host.find(':') != endpoint.host.npos;
  return fmt::format("{}{}{}:{}", brackets ? "[" : "", endpoint.host, brackets ? "]" : "", endpoint.port);
}

std::vector<Endpoint> nodes_of(const Upstream& upstream) {
  return upstream.addresses.empty() ? std::vector{upstream.address} : upstream.addresses;
}

}  // namespace ringwall::config
