// request.h: one HTTP request of a client, from its head until the node has answered it. Owner: one Session.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/http/body.h>
#include <ringwall/http/upgrade.h>
#include <ringwall/ring/slice.h>
#include <ringwall/session/service.h>
#include <ringwall/websocket/assembly.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ringwall::session {

inline constexpr std::size_t small_body_bytes_max = 4 * 1024;

// A head, with room for a body of `body_bytes` behind it and for no more: server/bounds.cc counts both.
[[nodiscard]] std::string make_request_text(std::string_view head, std::size_t body_bytes);

// A body that is had whole before it goes on. Its memory grows as bytes arrive, charged to the shard and the address.
class Body {
 public:
  Body(AssemblyBudget& budget, const AddressBytes& key) : charge_(budget, key) {}

  // Makes room for `bytes` more, but not beyond `ceiling` in all.
  [[nodiscard]] AssemblyBudget::Answer reserve(std::size_t bytes, std::size_t ceiling);
  void append(std::string_view payload);
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(memory_.get()), size_}; }
  // The bytes and their charge, as something to send. The body is empty afterwards.
  [[nodiscard]] ring::Slice take();

 private:
  websocket::MallocBytes memory_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  AssemblyCharge charge_;
};

// An upgrade's two handshakes: the client's with us, and ours with the node.
struct Upgrade {
  config::Mode mode;
  std::array<char, 24> client_key;
  http::WebSocketKey node_key;
  std::string protocols;
};

struct Request {
  Request(NodeGroup& group_in, AssemblyBudget& budget, const AddressBytes& key) : group(group_in), body(budget, key) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() { count_at(nullptr); }

  // Is a request under way at that node, which the choice of the least used one counts; null: at none.
  void count_at(NodeService* next);

  NodeGroup& group;
  NodeService* node = nullptr;  // of the group; the one that has it, or is about to
  std::uint64_t tried = 0;      // that one too: a bit for each node of the group
  bool names_node = false;      // the Host in its head is the node's
  std::string head;             // as the node gets it; a small body stands behind it
  Body body;
  http::BodyReader body_reader{};
  std::uint64_t body_since_ns = 0;
  std::size_t body_bytes_max = 0;  // that it can have
  bool body_is_chunked = false;    // goes on as one chunk
  ring::Slice body_bytes{};        // kept until the node's first byte, to be sent again if need be

  bool is_call = false;  // POST: its body is JSON-RPC
  rpc::CostClass cost = rpc::CostClass::normal;
  std::uint64_t asked_ns = 0;      // when its one call went on; 0: it is no such request
  bool is_head = false;            // HEAD: the answer has no body
  bool client_keeps_alive = true;  // the client's connection goes on after the answer
  bool client_is_old = false;      // HTTP/1.0 knows no chunks
  bool may_be_sent_again = false;
  bool on_used_connection = false;
  bool node_said_something = false;
  std::uint64_t heard_ns = 0;  // when bytes last came from the node; before the first, when it got the request

  std::unique_ptr<Upgrade> upgrade{};  // null: a plain request
  NodeService* counted_at = nullptr;   // see count_at()

  std::shared_ptr<const upstream::Addresses> addresses{};
  std::size_t address_index = 0;
  std::uint64_t connect_deadline_ns = 0;

  http::BodyReader answer{};
  bool answer_in_chunks = false;  // towards the client
  bool answer_until_close = false;
  bool node_keeps_alive = false;
};

}  // namespace ringwall::session
