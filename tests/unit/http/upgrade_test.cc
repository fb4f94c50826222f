#include <ringwall/http/upgrade.h>

#include <array>
#include <string>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {
namespace {

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 section 1.3

constexpr Origin origin{.address = "::1", .proto = "https", .host_for_node = "localhost:9944"};

// `changed` replaces the line of the same name, or comes in addition.
std::string handshake(std::string_view changed = "", std::string_view line = "GET /ws?x HTTP/1.1") {
  std::string text = std::string(line) + "\r\n";
  const std::string_view name = changed.substr(0, changed.find(':') + 1);
  for (const std::string_view field : {"Host: example.com", "Upgrade: websocket", "Connection: Upgrade",
                                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}) {
    if (name.empty() || !field.starts_with(name)) text += std::string(field) + "\r\n";
  }
  return text + std::string(changed) + "\r\n";
}

int refused(const std::string& text) {
  const RequestHead head = request_of(text);
  const auto upgrade = check_upgrade(head);
  return upgrade ? 0 : upgrade.error().status;
}

std::string answer(std::string_view changed = "", std::string_view line = "HTTP/1.1 101 Switching Protocols") {
  std::string text = std::string(line) + "\r\n";
  const std::string_view name = changed.substr(0, changed.find(':') + 1);
  for (const std::string_view field :
       {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}) {
    if (name.empty() || !field.starts_with(name)) text += std::string(field) + "\r\n";
  }
  return text + std::string(changed) + "\r\n";
}

bool verified(const std::string& text, std::string_view protocols = "") {
  return verify_upgrade_response(answer_of(text), key, protocols).has_value();
}

}  // namespace

