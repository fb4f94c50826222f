#include <ringwall/http/upgrade.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/sha.h>

#include <algorithm>
#include <cstdint>

#include <ringwall/check.h>

#include "copied_fields.h"

namespace ringwall::http {
namespace {

std::unexpected<Refusal> bad(std::string_view why) { return std::unexpected(Refusal{400, why}); }

bool is_base64_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// Base64 of 16 bytes: 22 characters and two of padding.
bool is_key(std::string_view key) {
  constexpr std::size_t characters = 22;
  return key.size() == std::tuple_size_v<WebSocketKey> && key.substr(characters) == "==" &&
         std::ranges::all_of(key.substr(0, characters), is_base64_char);
}

bool is_protocol_list(std::string_view list) {
  while (const auto protocol = take_list_member(list)) {
    if (!is_token(*protocol)) return false;
  }
  return true;
}

// Subprotocols, unlike tokens of HTTP, are told apart by case (RFC 6455 section 4.1).
bool was_offered(std::string_view offered, std::string_view protocol) {
  while (const auto one = take_list_member(offered)) {
    if (*one == protocol) return true;
  }
  return false;
}

template <std::size_t characters>
std::array<char, characters> to_base64(std::span<const std::uint8_t> bytes) {
  // wolfCrypt counts in 32 bits, and wants room for a NUL that it may write.
  std::array<byte, characters + 1> text{};
  word32 written = text.size();
  const int result = Base64_Encode_NoNl(bytes.data(), static_cast<word32>(bytes.size()), text.data(), &written);
  RINGWALL_CHECK(result == 0);
  RINGWALL_CHECK(written == characters);
  std::array<char, characters> base64;
  std::copy_n(text.begin(), characters, base64.begin());
  return base64;
}

bool is_ours_in_upgrade(std::string_view name) {
  return is_ours_in_request(name) || starts_ignoring_case(name, "sec-websocket-");
}

}  // namespace

std::expected<UpgradeRequest, Refusal> check_upgrade(const RequestHead& request) {
  const FieldList& fields = request.fields;
  if (request.method != Method::get) return bad("a WebSocket begins with GET");
  if (request.minor != 1) return bad("a WebSocket needs HTTP/1.1");
  if (!fields.lists("upgrade", "websocket")) return bad("Upgrade does not ask for websocket");
  if (!fields.lists("connection", "upgrade")) return bad("Upgrade is there, but Connection does not name it");
  if (request.framing == Framing::chunked || request.content_length > 0) {
    return bad("a request for a WebSocket has no body");
  }
  if (fields.count("sec-websocket-version") > 1) return bad("Sec-WebSocket-Version is there more than once");
  if (fields.find("sec-websocket-version") != "13") {
    return std::unexpected(Refusal{426, "Sec-WebSocket-Version is not 13, the only one spoken here"});
  }
  if (fields.count("sec-websocket-key") != 1) return bad("Sec-WebSocket-Key is missing or there more than once");
  const std::string_view key = *fields.find("sec-websocket-key");
  if (!is_key(key)) return bad("Sec-WebSocket-Key is not 16 bytes in base64");
  if (fields.count("sec-websocket-protocol") > 1) return bad("Sec-WebSocket-Protocol is there more than once");
  const std::string_view protocols = fields.find("sec-websocket-protocol").value_or("");
  if (protocols.size() > websocket_protocols_bytes_max) return bad("Sec-WebSocket-Protocol is over 256 bytes");
  if (!is_protocol_list(protocols)) return bad("Sec-WebSocket-Protocol is not a list of tokens");
  return UpgradeRequest{key, protocols};
}

WebSocketKey make_key(std::span<const std::byte, 16> random) {
  std::array<std::uint8_t, 16> bytes;
  std::ranges::transform(random, bytes.begin(), [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return to_base64<std::tuple_size_v<WebSocketKey>>(bytes);
}

WebSocketAccept accept_key(std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 section 1.3
  const auto* const bytes_of_key = reinterpret_cast<const byte*>(key.data());
  const auto* const bytes_of_guid = reinterpret_cast<const byte*>(guid.data());
  wc_Sha sha;
  std::array<std::uint8_t, WC_SHA_DIGEST_SIZE> digest;
  RINGWALL_CHECK(wc_InitSha(&sha) == 0);
  RINGWALL_CHECK(wc_ShaUpdate(&sha, bytes_of_key, static_cast<word32>(key.size())) == 0);
  RINGWALL_CHECK(wc_ShaUpdate(&sha, bytes_of_guid, static_cast<word32>(guid.size())) == 0);
  RINGWALL_CHECK(wc_ShaFinal(&sha, digest.data()) == 0);
  wc_ShaFree(&sha);
  return to_base64<std::tuple_size_v<WebSocketAccept>>(digest);
}

std::expected<std::size_t, WriteFault> write_upgrade_request(std::span<char> out, const RequestHead& request,
                                                             const Origin& origin, std::string_view key,
                                                             std::string_view protocols) {
  HeadWriter writer(out);
  writer.request_line("GET", request.path, request.has_query ? std::optional(request.query) : std::nullopt);
  writer.field("Host", origin.host_for_node);
  writer.field("Connection", "Upgrade").field("Upgrade", "websocket");
  writer.field("Sec-WebSocket-Version", "13").field("Sec-WebSocket-Key", key);
  if (!protocols.empty()) writer.field("Sec-WebSocket-Protocol", protocols);
  copy_fields(writer, request.fields, is_ours_in_upgrade);
  write_origin(writer, origin);
  return writer.end();
}

std::expected<std::string_view, std::string_view> verify_upgrade_response(const ResponseHead& response,
                                                                          std::string_view key,
                                                                          std::string_view protocols) {
  const FieldList& fields = response.fields;
  if (response.status != 101) return std::unexpected("the status is not 101");
  if (response.minor != 1) return std::unexpected("101 in HTTP/1.0, which cannot switch");
  const auto upgrade = fields.find("upgrade");
  if (fields.count("upgrade") != 1 || !equals_ignoring_case(*upgrade, "websocket")) {
    return std::unexpected("101 without Upgrade: websocket");
  }
  if (!fields.lists("connection", "upgrade")) return std::unexpected("101 without Connection: upgrade");
  const WebSocketAccept accept = accept_key(key);
  if (fields.count("sec-websocket-accept") != 1 ||
      *fields.find("sec-websocket-accept") != std::string_view(accept.data(), accept.size())) {
    return std::unexpected("Sec-WebSocket-Accept does not answer the key that was sent");
  }
  if (fields.count("sec-websocket-extensions") > 0) return std::unexpected("an extension that was not offered");
  const auto protocol = fields.find("sec-websocket-protocol");
  if (!protocol) return std::string_view();
  if (fields.count("sec-websocket-protocol") > 1 || !was_offered(protocols, *protocol)) {
    return std::unexpected("a subprotocol that was not offered");
  }
  return *protocol;
}

std::expected<std::size_t, WriteFault> write_101(std::span<char> out, std::string_view key, std::string_view protocol) {
  const WebSocketAccept accept = accept_key(key);
  HeadWriter writer(out);
  writer.status_line(101).field("Upgrade", "websocket").field("Connection", "Upgrade");
  writer.field("Sec-WebSocket-Accept", std::string_view(accept.data(), accept.size()));
  if (!protocol.empty()) writer.field("Sec-WebSocket-Protocol", protocol);
  return writer.end();
}

}  // namespace ringwall::http
