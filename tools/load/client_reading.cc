// The reading half of a Client: the answer to the upgrade, frames, responses.
#include <ringwall/websocket/control_frame.h>

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "load/client.h"

namespace ringwall::load {

namespace {

constexpr int status_ok = 200;
constexpr int status_switching = 101;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void Client::on_received(connection::Connection&, ring::Slice bytes) {
  std::span<const std::byte> in = bytes.bytes();
  while (!in.empty()) {
    switch (state_) {
      case State::upgrading:
        read_on_way(in);
        break;
      case State::open:
      case State::leaving:
        if (lane_.plan.target.post) {
          read_responses(in);
        } else {
          read_frames(in);
        }
        break;
      default:
        return;
    }
  }
}

// True: lane_.head is the whole head, whose bytes stand in `held_` or before `in`.
bool Client::read_head(std::span<const std::byte>& in) {
  const std::size_t held_before = held_.size();
  std::string_view text = as_text(in);
  if (held_before > 0) text = held_.append(text);
  const auto bytes = http::parse_response_head(text, false, lane_.head);
  if (!bytes) {
    in = {};
    lose(Trouble::protocol, bytes.error());
    return false;
  }
  if (*bytes == 0) {
    if (held_before == 0) held_ = text;
    in = {};
    return false;
  }
  in = in.subspan(*bytes - held_before);
  return true;
}

void Client::read_on_way(std::span<const std::byte>& in) {
  if (!read_head(in)) return;
  const http::ResponseHead& head = lane_.head;
  if (head.status != status_switching) {
    in = {};
    return lose(Trouble::upgrade, fmt::format("{} {}", head.status, head.reason));
  }
  const auto protocol = http::verify_upgrade_response(head, {key_.data(), key_.size()}, lane_.plan.subprotocol);
  if (!protocol) {
    in = {};
    return lose(Trouble::protocol, protocol.error());
  }
  held_.clear();
  open();
}

void Client::read_frames(std::span<const std::byte>& in) {
  using Kind = websocket::NodeFrames::Event::Kind;
  const auto event = frames_.next(in, false, this);
  switch (event.kind) {
    case Kind::need_more:
    case Kind::relay:
    case Kind::pong:
      return;
    case Kind::ping:
      if (state_ != State::open) return;
      return connection_->send_copy(websocket::ControlFrame::pong(event.bytes, lane_.random.mask_key()).bytes());
    case Kind::close:
      return said_close(event.code, event.text);
    case Kind::violation:
      return lose(Trouble::protocol, event.text);
  }
}

void Client::on_payload(std::span<const std::byte> piece, bool ends_message) { take_piece(piece, ends_message); }

void Client::take_piece(std::span<const std::byte> piece, bool ends_message) {
  message_bytes_ += piece.size();
  utf8_.add(as_text(piece));
  message_.add(piece, ends_message, [this](std::string_view head, std::string_view tail) {
    const std::uint64_t bytes = std::exchange(message_bytes_, 0);
    const bool is_utf8 = utf8_.end();
    if (state_ != State::open) return;
    if (lane_.stretch == Stretch::measured) tally_.flow.bytes_received += bytes;
    if (!bad_status_.empty()) return on_bad_status(std::exchange(bad_status_, {}));
    if (!is_utf8) return lose(Trouble::protocol, "a message that is not UTF-8");
    on_message({head, tail, bytes});
  });
}

void Client::read_responses(std::span<const std::byte>& in) {
  if (!in_body_) {
    if (!read_head(in)) return;
    respond_to_head();
    held_.clear();
    if (state_ != State::open || !in_body_) return;
  }
  std::string_view text = as_text(in);
  const std::size_t offered = text.size();
  const auto piece = body_.next(text);
  if (!piece) {
    in = {};
    return lose(Trouble::protocol, piece.error().why);
  }
  in = in.subspan(offered - text.size());
  if (piece->payload.empty() && !piece->done) return;
  in_body_ = !piece->done;
  take_piece(std::as_bytes(std::span(piece->payload)), piece->done);
  if (piece->done && !keeps_alive_ && state_ == State::open) lose(Trouble::connection_closed, "Connection: close");
}

void Client::respond_to_head() {
  const http::ResponseHead& head = lane_.head;
  if (head.status < 200) return;  // 100, and what else is not the answer yet
  body_ = http::BodyReader(head.framing, head.content_length);
  keeps_alive_ = head.keep_alive;
  if (head.status != status_ok) bad_status_ = fmt::format("{} {}", head.status, head.reason);
  in_body_ = !body_.done();
  if (!in_body_) take_piece({}, true);
}

void Client::on_bad_status(std::string_view text) { lose(Trouble::http_status, text); }

}  // namespace ringwall::load
