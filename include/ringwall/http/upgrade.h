// upgrade.h: the WebSocket opening handshake, on both sides.
//
// Towards the client Ringwall is the server: check_upgrade, then write_101. Towards the node it is a client of its own,
// with its own key: write_upgrade_request, then verify_upgrade_response. A tunnel starts only after the latter.
// Extensions are neither offered nor accepted; subprotocols pass through. Views point into the heads given.
// Source: RFC 6455 sections 4.1 to 4.4, RFC 9110 section 7.8.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <span>
#include <string_view>

#include <ringwall/http/forward.h>
#include <ringwall/http/head.h>
#include <ringwall/http/writer.h>

namespace ringwall::http {

struct UpgradeRequest {
  std::string_view key;        // 24 characters
  std::string_view protocols;  // the comma list as sent, at most websocket_protocols_bytes_max; empty: none
};

// 400, or 426 when the version is not 13.
[[nodiscard]] std::expected<UpgradeRequest, Refusal> check_upgrade(const RequestHead& request);

using WebSocketKey = std::array<char, 24>;
using WebSocketAccept = std::array<char, 28>;

// Base64 of 16 random bytes.
[[nodiscard]] WebSocketKey make_key(std::span<const std::byte, 16> random);

// What Sec-WebSocket-Accept must say for that key.
[[nodiscard]] WebSocketAccept accept_key(std::string_view key);

// The client's request, for the node: its path, its fields, our key.
[[nodiscard]] std::expected<std::size_t, WriteFault> write_upgrade_request(std::span<char> out,
                                                                           const RequestHead& request,
                                                                           const Origin& origin, std::string_view key,
                                                                           std::string_view protocols);

// The chosen subprotocol (empty: none), or what is wrong with the answer.
[[nodiscard]] std::expected<std::string_view, std::string_view> verify_upgrade_response(const ResponseHead& response,
                                                                                        std::string_view key,
                                                                                        std::string_view protocols);

// 101 for the client whose key this is.
[[nodiscard]] std::expected<std::size_t, WriteFault> write_101(std::span<char> out, std::string_view key,
                                                               std::string_view protocol);

}  // namespace ringwall::http
