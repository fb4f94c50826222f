// frames.h: WebSocket as the simulated clients and nodes speak it: written plainly, read by a reader of their own, so
// that a mistake of the project's codecs is not made twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringwall::sim {

struct Frame {
  bool fin = true;
  unsigned opcode = 1;
  std::string payload;
};

// `key` other than 0 masks the frame with its four bytes: a client's.
[[nodiscard]] std::string frame_text(unsigned opcode, std::string_view payload, std::uint32_t key, bool fin = true);
[[nodiscard]] std::string close_payload(unsigned code, std::string_view reason);
[[nodiscard]] unsigned close_code(std::string_view payload);  // 1005 when there is none

// Takes a frame off the front of `bytes`; nothing while it is not whole. What no peer may send sets `broken`.
[[nodiscard]] std::optional<Frame> take_frame(std::string& bytes, bool masked, bool& broken);

}  // namespace ringwall::sim
