// Any bytes from the node, in any pieces: what is relayed, tapped and reported is what the reference makes of the
// whole.
//
// Input: a seed for the pieces, and the stream.
#include <cstddef>
#include <cstdint>

#include "unit/websocket/drive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::minstd_rand random(data[0] + 1U);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);

  const reference::Outcome expected = reference::read_node(stream);
  for (const auto& pieces : {drive::split_at(stream, {}), drive::split_randomly(stream, 100, random),
                             drive::split_randomly(stream, 4, random)}) {
    const reference::Outcome outcome = drive::node(pieces);
    RINGWALL_CHECK(outcome.seen == expected.seen);
    RINGWALL_CHECK(outcome.inside_message == expected.inside_message);
    RINGWALL_CHECK(outcome.at_frame_boundary == expected.at_frame_boundary);
    RINGWALL_CHECK(outcome.messages == expected.messages);
    RINGWALL_CHECK(outcome.payloads == expected.payloads);
    RINGWALL_CHECK(outcome.open_payload == expected.open_payload);
  }
  return 0;
}
