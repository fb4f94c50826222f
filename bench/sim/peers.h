// peers.h: the clients and the node at the other ends of a shard's sockets, and what they say to each other.
//
// Each client keeps its calls in flight: the moment it has an answer it asks again, or the next client does where fewer
// than all are active. The node answers a call the moment it gets it. Every answer is checked: its frame, its length,
// its id, and over TLS its records. All of it runs inside LeanBackend::enter(). Owner: the Stage.
#pragma once

#include "lean_backend.h"
#include "tls_client.h"

#include <ringwall/tls/records.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::bench {

struct Scenario {
  bool tls = false;
  bool tunnel = false;  // bytes, unread; otherwise the guard is on
  std::size_t connections = 1;
  std::size_t active = 1;           // of them at a time
  std::size_t depth = 1;            // calls in flight of each
  std::size_t request_bytes = 100;  // of JSON text
  std::size_t answer_bytes = 100;
  std::size_t notification_bytes = 0;  // not 0: the node tells what each client has subscribed to

  friend bool operator==(const Scenario&, const Scenario&) = default;
};

// A message with a frame around it and an id of eight digits in it.
class Message {
 public:
  static constexpr std::uint32_t first_id = 10'000'000;

  Message(std::string_view text, bool is_masked);
  void write_to(std::vector<std::byte>& out, std::uint32_t id);
  [[nodiscard]] std::span<const std::byte> frame(std::uint32_t id);
  [[nodiscard]] std::span<const std::byte> frame() const { return frame_; }
  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }

 private:
  std::vector<std::byte> frame_;
  std::size_t id_at_;
  std::size_t payload_bytes_;
  bool is_masked_;
};

// Finds the frames of a stream, with the start of each payload.
class FrameCutter {
 public:
  struct Found {
    std::size_t payload_bytes;
    std::uint32_t id;  // 0: it has none
  };
  // The next frame that ends in `bytes`, which are taken off its front; nothing: all are taken.
  [[nodiscard]] std::optional<Found> next(std::span<const std::byte>& bytes, bool is_masked);

 private:
  std::array<std::byte, 54> start_{};  // the header, and of the payload what the id stands in
  std::size_t start_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t left_ = 0;  // of the frame behind what is in start_
  std::size_t payload_bytes_ = 0;
  bool is_started_ = false;
};

class Peers;

class NodeSide final : public Peer {
 public:
  NodeSide(Peers& peers, int socket) : peers_(peers), socket_(socket) {}
  void on_sent(std::span<const std::byte> bytes) override;
  void push();

 private:
  Peers& peers_;
  int socket_;
  bool is_open_ = false;
  std::string head_;
  FrameCutter frames_;
};

class ClientSide final : public Peer, private tls::Output {
 public:
  ClientSide(Peers& peers, std::size_t index) : peers_(peers), index_(index) {}
  void connect();
  void on_sent(std::span<const std::byte> bytes) override;
  void call();

 private:
  void append(std::span<const std::byte>) override;
  void hear(std::span<const std::byte> bytes);
  void take_handshake(std::span<const std::byte> bytes);
  void hear_head(std::string_view text);

  Peers& peers_;
  std::size_t index_;
  int socket_ = -1;
  bool is_open_ = false;
  std::unique_ptr<TlsClient> handshake_;
  std::optional<tls::Records> records_;
  FrameCutter frames_;
  std::uint32_t next_id_ = Message::first_id;
  std::uint32_t answered_id_ = Message::first_id;
};

class Peers {
 public:
  Peers(LeanBackend& backend, const Scenario& scenario);

  void connect_all();
  [[nodiscard]] bool are_open() const { return open_ == clients_.size(); }
  // The first calls of those that are active; what the clients of a fan-out subscribe with.
  void begin();
  // One notification to each client.
  void push_all();

  // Answers, or notifications, that clients have had.
  [[nodiscard]] std::uint64_t heard() const { return heard_; }

 private:
  friend class NodeSide;
  friend class ClientSide;

  void call_next(std::size_t index);

  LeanBackend& backend_;
  const Scenario scenario_;
  Message request_, answer_, notification_;
  tls::KeySchedules key_schedules_;  // outlives the clients' records
  std::vector<std::unique_ptr<ClientSide>> clients_;
  std::vector<std::unique_ptr<NodeSide>> nodes_;
  std::vector<std::byte> scratch_;
  std::size_t open_ = 0;
  std::size_t turn_of_ = 0;  // the client that calls next, where not all are active
  std::uint64_t heard_ = 0;
};

}  // namespace ringwall::bench
