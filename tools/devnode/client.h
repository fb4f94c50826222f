// client.h: one TCP connection to the dev node: HTTP first, a WebSocket if it asks for one.
//
// Input is read in order, and only while what is to be sent is below a bound; the rest is held and the connection's
// receive paused. Owner: the server's list; ends by itself and then leaves that list. Thread: the server's.
#pragma once

#include <ringwall/connection/connection.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "devnode/http_side.h"
#include "devnode/node.h"
#include "devnode/reply.h"
#include "devnode/websocket_side.h"

namespace ringwall::devnode {

class Client;

// The server, as its clients know it.
class ClientHost {
 public:
  // on_room() follows as soon as the client has room.
  virtual void wait_for_room(Client& client) = 0;
  virtual void remove(Client& client) = 0;

 protected:
  ~ClientHost() = default;
};

class Client final : public connection::Owner {
 public:
  Client(ClientHost& host, Node& node, connection::Resources& resources, std::uint16_t port);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  void adopt(int socket) { connection_.adopt(socket, nullptr); }

  void send(std::span<const std::byte> head, Reply body);

  // Whether little enough waits to be sent; if not, on_room() follows.
  [[nodiscard]] bool has_room();
  void on_room();

  void on_block(const BlockNews& news);

  // From now on this is a WebSocket, which has been told so.
  void become_websocket();

  // Nothing more is read; what was sent goes out, and then the connection ends.
  void finish();
  void abort() { connection_.abort(); }

  // The program ends: says so to a WebSocket, and finishes.
  void leave();

  [[nodiscard]] std::uint64_t last_heard_ns() const { return last_heard_ns_; }

  void on_received(connection::Connection&, ring::Slice bytes) override;
  void on_ended(connection::Connection&, connection::End) override;
  void on_failed(connection::Connection&, connection::Failure) override {}  // on_closed() follows
  void on_closed(connection::Connection&) override;

 private:
  [[nodiscard]] std::size_t bytes_waiting() const { return bytes_queued_ - connection_.bytes_sent(); }
  void consume(std::span<const std::byte>& in);

  ClientHost& host_;
  Node& node_;
  connection::Connection connection_;
  HttpSide http_;
  std::unique_ptr<WebSocketSide> websocket_;
  std::vector<std::byte> held_;  // input that waits for room
  std::uint64_t bytes_queued_ = 0;
  std::uint64_t last_heard_ns_;
  bool waits_for_room_ = false;
  bool has_ended_ = false;  // the peer's direction
  bool is_finishing_ = false;
};

}  // namespace ringwall::devnode
