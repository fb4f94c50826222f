#include "load/target.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <optional>
#include <span>

#include "load/json_text.h"

namespace ringwall::load {

namespace {

struct Scheme {
  std::string_view prefix;
  bool tls, post;
  std::uint16_t port;
};
constexpr std::array<Scheme, 4> schemes{{{"ws://", false, false, 80},
                                         {"wss://", true, false, 443},
                                         {"http://", false, true, 80},
                                         {"https://", true, true, 443}}};

std::unexpected<Error> wrong_url(std::string_view url, std::string_view found, std::string_view right) {
  return fail(fmt::format("the URL \"{}\" {}: expected {}", excerpt(url), found, right));
}

const Scheme* scheme_of(std::string_view url) {
  const auto begins = [url](const Scheme& scheme) {
    return url.size() > scheme.prefix.size() &&
           std::ranges::equal(url.substr(0, scheme.prefix.size()), scheme.prefix, [](char left, char right) {
             return std::tolower(static_cast<unsigned char>(left)) == right;
           });
  };
  const auto found = std::ranges::find_if(schemes, begins);
  return found == schemes.end() ? nullptr : &*found;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What stands before the path: HOST, HOST:PORT, [IPv6], [IPv6]:PORT.
Result<void> parse_authority(std::string_view url, std::string_view authority, Target& target) {
  if (authority.find('@') != std::string_view::npos) {
    return wrong_url(url, "has a user in it", "none; --header 'Authorization: …' sends what an endpoint asks for");
  }
  std::size_t host_end = std::min(authority.find(':'), authority.size());
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return wrong_url(url, "has a [ and no ]", "an IPv6 address as [::1]");
    target.host = authority.substr(1, bracket - 1);
    in6_addr address;
    if (inet_pton(AF_INET6, target.host.c_str(), &address) != 1) {
      return wrong_url(url, "has brackets around what is no IPv6 address", "one such as [::1]");
    }
    host_end = bracket + 1;
  } else {
    target.host = authority.substr(0, host_end);
  }
  if (target.host.empty()) return wrong_url(url, "has no host", "one such as wss://rpc.example.com");
  const std::string_view rest = authority.substr(host_end);
  if (rest.empty()) return {};
  const auto port = rest[0] == ':' ? whole_number<std::uint16_t>(rest.substr(1)) : std::nullopt;
  if (!port || *port == 0) {
    return wrong_url(url, fmt::format("has \"{}\" after its host", excerpt(rest)),
                     "a port such as :9944, from 1 to 65535");
  }
  target.port = *port;
  return {};
}

std::optional<ring::SocketAddress> literal(const std::string& text) {
  ring::SocketAddress address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(address.get());
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(address.get());
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    address.bytes = sizeof *v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    address.bytes = sizeof *v6;
  } else {
    return std::nullopt;
  }
  return address;
}

std::span<unsigned char> octets(ring::SocketAddress& address) {
  if (address.get()->sa_family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in*>(address.get())->sin_addr;
    return {reinterpret_cast<unsigned char*>(&v4), sizeof v4};
  }
  auto& v6 = reinterpret_cast<sockaddr_in6*>(address.get())->sin6_addr;
  return {reinterpret_cast<unsigned char*>(&v6), sizeof v6};
}

// The last 32 bits are enough for the bounded networks that are taken.
std::uint32_t last_word(std::span<const unsigned char> bytes) {
  const auto last = bytes.last(4);
  return std::uint32_t{last[0]} << 24 | std::uint32_t{last[1]} << 16 | std::uint32_t{last[2]} << 8 | last[3];
}

void set_last_word(std::span<unsigned char> bytes, std::uint32_t word) {
  const auto last = bytes.last(4);
  for (unsigned at = 0; at < 4; ++at) last[at] = static_cast<unsigned char>(word >> (24 - 8 * at));
}

Result<std::vector<ring::SocketAddress>> network(std::string_view text, std::size_t slash) {
  auto base = literal(std::string(text.substr(0, slash)));
  const auto bits = whole_number<unsigned>(text.substr(slash + 1));
  const unsigned bits_max = base ? static_cast<unsigned>(octets(*base).size()) * 8 : 0;
  if (!base || !bits || *bits > bits_max || bits_max - *bits > 16) {
    return fail(
        fmt::format("--source: found \"{}\", expected a network of at most {} addresses such as 127.0.0.0/24 "
                    "or 127.1.0.0/16",
                    excerpt(text), sources_max));
  }
  const std::uint32_t size = 1U << (bits_max - *bits);
  const std::uint32_t first = last_word(octets(*base)) & ~(size - 1);
  const bool has_ends = size > 2;  // The first names the network, the last is its broadcast address.
  std::vector<ring::SocketAddress> sources;
  for (std::uint32_t at = has_ends ? 1 : 0; at < size - (has_ends ? 1 : 0); ++at) {
    set_last_word(octets(*base), first + at);
    sources.push_back(*base);
  }
  return sources;
}

}  // namespace

