#include <ringwall/http/proxy_protocol.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace ringwall::http {

namespace {

using Parsed = std::expected<std::size_t, std::string_view>;

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_bytes = 16;  // signature, version and command, family and protocol, length
constexpr std::size_t mapped_prefix_bytes = 12;
constexpr std::size_t port_bytes = 2;
constexpr std::size_t tlv_head_bytes = 3;  // type, length

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// `bytes`: 4 or 16 of them, in network order.
std::array<std::uint8_t, 16> to_address(std::string_view bytes) {
  std::array<std::uint8_t, 16> address{};
  if (bytes.size() == sizeof(in_addr)) address[10] = address[11] = 0xff;
  std::memcpy(address.data() + (bytes.size() == sizeof(in_addr) ? mapped_prefix_bytes : 0), bytes.data(), bytes.size());
  return address;
}

// Version 1 ---------------------------------------------------------------------------------------------------------

// What is before the next space, and the text without it and the space.
std::string_view take_word(std::string_view& text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return word;
}

std::optional<std::array<std::uint8_t, 16>> read_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  std::array<char, sizeof(in6_addr)> bytes{};
  // It takes no leading zeros in IPv4, and no zone in IPv6.
  if (inet_pton(family, terminated.data(), bytes.data()) != 1) return std::nullopt;
  return to_address({bytes.data(), family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr)});
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port <= UINT16_MAX ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

// `rest` is what the line says after "PROXY ".
std::string_view read_line(std::string_view rest, std::optional<ProxySource>& source) {
  // Whatever follows this word is to be ignored.
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) return "";
  const std::string_view protocol = take_word(rest);
  if (protocol != "TCP4" && protocol != "TCP6") return "the PROXY line is neither TCP4, TCP6 nor UNKNOWN";
  if (std::ranges::count(rest, ' ') != 3) return "the PROXY line is not two addresses and two ports";
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const auto address = read_address(family, take_word(rest));
  if (!address || !read_address(family, take_word(rest))) return "an address in the PROXY line is not of its family";
  const auto port = read_port(take_word(rest));
  if (!port || !read_port(take_word(rest))) return "a port in the PROXY line is not a number up to 65535";
  source = {*address, *port};
  return "";
}

Parsed parse_line(std::string_view bytes, std::optional<ProxySource>& source) {
  constexpr std::size_t text_bytes_max = proxy_line_bytes_max - line_end.size();
  const std::string_view seen = bytes.substr(0, text_bytes_max + 1);
  const auto stop = std::ranges::find_if(seen, [](char c) { return c < 0x20 || c > 0x7e; });
  const auto end = static_cast<std::size_t>(stop - seen.begin());
  if (end > text_bytes_max) return std::unexpected("the PROXY line is longer than 107 bytes");
  if (end == bytes.size()) return 0;
  if (bytes[end] != '\r') return std::unexpected("the PROXY line holds what is not printable ASCII");
  if (end + 1 == bytes.size()) return 0;
  if (bytes[end + 1] != '\n') return std::unexpected("the PROXY line ends with CR and no LF");
  const std::string_view wrong = read_line(bytes.substr(line_start.size(), end - line_start.size()), source);
  if (!wrong.empty()) return std::unexpected(wrong);
  return end + line_end.size();
}

// Version 2 ---------------------------------------------------------------------------------------------------------

// Of both addresses and ports; none: no such family and protocol.
std::optional<std::size_t> address_block_bytes(unsigned family_and_protocol) {
  switch (family_and_protocol) {
    case 0x00:  // UNSPEC
      return 0;
    case 0x11:  // TCP and UDP over IPv4
    case 0x12:
      return 2 * (sizeof(in_addr) + port_bytes);
    case 0x21:  // and over IPv6
    case 0x22:
      return 2 * (sizeof(in6_addr) + port_bytes);
    case 0x31:  // UNIX, of both kinds
    case 0x32:
      return 2 * 108;
    default:
      return std::nullopt;
  }
}

bool are_whole_tlvs(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < tlv_head_bytes) return false;
    const std::size_t tlv_bytes = tlv_head_bytes + number_at(bytes, 1);
    if (bytes.size() < tlv_bytes) return false;
    bytes.remove_prefix(tlv_bytes);
  }
  return true;
}

Parsed parse_binary(std::string_view bytes, std::optional<ProxySource>& source) {
  if (bytes.size() > 12 && byte_at(bytes, 12) != 0x20 && byte_at(bytes, 12) != 0x21) {
    return std::unexpected("the PROXY header is not of version 2, or its command is neither LOCAL nor PROXY");
  }
  if (bytes.size() < fixed_bytes) return 0;
  const std::size_t header_bytes = fixed_bytes + number_at(bytes, 14);
  if (header_bytes > proxy_header_bytes_max) return std::unexpected("the PROXY header is longer than 4096 bytes");
  if (bytes.size() < header_bytes) return 0;
  // A balancer that speaks for itself may fill in anything: it is to be ignored.
  if (byte_at(bytes, 12) == 0x20) return header_bytes;
  const unsigned family_and_protocol = byte_at(bytes, 13);
  const std::optional<std::size_t> block_bytes = address_block_bytes(family_and_protocol);
  if (!block_bytes) return std::unexpected("the PROXY header names an unknown address family or protocol");
  const std::string_view block = bytes.substr(fixed_bytes, header_bytes - fixed_bytes);
  if (block.size() < *block_bytes) return std::unexpected("the PROXY header is too short for its addresses");
  // How long the addresses of an unspecified family are, nobody knows.
  if (*block_bytes > 0 && !are_whole_tlvs(block.substr(*block_bytes))) {
    return std::unexpected("the PROXY header ends in the middle of a TLV");
  }
  if (family_and_protocol == 0x11 || family_and_protocol == 0x21) {
    const std::size_t address_bytes = *block_bytes / 2 - port_bytes;
    source = {to_address(block.substr(0, address_bytes)), number_at(block, 2 * address_bytes)};
  }
  return header_bytes;
}

}  // namespace

Parsed parse_proxy_header(std::string_view bytes, std::optional<ProxySource>& source) {
  source.reset();
  if (bytes.empty()) return 0;
  const std::string_view start = bytes.front() == signature.front() ? signature : line_start;
  if (bytes.substr(0, start.size()) != start.substr(0, bytes.size())) {
    return std::unexpected("there is no PROXY header");
  }
  if (bytes.size() < start.size()) return 0;
  return start == line_start ? parse_line(bytes, source) : parse_binary(bytes, source);
}

}  // namespace ringwall::http
