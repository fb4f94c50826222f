// site.h: the little that Ringwall itself says over HTTP: the page for people, the redirect, ACME's challenge files.
//
// Texts and a file read; no connection. What a client sends is escaped before it stands in a page.
// Source: RFC 8555 section 8.3 (http-01: the token is base64url, the file is small).
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/http/head.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringwall::session {

// The page that a person's browser gets for a plain GET: what this is, its address, a Polkadot.js Apps link.
// `place` is host or host:port as the client knows it, and page_path(); `secure`: wss, else ws.
[[nodiscard]] std::string page_html(std::string_view place, bool secure, bool tunnel);
// The same for programs.
[[nodiscard]] std::string page_text(std::string_view place, bool secure, bool tunnel);

// What a page's address needs of the request's path: all of it for a tunnel, and where "/" leads elsewhere; else, and
// of a path that is long or has unusual characters, nothing.
[[nodiscard]] std::string_view page_path(const config::Listener& listener, std::string_view sni, std::string_view path);

[[nodiscard]] bool accepts_html(const http::RequestHead& head);

// The Location on https for a request on the plain port; nothing when the request names no host.
[[nodiscard]] std::optional<std::string> redirect_location(const http::RequestHead& head, std::string_view public_name,
                                                           std::uint16_t https_port = 443);

// Where https is for who came to `redirect` as `host`: the port of the first TLS listener. 443 where `host` names
// another port than the listener's own: then ports are mapped on the way here.
[[nodiscard]] std::uint16_t https_port_of(std::span<const config::Listener> listeners, const config::Listener& redirect,
                                          std::string_view host);

inline constexpr std::string_view acme_prefix = "/.well-known/acme-challenge/";

// The challenge file that `path` names below `webroot`; nothing when there is none or the name is not a token.
[[nodiscard]] std::optional<std::string> read_acme_challenge(const std::string& webroot, std::string_view path);

}  // namespace ringwall::session
