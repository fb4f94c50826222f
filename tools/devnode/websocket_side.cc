#include "devnode/websocket_side.h"

#include <ringwall/check.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/frame.h>

#include <algorithm>
#include <array>
#include <utility>

#include "devnode/answer.h"
#include "devnode/client.h"

namespace ringwall::devnode {

namespace {

// A node's: three checks in a row that find twice the interval between pings gone by in silence.
constexpr unsigned silent_checks_max = 3;
constexpr std::size_t scratch_bytes = 16 * 1024;

// Payloads of events lie here until they are dealt with; the server has one thread, and events do not nest.
std::array<std::byte, scratch_bytes> scratch;

}  // namespace

WebSocketSide::WebSocketSide(Client& client, Node& node)
    : client_(client), node_(node), messages_(node.options.request_bytes_max), subscriptions_(node, *this) {
  node_.timers.start(ping_timer_, monotonic_ns() + std::uint64_t{node_.options.ping_ms} * 1'000'000);
}

void WebSocketSide::consume(std::span<const std::byte>& in) {
  using Kind = websocket::ClientMessages::Event::Kind;
  std::span<const std::byte> part = in.first(std::min(in.size(), scratch.size()));
  const std::size_t offered = part.size();
  const auto event = messages_.next(part, scratch);
  in = in.subspan(offered - part.size());
  switch (event.kind) {
    case Kind::need_more:
      return;
    case Kind::need_memory:
      if (!messages_.grow(event.bytes_wanted)) end(websocket::CloseCode::internal_error, "no memory for the message");
      return;
    case Kind::message:
      on_message(event.payload);
      if (event.frame.empty()) messages_.drop_message();
      return;
    case Kind::ping: {
      const auto pong = websocket::ControlFrame::pong(event.payload);
      return client_.send(pong.bytes(), {});
    }
    case Kind::pong:
      return;
    case Kind::close:
      return end(event.code, {});
    case Kind::violation:
      if (event.code == websocket::CloseCode::message_too_big) {
        Reply reply;
        append_error(reply, node_.options, "null", request_too_big(node_.options.request_bytes_max));
        send(std::move(reply));
      }
      return end(event.code, event.text);
  }
}

void WebSocketSide::on_message(std::span<const std::byte> payload) {
  Reply reply;
  answer_message(node_, &subscriptions_, {reinterpret_cast<const char*>(payload.data()), payload.size()}, reply);
  if (!reply.empty()) send(std::move(reply));
  subscriptions_.announce_new();
}

void WebSocketSide::send(Reply message) {
  std::array<std::byte, websocket::frame_header_bytes_max> header;
  const std::size_t bytes = websocket::write_frame_header(header, true, websocket::Opcode::text, message.bytes());
  client_.send(std::span(header).first(bytes), std::move(message));
}

bool WebSocketSide::has_room() { return client_.has_room(); }

void WebSocketSide::close(websocket::CloseCode code, std::string_view reason) {
  const auto frame = websocket::ControlFrame::close(code, reason);
  client_.send(frame.bytes(), {});
}

void WebSocketSide::end(websocket::CloseCode code, std::string_view reason) {
  close(code, reason);
  client_.finish();
}

void WebSocketSide::stop() {
  ping_timer_.stop();
  subscriptions_.clear();
}

void WebSocketSide::on_ping_due() {
  const std::uint64_t interval_ns = std::uint64_t{node_.options.ping_ms} * 1'000'000;
  const std::uint64_t now = monotonic_ns();
  silent_checks_ = now - client_.last_heard_ns() > 2 * interval_ns ? silent_checks_ + 1 : 0;
  if (silent_checks_ == silent_checks_max) return client_.abort();
  client_.send(websocket::ControlFrame::ping({}).bytes(), {});
  node_.timers.start(ping_timer_, now + interval_ns);
}

}  // namespace ringwall::devnode
