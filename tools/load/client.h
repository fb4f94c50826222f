// client.h: one client of the endpoint: connects, upgrades, reads what comes, and ends in order.
//
// What it does once it is open is its kind's (CallClient, HandshakeClient, …). Whatever ends its connection before it
// leaves by itself is one Trouble. Ended, it may start again: it is listed in Lane::closed. Owner: a Worker, on its
// thread; handlers come from the ring.
//
// Over WebSocket (ws, wss) messages are text frames of the endpoint; over POST (http, https) each is a request and its
// answer, one at a time. What comes is read by the strict codecs of http/ and websocket/: what they refuse is
// Trouble::protocol and ends the connection. So is a message that is not UTF-8. Whether its frames are text or binary
// is not looked at: nodes send text, and JSON is JSON.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/http/body.h>
#include <ringwall/http/upgrade.h>
#include <ringwall/session/answer_reader.h>
#include <ringwall/websocket/node_frames.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "load/lane.h"
#include "load/utf8_stream.h"

namespace ringwall::load {

class Client : public connection::Owner, private websocket::MessageTap {
 public:
  // `number` is counted over all workers; it chooses addresses.
  Client(Lane& lane, Group& group, std::uint64_t number);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() = default;

  void start();  // while is_idle()
  void leave();  // in order
  void abort();  // a reset

  [[nodiscard]] bool is_idle() const { return state_ == State::idle; }
  [[nodiscard]] bool is_open() const { return state_ == State::open; }
  [[nodiscard]] bool is_hostile() const { return &group_ == &lane_.hostile; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  // Asked before start(); false: it never will again.
  [[nodiscard]] virtual bool may_start() { return true; }
  // After it has ended: when it is to start again; never_ns: not at all.
  [[nodiscard]] virtual std::uint64_t again_at_ns() const;

 protected:
  // A message, as rpc::classify_answer() wants it: `tail` is empty where `head` is all.
  struct Message {
    std::string_view head, tail;
    std::uint64_t bytes = 0;
  };

  // TCP and TLS are there: asks for the upgrade (POST: is open).
  virtual void on_way();
  // Between start() and on_open(), when the time is up that was set last.
  virtual void on_way_timer();
  // What comes until then.
  virtual void read_on_way(std::span<const std::byte>& in);
  virtual void on_open() = 0;
  virtual void on_message(const Message& message) = 0;
  // POST: an answer with another status than 200, instead of on_message().
  virtual void on_bad_status(std::string_view text);
  virtual void on_end() {}    // it is, or will be, open no longer: what was in flight is lost
  virtual void on_timer() {}  // as set by wake_at()
  virtual void on_room() {}   // all that was sent has left

  // With on_way() of its own: what comes from here on is the answer to a request that asks for an upgrade.
  void expect_upgrade() { state_ = State::upgrading; }
  void write_upgrade(std::string& out);
  [[nodiscard]] const std::string& server_name() const;
  // A JSON-RPC message; several of one turn leave as one.
  void say(std::string_view json);
  void lose(Trouble trouble, std::string_view text);  // and reset it
  void wake_at(std::uint64_t at_ns);
  void stop_waking() { timer_.stop(); }
  [[nodiscard]] bool is_waking() const { return timer_.is_running(); }
  [[nodiscard]] bool is_congested() const { return connection_->is_congested(); }
  [[nodiscard]] connection::Connection& connection() { return *connection_; }
  [[nodiscard]] std::uint64_t since_start_ns() const { return lane_.now_ns() - started_ns_; }

  Lane& lane_;
  Group& group_;
  Tally& tally_;  // the group's

 private:
  enum class State : std::uint8_t { idle, connecting, securing, upgrading, open, leaving, ended };

  void on_connected(connection::Connection&) override;
  void on_established(connection::Connection&) override;
  void on_received(connection::Connection&, ring::Slice bytes) override;
  void on_ended(connection::Connection&, connection::End how) override;
  void on_failed(connection::Connection&, connection::Failure failure) override;
  void on_lost(connection::Connection&) override { lose(Trouble::connection_reset, "while it was not read"); }
  void on_drained(connection::Connection&) override;
  void on_closed(connection::Connection&) override;
  void on_payload(std::span<const std::byte> piece, bool ends_message) override;

  [[nodiscard]] virtual std::unique_ptr<connection::TlsTransport> make_transport();
  void open();
  void read_frames(std::span<const std::byte>& in);
  void read_responses(std::span<const std::byte>& in);
  [[nodiscard]] bool read_head(std::span<const std::byte>& in);
  void respond_to_head();
  void take_piece(std::span<const std::byte> piece, bool ends_message);
  void said_close(websocket::CloseCode code, std::string_view reason);
  [[nodiscard]] Trouble trouble_of_end(Trouble in_use) const;
  [[nodiscard]] const ring::SocketAddress* source() const;
  void note_end(Trouble trouble, std::string_view text);
  void end_use();
  void on_due();

  std::uint64_t number_;
  std::uint64_t started_ns_ = 0;
  std::optional<connection::Connection> connection_;
  ring::TimerOf<Client, &Client::on_due> timer_{*this};
  http::WebSocketKey key_{};
  std::string held_;  // of a head that is not whole yet
  websocket::NodeFrames frames_;
  http::BodyReader body_;
  session::AnswerReader message_;
  std::uint64_t message_bytes_ = 0;
  Utf8Stream utf8_;         // of the same message
  std::string bad_status_;  // of the response that is read
  State state_ = State::idle;
  unsigned failures_ = 0;  // in a row
  bool is_settled_ = false;
  bool is_held_ = false;  // counted in Group::held
  bool in_body_ = false;
  bool keeps_alive_ = true;
};

}  // namespace ringwall::load
