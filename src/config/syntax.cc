#include <ringwall/config/syntax.h>

#include <algorithm>
#include <utility>

#include <ringwall/config/address.h>
#include <ringwall/config/units.h>

namespace ringwall::config {
namespace {

constexpr std::size_t path_bytes_max = 4'095;  // PATH_MAX less its NUL.
constexpr std::size_t account_bytes_max = 32;  // useradd(8).
constexpr std::size_t upstream_name_bytes_max = 64;
constexpr std::size_t pattern_bytes_max = 1'024;
constexpr std::size_t method_bytes_max = 256;
constexpr std::uint64_t cost_units_max = 1'000'000;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || is_letter(c); }

bool is_word_character(char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; }

std::optional<std::string> normalise_file(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.size() > path_bytes_max || std::ranges::any_of(text, control)) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> normalise_account(std::string_view text) {
  if (text.size() > account_bytes_max || !std::ranges::all_of(text, is_word_character) || text.starts_with('-')) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> normalise_upstream_name(std::string_view text) {
  if (text.size() > upstream_name_bytes_max || !std::ranges::all_of(text, is_word_character)) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> normalise_sni(std::string_view text) {
  return text.empty() ? std::optional(std::string()) : parse_dns_pattern(text);
}

std::optional<std::string> normalise_path(std::string_view text) {
  if (text.empty()) {
    return std::string();
  }
  const std::string_view body = text.ends_with('*') ? text.substr(0, text.size() - 1) : text;
  const auto allowed = [](char c) { return c > 0x20 && c < 0x7f && c != '*' && c != '?' && c != '#'; };
  if (text.size() > pattern_bytes_max || !body.starts_with('/') || !std::ranges::all_of(body, allowed)) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> normalise_public_host(std::string_view text) {
  if (text.empty()) {
    return std::string();
  }
  if (const std::optional<Endpoint> endpoint = parse_peer_address(text)) {
    return to_text(*endpoint);
  }
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::optional<std::string> ip = parse_ip(text.substr(1, text.size() - 2));
    return ip && ip->find(':') != ip->npos ? std::optional("[" + *ip + "]") : std::nullopt;
  }
  const std::optional<std::string> ip = parse_ip(text);
  if (ip) {
    return ip->find(':') == ip->npos ? ip : std::nullopt;
  }
  return parse_dns_name(text);
}

// In lower case, without the port that the scheme implies: as browsers write it (RFC 6454 section 6.1).
std::optional<std::string> normalise_origin(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (text.size() > pattern_bytes_max || colon == text.npos || colon == 0 || !is_letter(text.front())) {
    return std::nullopt;
  }
  std::string scheme(text.substr(0, colon));
  if (!std::ranges::all_of(scheme, [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; })) {
    return std::nullopt;
  }
  std::ranges::transform(scheme, scheme.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  std::optional<std::string> host = normalise_public_host(text.substr(colon + 3));
  if (!host || host->empty()) {
    return std::nullopt;
  }
  for (const auto& [name, port] : {std::pair("https", ":443"), std::pair("http", ":80")}) {
    if (scheme == name && host->ends_with(port)) {
      host->erase(host->size() - std::string_view(port).size());
    }
  }
  return scheme + "://" + *host;
}

std::optional<std::string> normalise_served_name(std::string_view text) {
  const std::optional<std::string> ip = parse_ip(text);
  return ip ? ip : parse_dns_pattern(text);
}

std::optional<std::string> normalise_method(std::string_view text) {
  const std::string_view name = text.ends_with('*') ? text.substr(0, text.size() - 1) : text;
  const auto allowed = [](char c) { return is_word_character(c) || c == ':' || c == '/'; };
  if (text.empty() || text.size() > method_bytes_max || !std::ranges::all_of(name, allowed)) {
    return std::nullopt;
  }
  return std::string(text);
}

std::optional<std::string> normalise_cost(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::optional<std::string> name = normalise_method(text.substr(0, equals));
  const std::optional<std::uint64_t> units =
      equals < text.size() ? parse_number(text.substr(equals + 1), Unit::none) : std::nullopt;
  return name && units && *units <= cost_units_max ? std::optional(std::string(text)) : std::nullopt;
}

}  // namespace

const Syntax file_path{normalise_file, "a path of up to 4095 bytes without control characters"};
const Syntax account_name{normalise_account, "an account name such as ringwall"};
const Syntax upstream_name{normalise_upstream_name, "a name of up to 64 letters, digits, '.', '_' and '-'"};
const Syntax sni_pattern{normalise_sni, "a host name such as rpc.example.com, or *.example.com"};
const Syntax path_pattern{normalise_path, "a path such as /ws, or /ws* for all that begin with /ws"};
const Syntax public_host{normalise_public_host, "HOST or HOST:PORT such as rpc.example.com"};
const Syntax web_origin{normalise_origin, "SCHEME://HOST or SCHEME://HOST:PORT such as https://polkadot.js.org"};
const Syntax method_pattern{normalise_method, "a method such as chain_getBlock, or eth_* for all that begin with eth_"};
const Syntax method_cost{normalise_cost, "METHOD=UNITS such as state_getMetadata=100, or eth_*=10"};
const Syntax served_name{normalise_served_name, "a host name or an address such as rpc.example.com or 127.0.0.1"};

}  // namespace ringwall::config
