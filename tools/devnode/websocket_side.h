// websocket_side.h: a client that has become a WebSocket: messages in, answers and notifications out.
//
// Owner: its Client. Answers to text and to binary are text, as a node's are.
#pragma once

#include <ringwall/websocket/client_messages.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "devnode/node.h"
#include "devnode/sink.h"
#include "devnode/subscriptions.h"

namespace ringwall::devnode {

class Client;

class WebSocketSide final : public Sink {
 public:
  WebSocketSide(Client& client, Node& node);
  WebSocketSide(const WebSocketSide&) = delete;
  WebSocketSide& operator=(const WebSocketSide&) = delete;

  // Takes what belongs to one event.
  void consume(std::span<const std::byte>& in);

  void send(Reply message) override;
  bool has_room() override;
  void on_room() { subscriptions_.on_room(); }
  void on_block(const BlockNews& news) { subscriptions_.on_block(news); }

  void close(websocket::CloseCode code, std::string_view reason);

  // No more pings or notifications.
  void stop();

 private:
  void on_message(std::span<const std::byte> payload);
  void end(websocket::CloseCode code, std::string_view reason);
  void on_ping_due();

  Client& client_;
  Node& node_;
  Permit permit_{node_};
  websocket::ClientMessages messages_;
  Subscriptions subscriptions_;
  unsigned silent_checks_ = 0;
  ring::TimerOf<WebSocketSide, &WebSocketSide::on_ping_due> ping_timer_{*this};
};

}  // namespace ringwall::devnode
