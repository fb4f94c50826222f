#include <ringwall/check.h>
#include <ringwall/websocket/client_messages.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/mask.h>

#include <algorithm>
#include <utility>

#include "utf8.h"

namespace ringwall::websocket {

using Event = ClientMessages::Event;
using Kind = Event::Kind;

// An idle client costs this and nothing more; there are a great many idle clients.
static_assert(sizeof(ClientMessages) <= 64);

namespace {

constexpr Violation text_not_utf8 = {CloseCode::invalid_payload, "a text message that is not UTF-8"};

}  // namespace

ClientMessages::ClientMessages(std::uint32_t message_bytes_max) : message_bytes_max_(message_bytes_max) {
  RINGWALL_CHECK(message_bytes_max <= 1U << 30);
}

Event ClientMessages::next(std::span<const std::byte>& in, std::span<std::byte> scratch) {
  RINGWALL_CHECK(scratch.size() >= in.size());
  RINGWALL_CHECK(scratch.size() >= control_payload_bytes_max);
  RINGWALL_CHECK(state_ != State::message_ready);
  Event event;
  while (step(in, scratch, event) == Step::go_on) continue;
  return event;
}

ClientMessages::Step ClientMessages::step(std::span<const std::byte>& in, std::span<std::byte> scratch, Event& event) {
  switch (state_) {
    case State::header:
      return start_frame(in, scratch, event);
    case State::data_payload:
      return read_data(in, event);
    case State::control_payload:
      return read_control(in, scratch, event);
    case State::message_ready:
    case State::ended:
      break;
  }
  in = in.last(0);
  return Step::report;
}

ClientMessages::Step ClientMessages::start_frame(std::span<const std::byte>& in, std::span<std::byte> scratch,
                                                 Event& event) {
  if (in.empty()) return Step::report;
  const auto from_header = in;
  const bool header_in_pieces = header_reader_.inside_header();
  FrameHeader header;
  const auto complete = header_reader_.read(in, Sender::client, header);
  if (!complete) return end_with(complete.error(), event);
  if (!*complete) return Step::report;

  if (!is_control(header.opcode)) {
    const bool message_open = message_opcode_ != Opcode::continuation;
    if (const auto allowed = check_sequence(header, message_open); !allowed) return end_with(allowed.error(), event);
    if (header.payload_bytes > message_bytes_max_ - assembly_.payload_bytes()) {
      return end_with({CloseCode::message_too_big, "a message over the limit"}, event);
    }
    if (header.fin && !message_open && !header_in_pieces && header.payload_bytes <= in.size()) {
      const auto payload_bytes = static_cast<std::size_t>(header.payload_bytes);
      in = in.subspan(payload_bytes);
      return whole_message(header, from_header.first(header.header_bytes + payload_bytes), scratch, event);
    }
    if (!message_open) {
      message_opcode_ = header.opcode;
      message_key_ = header.mask;
    }
  }
  state_ = is_control(header.opcode) ? State::control_payload : State::data_payload;
  frame_opcode_ = header.opcode;
  frame_fin_ = header.fin;
  frame_key_ = header.mask;
  frame_offset_ = 0;
  frame_bytes_left_ = static_cast<std::uint32_t>(header.payload_bytes);
  return Step::go_on;
}

ClientMessages::Step ClientMessages::whole_message(const FrameHeader& header, std::span<const std::byte> frame,
                                                   std::span<std::byte> scratch, Event& event) {
  const auto masked = frame.subspan(header.header_bytes);
  const auto payload = scratch.first(masked.size());
  apply_mask(payload, masked, header.mask, 0);
  if (header.opcode == Opcode::text && !is_utf8(payload)) return end_with(text_not_utf8, event);
  event.kind = Kind::message;
  event.opcode = header.opcode;
  event.payload = payload;
  event.frame = frame;
  return Step::report;
}

ClientMessages::Step ClientMessages::read_data(std::span<const std::byte>& in, Event& event) {
  const std::size_t here = std::min<std::size_t>(in.size(), frame_bytes_left_);
  const std::size_t taken = std::min(here, assembly_.room_bytes());
  assembly_.append(in.first(taken), frame_key_, frame_offset_);
  in = in.subspan(taken);
  frame_bytes_left_ -= static_cast<std::uint32_t>(taken);
  frame_offset_ = static_cast<std::uint8_t>(frame_offset_ + taken);

  const bool frame_ends = frame_bytes_left_ == 0;
  const bool message_ends = frame_ends && frame_fin_;
  // An empty message, too, needs the room for its header.
  const bool has_room = taken == here && (!message_ends || assembly_.capacity_bytes() >= frame_header_bytes_max);
  if (!has_room) {
    event.kind = Kind::need_memory;
    event.bytes_wanted = memory_wanted(here - taken);
    return Step::report;
  }
  if (!frame_ends) return Step::report;
  state_ = State::header;
  return message_ends ? end_message(event) : Step::go_on;
}

ClientMessages::Step ClientMessages::end_message(Event& event) {
  if (message_opcode_ == Opcode::text && !is_utf8(assembly_.payload())) return end_with(text_not_utf8, event);
  state_ = State::message_ready;
  event.kind = Kind::message;
  event.opcode = message_opcode_;
  event.payload = assembly_.payload();
  return Step::report;
}

// At least room for the bytes that are here; beyond that the capacity is doubled, so that a message in many pieces is
// not copied for each, but never past the message's greatest possible size.
std::size_t ClientMessages::memory_wanted(std::size_t bytes_here) const {
  const std::size_t capacity = assembly_.capacity_bytes();
  const std::size_t used = frame_header_bytes_max + assembly_.payload_bytes();
  const std::size_t ceiling =
      frame_fin_ ? used + frame_bytes_left_ : frame_header_bytes_max + std::size_t{message_bytes_max_};
  return std::max(used + bytes_here, std::min(2 * capacity, ceiling)) - capacity;
}

ClientMessages::Step ClientMessages::read_control(std::span<const std::byte>& in, std::span<std::byte> scratch,
                                                  Event& event) {
  const std::size_t taken = std::min<std::size_t>(in.size(), frame_bytes_left_);
  const bool ends = taken == frame_bytes_left_;
  const std::size_t payload_bytes = frame_offset_ + taken;
  if (control_payload_ == nullptr && !ends) {
    control_payload_ = std::make_unique<std::array<std::byte, control_payload_bytes_max>>();
  }
  const auto target = control_payload_ == nullptr ? scratch : std::span<std::byte>(*control_payload_);
  apply_mask(target.subspan(frame_offset_, taken), in.first(taken), frame_key_, frame_offset_);
  in = in.subspan(taken);
  frame_bytes_left_ -= static_cast<std::uint32_t>(taken);
  frame_offset_ = static_cast<std::uint8_t>(payload_bytes);
  if (!ends) return Step::report;

  if (control_payload_ != nullptr) {
    std::ranges::copy(std::span(*control_payload_).first(payload_bytes), scratch.begin());
    control_payload_.reset();
  }
  state_ = State::header;
  return end_control(scratch.first(payload_bytes), event);
}

ClientMessages::Step ClientMessages::end_control(std::span<const std::byte> payload, Event& event) {
  if (frame_opcode_ == Opcode::close) {
    const auto close = parse_close_payload(payload);
    if (!close) return end_with(close.error(), event);
    state_ = State::ended;
    event.kind = Kind::close;
    event.code = close->code;
    event.text = close->reason;
    return Step::report;
  }
  event.kind = frame_opcode_ == Opcode::ping ? Kind::ping : Kind::pong;
  event.payload = payload;
  return Step::report;
}

ClientMessages::Step ClientMessages::end_with(Violation violation, Event& event) {
  state_ = State::ended;
  event.kind = Kind::violation;
  event.code = violation.code;
  event.text = violation.why;
  return Step::report;
}

OwnedFrame ClientMessages::take_frame() {
  RINGWALL_CHECK(state_ == State::message_ready);
  state_ = State::header;
  return assembly_.seal(std::exchange(message_opcode_, Opcode::continuation), message_key_);
}

void ClientMessages::drop_message() {
  RINGWALL_CHECK(state_ == State::message_ready);
  state_ = State::header;
  message_opcode_ = Opcode::continuation;
  assembly_.release();
}

void ClientMessages::keep(const Event& event) {
  RINGWALL_CHECK(state_ == State::header && event.frame.size() > event.payload.size());
  const std::span<const std::byte> masked = event.frame.last(event.payload.size());
  std::ranges::copy(event.frame.subspan(event.frame.size() - masked.size() - message_key_.size(), message_key_.size()),
                    message_key_.begin());
  message_opcode_ = event.opcode;
  assembly_.append(masked, message_key_, 0);
  state_ = State::message_ready;
}

std::span<const std::byte> ClientMessages::ready_payload() const {
  RINGWALL_CHECK(state_ == State::message_ready);
  return assembly_.payload();
}

bool ClientMessages::inside_message() const {
  if (state_ == State::message_ready || state_ == State::ended) return false;
  return state_ != State::header || header_reader_.inside_header() || message_opcode_ != Opcode::continuation;
}

}  // namespace ringwall::websocket