Result<Target> parse_url(std::string_view url) {
  const auto is_plain = [](char byte) { return byte > 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; };
  if (!std::ranges::all_of(url, is_plain)) {
    return wrong_url(url, "has spaces or other characters that no URL has", "those written as %20 and the like");
  }
  const Scheme* scheme = scheme_of(url);
  if (scheme == nullptr) {
    return wrong_url(url, "does not begin with a scheme and a host",
                     "ws://HOST, wss://HOST, or http://HOST, https://HOST for POST");
  }
  Target target;
  target.url = url;
  target.tls = scheme->tls;
  target.post = scheme->post;
  target.port = scheme->port;
  const std::string_view rest = url.substr(scheme->prefix.size());
  if (rest.find('#') != std::string_view::npos) return wrong_url(url, "has a fragment (#)", "none");
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (auto parsed = parse_authority(url, rest.substr(0, end), target); !parsed) {
    return std::unexpected(parsed.error());
  }
  const std::string_view path = rest.substr(end);
  target.path = path.starts_with('/') ? path : "/" + std::string(path);
  return target;
}

Result<void> resolve(Target& target, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &list);
  if (error != 0) {
    const char* const only = family == AF_INET    ? " as IPv4, which --source is of"
                             : family == AF_INET6 ? " as IPv6, which --source is of"
                                                  : "";
    return fail(
        fmt::format("the host \"{}\" was not found{} ({}): expected a name that DNS or /etc/hosts knows, or an address",
                    excerpt(target.host), only, error == EAI_SYSTEM ? errno_text(errno) : gai_strerror(error)));
  }
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    ring::SocketAddress& address = target.addresses.emplace_back();
    std::copy_n(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen, reinterpret_cast<char*>(address.get()));
    address.bytes = at->ai_addrlen;
  }
  freeaddrinfo(list);
  return {};
}

Result<std::vector<ring::SocketAddress>> parse_sources(std::string_view text) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) return network(text, slash);
  std::vector<ring::SocketAddress> sources;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const auto source = literal(std::string(rest.substr(0, comma)));
    if (!source) {
      return fail(
          fmt::format("--source: found \"{}\", expected an address, several with commas between, or a network such "
                      "as 127.0.0.0/24",
                      excerpt(rest.substr(0, comma))));
    }
    if (!sources.empty() && source->get()->sa_family != sources[0].get()->sa_family) {
      return fail(
          fmt::format("--source: found IPv4 and IPv6 in \"{}\", expected addresses of one family", excerpt(text)));
    }
    sources.push_back(*source);
    if (sources.size() > sources_max) return fail(fmt::format("--source: expected at most {} addresses", sources_max));
    if (comma == std::string_view::npos) return sources;
    rest.remove_prefix(comma + 1);
  }
}

Result<void> check_sources(const std::vector<ring::SocketAddress>& sources) {
  for (const ring::SocketAddress* source : {&sources.front(), &sources.back()}) {
    const int socket_ = socket(source->get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int bound = socket_ < 0 ? -1 : bind(socket_, source->get(), source->bytes);
    const int error = errno;
    if (socket_ >= 0) close(socket_);
    if (bound != 0) {
      std::string text = address_text(*source);
      text.resize(text.rfind(':'));
      return fail(fmt::format("--source: {} cannot be used ({}): expected an address of this machine (ip address show)",
                              text, errno_text(error)));
    }
  }
  return {};
}

std::string address_text(const ring::SocketAddress& address) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (address.get()->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address.get());
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, ntohs(v6->sin6_port));
  }
  const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address.get());
  inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
  return fmt::format("{}:{}", host, ntohs(v4->sin_port));
}

}  // namespace ringwall::load
