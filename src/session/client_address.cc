#include <ringwall/session/client_address.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace ringwall::session {

namespace {

constexpr std::size_t mapped_prefix_bytes = 12;

AddressBytes mapped(const in_addr& address) {
  AddressBytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::memcpy(bytes.data() + mapped_prefix_bytes, &address, sizeof address);
  return bytes;
}

bool is_mapped(const AddressBytes& address) {
  return std::all_of(address.begin(), address.begin() + 10, [](std::uint8_t byte) { return byte == 0; }) &&
         address[10] == 0xff && address[11] == 0xff;
}

// The last member of a comma list, and the list without it.
std::string_view take_last(std::string_view& list) {
  const std::size_t comma = list.rfind(',');
  const std::string_view last = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
  return http::trim(last);
}

// ":443", or nothing.
bool is_port_or_nothing(std::string_view text) {
  return text.empty() || (text.starts_with(':') && text.size() > 1 && text.size() <= 6 &&
                          std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; }));
}

// As balancers write it: an address, some with its port.
std::optional<AddressBytes> parse_forwarded(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos || !is_port_or_nothing(text.substr(end + 1))) return std::nullopt;
    return parse_address(text.substr(1, end - 1));
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos) return parse_address(text);
  if (!is_port_or_nothing(text.substr(colon))) return std::nullopt;
  return parse_address(text.substr(0, colon));
}

}  // namespace

AddressBytes address_bytes(const ring::SocketAddress& address) {
  AddressBytes bytes{};
  if (address.storage.ss_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr, bytes.size());
    return bytes;
  }
  return mapped(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr);
}

std::optional<AddressBytes> parse_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) == 1) return mapped(v4);
  AddressBytes v6{};
  if (inet_pton(AF_INET6, terminated.data(), v6.data()) == 1) return v6;
  return std::nullopt;
}

std::string to_text(const AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(address)) {
    inet_ntop(AF_INET, address.data() + mapped_prefix_bytes, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

bool is_loopback(const AddressBytes& address) {
  static constexpr AddressBytes ipv6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return is_mapped(address) ? address[mapped_prefix_bytes] == 127 : address == ipv6;
}

AddressBytes share_key(const AddressBytes& address) {
  if (is_mapped(address)) return address;
  AddressBytes key = address;
  std::fill(key.begin() + 8, key.end(), std::uint8_t{0});
  return key;
}

bool is_in(const AddressBytes& address, const std::vector<config::Cidr>& ranges) {
  return std::ranges::any_of(ranges, [&](const config::Cidr& range) { return range.contains(address); });
}

ClientOrigin client_origin(const AddressBytes& peer, bool https, const http::RequestHead& head,
                           const std::vector<config::Cidr>& trusted) {
  ClientOrigin origin{peer, https};
  if (!is_in(peer, trusted)) return origin;
  if (const auto proto = head.find("x-forwarded-proto")) origin.https = http::equals_ignoring_case(*proto, "https");
  const auto fields = head.headers();
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (!http::equals_ignoring_case(field->name, "x-forwarded-for")) continue;
    for (std::string_view list = field->value; !list.empty();) {
      const std::optional<AddressBytes> address = parse_forwarded(take_last(list));
      // What cannot be read was not written by a proxy that can be trusted: the last one that was is the answer.
      if (!address) return origin;
      origin.address = *address;
      if (!is_in(*address, trusted)) return origin;
    }
  }
  return origin;
}

}  // namespace ringwall::session
