#include <ringwall/check.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/node_frames.h>

#include <algorithm>
#include <utility>

namespace ringwall::websocket {

using Event = NodeFrames::Event;
using Kind = Event::Kind;

static_assert(sizeof(NodeFrames) <= 48);

Event NodeFrames::next(std::span<const std::byte>& in, bool to_boundary, MessageTap* tap) {
  if (ended_) {
    in = in.last(0);
    return {};
  }
  if (control_opcode_ != Opcode::continuation) return read_control(in);
  control_payload_.reset();
  if (!header_reader_.inside_header()) {
    if (const std::size_t run_bytes = data_run(in, to_boundary, tap); run_bytes != 0) {
      const auto run = in.first(run_bytes);
      in = in.subspan(run_bytes);
      return {.kind = Kind::relay, .bytes = run};
    }
  }
  return start_frame(in, tap);
}

// The size of the longest piece at the start of `in` that is nothing but data frames, their headers whole. What stops
// it (a header cut short, a control frame, a violation) is left for start_frame().
std::size_t NodeFrames::data_run(std::span<const std::byte> in, bool to_boundary, MessageTap* tap) {
  std::size_t run_bytes = 0;
  while (run_bytes < in.size()) {
    if (data_bytes_left_ == 0) {
      if (to_boundary && run_bytes > 0) break;
      FrameHeader header;
      const auto size = parse_frame_header(in.subspan(run_bytes), Sender::server, header);
      if (!size || *size == 0 || is_control(header.opcode) || !check_sequence(header, message_open_)) break;
      run_bytes += *size;
      begin_data(header);
    }
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(in.size() - run_bytes, data_bytes_left_));
    pass(in.subspan(run_bytes, taken), tap);
    run_bytes += taken;
  }
  return run_bytes;
}

Event NodeFrames::start_frame(std::span<const std::byte>& in, MessageTap* tap) {
  if (in.empty()) return {};
  FrameHeader header;
  const auto complete = header_reader_.read(in, Sender::server, header);
  if (!complete) return end_with(complete.error());
  if (!*complete) return {};
  if (is_control(header.opcode)) {
    control_opcode_ = header.opcode;
    control_bytes_ = 0;
    control_bytes_left_ = static_cast<std::uint8_t>(header.payload_bytes);
    return read_control(in);
  }
  if (const auto allowed = check_sequence(header, message_open_); !allowed) return end_with(allowed.error());
  begin_data(header);
  pass({}, tap);
  return {.kind = Kind::relay, .kept = true, .bytes = header_reader_.joined(header)};
}

void NodeFrames::begin_data(const FrameHeader& header) {
  data_bytes_left_ = header.payload_bytes;
  message_open_ = !header.fin;
}

// No bytes of payload: a header has passed, after which nothing may be to come.
void NodeFrames::pass(std::span<const std::byte> payload, MessageTap* tap) {
  data_bytes_left_ -= payload.size();
  const bool ends_message = !inside_message();
  if (ends_message) ++messages_;
  if (tap != nullptr && (ends_message || !payload.empty())) tap->on_payload(payload, ends_message);
}

Event NodeFrames::read_control(std::span<const std::byte>& in) {
  const std::size_t taken = std::min<std::size_t>(in.size(), control_bytes_left_);
  const auto here = in.first(taken);
  const bool ends = taken == control_bytes_left_;
  in = in.subspan(taken);
  if (control_payload_ == nullptr) {
    if (ends) return control_event(here, false);
    control_payload_ = std::make_unique<std::array<std::byte, control_payload_bytes_max>>();
  }
  std::ranges::copy(here, control_payload_->begin() + control_bytes_);
  control_bytes_ = static_cast<std::uint8_t>(control_bytes_ + taken);
  control_bytes_left_ = static_cast<std::uint8_t>(control_bytes_left_ - taken);
  if (!ends) return {};
  return control_event(std::span(*control_payload_).first(control_bytes_), true);
}

Event NodeFrames::control_event(std::span<const std::byte> payload, bool kept) {
  const Opcode opcode = std::exchange(control_opcode_, Opcode::continuation);
  if (opcode == Opcode::ping) return {.kind = Kind::ping, .kept = kept, .bytes = payload};
  if (opcode == Opcode::pong) return {.kind = Kind::pong, .kept = kept, .bytes = payload};
  const auto close = parse_close_payload(payload);
  if (!close) return end_with(close.error());
  ended_ = true;
  return {.kind = Kind::close, .kept = kept, .code = close->code, .text = close->reason};
}

Event NodeFrames::end_with(Violation violation) {
  ended_ = true;
  return {.kind = Kind::violation, .code = violation.code, .text = violation.why};
}

std::uint32_t NodeFrames::take_messages() { return std::exchange(messages_, 0); }

}  // namespace ringwall::websocket
