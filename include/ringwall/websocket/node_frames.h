// node_frames.h: the bytes of the node in, what may be relayed and what is for us out.
//
// Owned by one session, used on its shard's thread. Data frames are relayed as they arrive, with no wait for their ends
// and no copy: consecutive ones in a buffer are handed out as one run. Control frames are taken out of the stream. A
// header is relayed only when it is whole and understood, so that what was relayed always tells where it stands.
//
// Who wants to know what passes gives a MessageTap: it sees the payload where it is, before it is handed out.
//
// Text is not checked for UTF-8: that would need the whole of it. A violation means that the node is broken; its `code`
// is what it would be told. Source: RFC 6455, section 5.
#pragma once

#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/header_reader.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace ringwall::websocket {

// Sees the payload of data frames. Each message is told whole and in order, control frames not at all.
class MessageTap {
 public:
  // A piece of the message that is passing, good until the call returns; empty only with its end. Called within
  // NodeFrames::next(), which must not be called from here.
  virtual void on_payload(std::span<const std::byte> piece, bool ends_message) = 0;

 protected:
  ~MessageTap() = default;
};

class NodeFrames {
 public:
  struct Event {
    enum class Kind : std::uint8_t {
      need_more,  // `in` is used up
      relay,      // `bytes`, to go to the client as they are
      ping,       // `bytes`, the payload
      pong,       // `bytes`, the payload
      close,      // `code` (no_status: none given) and `text`, the reason; the last event
      violation,  // `code` and `text`, why; the last event
    };
    Kind kind = Kind::need_more;
    // The bytes lie in this object and hold until the next call of next(): a header or a control frame that came in
    // pieces. Otherwise they lie in what was passed as `in`.
    bool kept = false;
    CloseCode code = CloseCode::no_status;
    std::span<const std::byte> bytes;
    std::string_view text;
  };

  // Consumes from `in` what belongs to one event. After the last event whatever comes is swallowed (need_more).
  // `to_boundary`: what is relayed goes no further than to the end of the frame, since one of ours is due.
  // `tap`, if any, is told what the event relays; the same one must be given from a message's start to its end.
  [[nodiscard]] Event next(std::span<const std::byte>& in, bool to_boundary = false, MessageTap* tap = nullptr);

  // True exactly when what was handed out for relay ends with a whole frame: a control frame of ours may follow.
  bool at_frame_boundary() const { return data_bytes_left_ == 0; }

  // Of the data frame that was handed out in part.
  std::uint64_t bytes_to_come() const { return data_bytes_left_; }

  // True exactly when what was handed out for relay ends within a message: no data frame of ours may follow.
  bool inside_message() const { return message_open_ || data_bytes_left_ != 0; }

  // Messages of which the end was handed out, since the last call.
  std::uint32_t take_messages();

 private:
  std::size_t data_run(std::span<const std::byte> in, bool to_boundary, MessageTap* tap);
  Event start_frame(std::span<const std::byte>& in, MessageTap* tap);
  Event read_control(std::span<const std::byte>& in);
  Event control_event(std::span<const std::byte> payload, bool kept);
  Event end_with(Violation violation);
  void begin_data(const FrameHeader& header);
  void pass(std::span<const std::byte> payload, MessageTap* tap);

  std::uint64_t data_bytes_left_ = 0;
  std::unique_ptr<std::array<std::byte, control_payload_bytes_max>> control_payload_;  // only while one is cut in two
  std::uint32_t messages_ = 0;
  HeaderReader header_reader_;
  Opcode control_opcode_ = Opcode::continuation;  // continuation exactly when not within a control frame
  std::uint8_t control_bytes_ = 0;
  std::uint8_t control_bytes_left_ = 0;
  bool message_open_ = false;  // a frame without FIN was the last
  bool ended_ = false;
};

}  // namespace ringwall::websocket
