#include "devnode/client.h"

#include <ringwall/check.h>

#include <utility>

namespace ringwall::devnode {

namespace {

// A reader that is behind by this much is not answered further until it has caught up.
constexpr std::size_t waiting_bytes_max = std::size_t{1} << 20;
// Answers of up to this much are joined with others in the arena.
constexpr std::size_t copied_bytes_max = 16 * 1024;

}  // namespace

Client::Client(ClientHost& host, Node& node, connection::Resources& resources, std::uint16_t port)
    : host_(host),
      node_(node),
      connection_(resources, *this),
      http_(*this, node, port),
      last_heard_ns_(monotonic_ns()) {}

Client::~Client() = default;

void Client::send(std::span<const std::byte> head, Reply body) {
  if (is_finishing_ || !connection_.is_open()) return;
  bytes_queued_ += head.size() + body.bytes();
  connection_.send_copy(head);
  if (body.is_plain() && body.bytes() <= copied_bytes_max) return connection_.send_copy(body.plain_text());
  for (ring::Slice& part : body.take()) connection_.send(std::move(part));
}

bool Client::has_room() {
  if (is_finishing_) return false;
  if (bytes_waiting() < waiting_bytes_max) return true;
  if (!std::exchange(waits_for_room_, true)) host_.wait_for_room(*this);
  return false;
}

// Input comes first, so that pushes without end can still be ended.
void Client::on_room() {
  waits_for_room_ = false;
  if (is_finishing_ || !has_room()) return;
  if (!held_.empty()) {
    const std::vector<std::byte> held = std::exchange(held_, {});
    std::span<const std::byte> in = held;
    consume(in);
    held_.assign(in.begin(), in.end());
  }
  if (is_finishing_) return;
  if (websocket_) websocket_->on_room();
  if (!held_.empty()) return;
  if (has_ended_) return finish();
  connection_.resume_receiving();
}

void Client::consume(std::span<const std::byte>& in) {
  while (!in.empty() && has_room()) {
    if (websocket_) {
      websocket_->consume(in);
    } else {
      http_.consume(in);
    }
  }
  if (is_finishing_) in = {};
}

void Client::on_received(connection::Connection&, ring::Slice bytes) {
  last_heard_ns_ = monotonic_ns();
  std::span<const std::byte> in = bytes.bytes();
  if (held_.empty()) consume(in);
  if (in.empty()) return;
  held_.insert(held_.end(), in.begin(), in.end());
  connection_.pause_receiving();
}

void Client::on_ended(connection::Connection&, connection::End) {
  has_ended_ = true;
  if (held_.empty()) finish();
}

void Client::on_closed(connection::Connection&) { host_.remove(*this); }

void Client::on_block(const BlockNews& news) {
  if (websocket_ && !is_finishing_) websocket_->on_block(news);
}

void Client::become_websocket() {
  RINGWALL_CHECK(!websocket_);
  websocket_ = std::make_unique<WebSocketSide>(*this, node_);
}

void Client::finish() {
  if (std::exchange(is_finishing_, true)) return;
  held_.clear();
  if (websocket_) websocket_->stop();
  connection_.finish();
}

void Client::leave() {
  if (is_finishing_) return;
  if (websocket_) websocket_->close(websocket::CloseCode::going_away, "the stand-in node is stopping");
  finish();
}

}  // namespace ringwall::devnode