TEST_CASE("a handshake as RFC 6455 has it is accepted", "[http]") {
  const std::string text = handshake("Sec-WebSocket-Protocol: chat, superchat\r\n");
  const auto upgrade = check_upgrade(request_of(text));
  REQUIRE(upgrade);
  CHECK(upgrade->key == key);
  CHECK(upgrade->protocols == "chat, superchat");
  CHECK(check_upgrade(request_of(handshake()))->protocols.empty());
  CHECK(refused(handshake("Connection: keep-alive, UPGRADE\r\n")) == 0);
  CHECK(refused(handshake("Upgrade: WebSocket\r\n")) == 0);
  CHECK(refused(handshake("Content-Length: 0\r\n")) == 0);
  CHECK(refused(handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n")) == 0);
}

TEST_CASE("a handshake that lacks one thing is refused", "[http]") {
  CHECK(refused(handshake("", "POST / HTTP/1.1")) == 400);
  CHECK(refused(handshake("", "GET / HTTP/1.0")) == 400);
  CHECK(refused(handshake("Connection: keep-alive\r\n")) == 400);
  CHECK(refused(handshake("Connection:\r\n")) == 400);
  CHECK(refused(handshake("Upgrade: h2c\r\n")) == 400);
  CHECK(refused(handshake("Content-Length: 1\r\n")) == 400);
  CHECK(refused(handshake("Transfer-Encoding: chunked\r\n")) == 400);
}

TEST_CASE("versions other than 13 are answered 426", "[http]") {
  for (const char* version : {"12", "8", "013", "13, 8", ""}) {
    CAPTURE(version);
    CHECK(refused(handshake("Sec-WebSocket-Version: " + std::string(version) + "\r\n")) == 426);
  }
  CHECK(refused(handshake("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n")) == 400);
}

TEST_CASE("there is exactly one key, and it is 16 bytes in base64", "[http]") {
  for (const char* bad : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                          "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25jZQAA",
                          "dGhlIHNhbXBs*SBub25jZQ==", "dGhlIHNhbXBsZSBub25jZWE="}) {
    CAPTURE(bad);
    CHECK(refused(handshake("Sec-WebSocket-Key: " + std::string(bad) + "\r\n")) == 400);
  }
  const std::string line = "Sec-WebSocket-Key: " + std::string(key) + "\r\n";
  CHECK(refused(handshake(line + line)) == 400);
}

TEST_CASE("subprotocols are one bounded list of tokens", "[http]") {
  CHECK(refused(handshake("Sec-WebSocket-Protocol: a b\r\n")) == 400);
  CHECK(refused(handshake("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n")) == 400);
  const std::string name = "Sec-WebSocket-Protocol: ";
  CHECK(refused(handshake(name + std::string(websocket_protocols_bytes_max, 'a') + "\r\n")) == 0);
  CHECK(refused(handshake(name + std::string(websocket_protocols_bytes_max + 1, 'a') + "\r\n")) == 400);
}

TEST_CASE("the accept value is the one of RFC 6455", "[http]") {
  const WebSocketAccept value = accept_key(key);
  CHECK(std::string_view(value.data(), value.size()) == accept);
}

TEST_CASE("a key is its 16 bytes in base64", "[http]") {
  std::array<std::byte, 16> random;
  const std::string_view nonce = "the sample nonce";
  for (std::size_t index = 0; index < random.size(); ++index) random[index] = static_cast<std::byte>(nonce[index]);
  const WebSocketKey made = make_key(random);
  CHECK(std::string_view(made.data(), made.size()) == key);
}

TEST_CASE("the node is asked with our key, the client's subprotocols, and no extensions", "[http]") {
  const std::string text = handshake(
      "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\nOrigin: https://a\r\n"
      "X-Forwarded-For: 10.0.0.1\r\n");
  const RequestHead request = request_of(text);
  const auto upgrade = check_upgrade(request);
  REQUIRE(upgrade);
  constexpr std::string_view ours = "AAAAAAAAAAAAAAAAAAAAAA==";
  std::array<char, 1024> memory;
  const auto bytes = write_upgrade_request(memory, request, origin, ours, upgrade->protocols);
  REQUIRE(bytes);
  CHECK(std::string_view(memory.data(), *bytes) ==
        "GET /ws?x HTTP/1.1\r\nHost: localhost:9944\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: chat\r\n"
        "Origin: https://a\r\nForwarded: for=\"[::1]\";proto=https\r\nX-Forwarded-For: ::1\r\n"
        "X-Forwarded-Proto: https\r\nX-Real-IP: ::1\r\nVia: 1.1 ringwall\r\n\r\n");
  const RequestHead sent = request_of(std::string_view(memory.data(), *bytes));
  REQUIRE(check_upgrade(sent));
  CHECK(check_upgrade(sent)->key == ours);
}

TEST_CASE("an upgrade adds no more than the bound to the largest head", "[http]") {
  const std::string empty = handshake("Sec-WebSocket-Protocol: chat\r\nA: \r\n");
  const std::string fields =
      "Sec-WebSocket-Protocol: chat\r\nA: " + std::string(head_bytes_max - empty.size(), 'a') + "\r\n";
  const std::string large = handshake(fields);
  RequestHead head;
  REQUIRE(parse_request_head(large, head) == head_bytes_max);
  std::string memory(head_bytes_max + forward_bytes_added_max, '\0');
  CHECK(write_upgrade_request(memory, head, origin, key, "chat"));
}

TEST_CASE("a node's 101 with the right accept value is verified", "[http]") {
  CHECK(verified(answer()));
  CHECK(verified(answer("Upgrade: WebSocket\r\n")));
  CHECK(verified(answer("Connection: keep-alive, upgrade\r\n")));
}

TEST_CASE("a node's answer that lacks one thing is not a tunnel", "[http]") {
  CHECK_FALSE(verified(answer("", "HTTP/1.1 200 OK")));
  CHECK_FALSE(verified(answer("", "HTTP/1.1 429 Too Many Requests")));
  CHECK_FALSE(verified(answer("", "HTTP/1.0 101 Switching Protocols")));
  CHECK_FALSE(verified(answer("Upgrade: h2c\r\n")));
  CHECK_FALSE(verified(answer("Upgrade: websocket, h2c\r\n")));
  CHECK_FALSE(verified(answer("Upgrade: websocket\r\nUpgrade: websocket\r\n")));
  CHECK_FALSE(verified(answer("Connection: close\r\n")));
  CHECK_FALSE(verified(answer("Sec-WebSocket-Accept:\r\n")));
  CHECK_FALSE(verified(answer("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")));
  const std::string line = "Sec-WebSocket-Accept: " + std::string(accept) + "\r\n";
  CHECK_FALSE(verified(answer(line + line)));
  CHECK_FALSE(verified(answer("Sec-WebSocket-Extensions: permessage-deflate\r\n")));
}

TEST_CASE("a node may choose one of the offered subprotocols, by its exact name", "[http]") {
  const std::string chat = answer("Sec-WebSocket-Protocol: chat\r\n");
  const ResponseHead head = answer_of(chat);
  CHECK(verify_upgrade_response(head, key, "superchat, chat") == "chat");
  CHECK_FALSE(verified(chat, "superchat"));
  CHECK_FALSE(verified(chat, "Chat"));
  CHECK_FALSE(verified(chat));
  CHECK_FALSE(verified(answer("Sec-WebSocket-Protocol: chat, superchat\r\n"), "chat, superchat"));
  CHECK_FALSE(verified(answer("Sec-WebSocket-Protocol:\r\n"), "chat"));
  CHECK(verify_upgrade_response(answer_of(answer()), key, "chat") == "");
}

TEST_CASE("the client's 101 answers the client's own key", "[http]") {
  std::array<char, 256> memory;
  const auto bytes = write_101(memory, key, "chat");
  REQUIRE(bytes);
  const std::string text(memory.data(), *bytes);
  const ResponseHead head = answer_of(text);
  CHECK(verify_upgrade_response(head, key, "chat") == "chat");
  const auto plain = write_101(memory, key, "");
  REQUIRE(plain);
  CHECK(answer_of(std::string_view(memory.data(), *plain)).find("sec-websocket-protocol") == std::nullopt);
}

}  // namespace ringwall::http
