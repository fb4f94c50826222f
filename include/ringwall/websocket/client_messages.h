// client_messages.h: the bytes of one client in, its whole messages and control frames out.
//
// Owned by one session, used on its shard's thread. The common message, one frame that lies whole in the receive
// buffer, costs no memory: it is unmasked into the shard's scratch to be looked at, and its raw bytes are forwarded
// from where they are. Any other message (in fragments, or longer than what has come) is collected in an assembly and
// leaves as one frame: the node loses a message with a PONG between its fragments, and would otherwise wait in its own
// memory.
//
// Memory is asked for as payload bytes arrive, never as they are announced: an announcement is checked against
// `message_bytes_max` and costs nothing else. Beside the assembly, a control frame cut in two holds 125 bytes.
//
// Violations: 1002 for framing, order and masking, 1007 for text that is not UTF-8 (checked when the message is whole),
// 1009 for a message over the limit. Source: RFC 6455, sections 5 and 7.
#pragma once

#include <ringwall/websocket/assembly.h>
#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/header_reader.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace ringwall::websocket {

class ClientMessages {
 public:
  struct Event {
    enum class Kind : std::uint8_t {
      need_more,    // `in` is used up
      need_memory,  // `bytes_wanted` more for the assembly, see grow(); `in` keeps what does not fit yet
      message,      // `opcode`, `payload` and `frame`
      ping,         // `payload`
      pong,         // `payload`
      close,        // `code` (no_status: none given) and `text`, the reason; the last event
      violation,    // `code` and `text`, why; the last event
    };
    Kind kind = Kind::need_more;
    Opcode opcode = Opcode::continuation;  // text or binary
    CloseCode code = CloseCode::no_status;
    // Unmasked. In scratch, and for an assembled message in the assembly.
    std::span<const std::byte> payload;
    // The client's masked frame, in the bytes that were passed as `in`: forward it as it is. Empty for an assembled
    // message: call take_frame() or drop_message() before next().
    std::span<const std::byte> frame;
    std::string_view text;
    std::size_t bytes_wanted = 0;
  };

  // `message_bytes_max` bounds the payload of a message, over all its fragments; at most 1 GiB.
  explicit ClientMessages(std::uint32_t message_bytes_max);

  // Consumes from `in` up to the end of one event. `in` may be of any size; `scratch` is at least as large as `in` and
  // as control_payload_bytes_max, and the event's spans into it hold until it is used again. After the last event
  // whatever comes is swallowed (need_more).
  [[nodiscard]] Event next(std::span<const std::byte>& in, std::span<std::byte> scratch);

  // After need_memory: `bytes` is the event's `bytes_wanted` (with less, next() fills it and asks again). That is at
  // most what is here of the message or the present capacity, whichever is more. Growing may copy, and then holds both
  // for that long. False: the machine has no memory.
  [[nodiscard]] bool grow(std::size_t bytes) { return assembly_.grow(bytes); }

  // After a message without `frame`: the message as one masked frame, with its memory. `payload` is masked by this.
  [[nodiscard]] OwnedFrame take_frame();

  // After a message without `frame` that is not to be forwarded.
  void drop_message();

  // After a message with `frame`, and a grow() by its payload and frame_header_bytes_max: takes it into the assembly,
  // as if it had come in pieces.
  void keep(const Event& event);

  // Of a message without `frame`, until it is taken or dropped.
  std::span<const std::byte> ready_payload() const;

  // True exactly when the bytes so far end within a frame, or between the fragments of a message.
  bool inside_message() const;

  // What the assembly holds of the caller's budget, in bytes.
  std::size_t assembly_capacity_bytes() const { return assembly_.capacity_bytes(); }

  // Payload bytes collected of the unfinished message.
  std::size_t assembled_bytes() const { return assembly_.payload_bytes(); }

 private:
  enum class State : std::uint8_t { header, data_payload, control_payload, message_ready, ended };

  // Events are filled in place: handed up by value from one function to the next they cost 10 ns of 27 a message.
  enum class Step : std::uint8_t { go_on, report };

  Step step(std::span<const std::byte>& in, std::span<std::byte> scratch, Event& event);
  Step start_frame(std::span<const std::byte>& in, std::span<std::byte> scratch, Event& event);
  Step whole_message(const FrameHeader& header, std::span<const std::byte> frame, std::span<std::byte> scratch,
                     Event& event);
  Step read_data(std::span<const std::byte>& in, Event& event);
  Step end_message(Event& event);
  Step read_control(std::span<const std::byte>& in, std::span<std::byte> scratch, Event& event);
  Step end_control(std::span<const std::byte> payload, Event& event);
  Step end_with(Violation violation, Event& event);
  std::size_t memory_wanted(std::size_t bytes_here) const;

  Assembly assembly_;
  std::unique_ptr<std::array<std::byte, control_payload_bytes_max>> control_payload_;  // only while one is cut in two
  std::uint32_t message_bytes_max_;
  std::uint32_t frame_bytes_left_ = 0;
  MaskKey frame_key_ = {};
  MaskKey message_key_ = {};  // of the message's first frame
  HeaderReader header_reader_;
  State state_ = State::header;
  Opcode frame_opcode_ = Opcode::continuation;
  Opcode message_opcode_ = Opcode::continuation;  // continuation exactly when no message is open
  bool frame_fin_ = false;
  std::uint8_t frame_offset_ = 0;  // of the next payload byte; modulo 256, of which the mask needs modulo 4
};

}  // namespace ringwall::websocket
