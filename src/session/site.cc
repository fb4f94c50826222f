#include <ringwall/config/route.h>
#include <ringwall/session/site.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace ringwall::session {

namespace {

constexpr std::size_t challenge_bytes_max = 4096;
constexpr std::size_t token_bytes_max = 255;
constexpr std::size_t shown_path_bytes_max = 256;

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string escape_url(std::string_view text) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || c == '-' || c == '.' ||
        c == '_' || c == '~') {
      escaped += c;
    } else {
      escaped += '%';
      escaped += hex[byte >> 4];
      escaped += hex[byte & 15];
    }
  }
  return escaped;
}

std::string web_socket_address(std::string_view place, bool secure) {
  return std::string(secure ? "wss://" : "ws://").append(place);
}

std::string apps_link(const std::string& address) { return "https://polkadot.js.org/apps/?rpc=" + escape_url(address); }

bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

// Of RFC 3986's path, what means nothing to HTML and to shells.
bool is_plain_path_character(char c) {
  return is_token_character(c) || std::string_view("/.~%:@+,=").find(c) != std::string_view::npos;
}

}  // namespace

std::string_view page_path(const config::Listener& listener, std::string_view sni, std::string_view path) {
  if (path == "/" || path.size() > shown_path_bytes_max || !path.starts_with('/')) return "";
  if (!std::ranges::all_of(path, is_plain_path_character)) return "";
  const config::Destination here = config::destination(listener, sni, path);
  const bool is_needed = here.mode == config::Mode::tunnel || here != config::destination(listener, sni, "/");
  return is_needed ? path : "";
}

std::string page_html(std::string_view place, bool secure, bool tunnel) {
  const std::string address = web_socket_address(place, secure);
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>Polkadot node endpoint</title>"
      "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}"
      "code{background:#8882;padding:.2em .4em;border-radius:4px}</style></head><body>\n";
  if (tunnel) {
    page += "<h1>Peer-to-peer endpoint of a Polkadot SDK node</h1>\n<p>Other nodes connect here by WebSocket: <code>" +
            escape_html(address) + "</code></p>\n";
  } else {
    page += "<h1>JSON-RPC endpoint of a Polkadot SDK node</h1>\n<p>Wallets and programs connect by WebSocket: <code>" +
            escape_html(address) + "</code></p>\n<p>Or send JSON-RPC with HTTP POST to this address.</p>\n" +
            "<p><a href=\"" + escape_html(apps_link(address)) + "\">Open it in Polkadot.js Apps</a></p>\n";
  }
  return page + "</body></html>\n";
}

std::string page_text(std::string_view place, bool secure, bool tunnel) {
  const std::string address = web_socket_address(place, secure);
  if (tunnel) return "Peer-to-peer endpoint of a Polkadot SDK node: connect by WebSocket to " + address + "\n";
  return "JSON-RPC endpoint of a Polkadot SDK node: connect by WebSocket to " + address +
         ", or send a POST with Content-Type: application/json\nPolkadot.js Apps: " + apps_link(address) + "\n";
}

bool accepts_html(const http::RequestHead& head) {
  return head.find("accept").value_or("").find("text/html") != std::string_view::npos;
}

std::optional<std::string> redirect_location(const http::RequestHead& head, std::string_view public_name,
                                             std::uint16_t https_port) {
  const std::string_view host = public_name.empty() ? http::host_without_port(head.host) : public_name;
  if (host.empty()) return std::nullopt;
  std::string location = std::string("https://").append(host);
  if (public_name.empty() && https_port != 443) location.append(":").append(std::to_string(https_port));
  location.append(head.path == "*" ? "/" : head.path);
  if (head.has_query) location.append("?").append(head.query);
  return location;
}

std::uint16_t https_port_of(std::span<const config::Listener> listeners, const config::Listener& redirect,
                            std::string_view host) {
  const std::uint16_t own = redirect.address.port;
  const std::string_view port = host.substr(http::host_without_port(host).size());
  const bool is_own = port == ":" + std::to_string(own) || (port.empty() && own == 80);
  const auto tls = std::ranges::find(listeners, config::ListenerKind::tls, &config::Listener::kind);
  return is_own && tls != listeners.end() ? tls->address.port : 443;
}

std::optional<std::string> read_acme_challenge(const std::string& webroot, std::string_view path) {
  if (webroot.empty() || !path.starts_with(acme_prefix)) return std::nullopt;
  const std::string_view token = path.substr(acme_prefix.size());
  if (token.empty() || token.size() > token_bytes_max || !std::ranges::all_of(token, is_token_character)) {
    return std::nullopt;
  }
  const std::string file = std::string(webroot).append(acme_prefix).append(token);
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (descriptor < 0) return std::nullopt;
  std::optional<std::string> text;
  std::array<char, challenge_bytes_max + 1> bytes;
  struct stat about{};
  // One byte more than may be is asked for, so that a file that is larger is known.
  if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode)) {
    const ssize_t count = read(descriptor, bytes.data(), bytes.size());
    const bool is_whole = count >= 0 && static_cast<std::size_t>(count) <= challenge_bytes_max;
    if (is_whole) text.emplace(bytes.data(), static_cast<std::size_t>(count));
  }
  close(descriptor);
  return text;
}

}  // namespace ringwall::session
