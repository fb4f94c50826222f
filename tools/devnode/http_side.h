// http_side.h: a client as long as it speaks HTTP: POST, health, preflights, and the way to a WebSocket.
//
// Owner: its Client. Heads are judged when they are whole, answered when the body is.
// Source: jsonrpsee's http transport for statuses and texts, sc-rpc-server's node_health.
#pragma once

#include <ringwall/http/body.h>
#include <ringwall/http/head.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "devnode/node.h"
#include "devnode/reply.h"

namespace ringwall::devnode {

class Client;

class HttpSide {
 public:
  // `port` is the one that Host must name.
  HttpSide(Client& client, Node& node, std::uint16_t port) : client_(client), node_(node), port_(port) {}

  // Takes what belongs to one head, piece of body or request.
  void consume(std::span<const std::byte>& in);

 private:
  // What a request is to be answered with.
  enum class Kind { rpc, health, readiness, preflight, wrong_method, wrong_type, wrong_host, wrong_upgrade, busy };

  void read_head(std::string_view& in);
  void read_body(std::string_view& in);
  void begin_request(const http::RequestHead& head);
  [[nodiscard]] Kind judge(const http::RequestHead& head) const;
  void upgrade(const http::RequestHead& head);
  void refuse(const http::Refusal& refusal);
  void answer();
  void answer_rpc();
  void answer_with(int status, std::string_view content_type, Reply body);

  Client& client_;
  Node& node_;
  const std::uint16_t port_;
  std::string head_;  // the part of a head that has come, when it was not all of it
  std::string body_;
  std::string origin_;
  std::string_view wrong_upgrade_;  // what is wrong with it
  http::BodyReader body_reader_;
  std::optional<Permit> permit_;
  Kind kind_ = Kind::rpc;
  bool in_body_ = false;
  bool keep_alive_ = false;
  bool is_http_1_0_ = false;
  bool is_head_request_ = false;
};

}  // namespace ringwall::devnode
