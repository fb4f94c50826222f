// Any bytes from a client, in any pieces: what comes out is what the reference makes of the whole.
//
// Input: a seed for the pieces, the message limit in units of 16 bytes, and the stream.
#include <cstddef>
#include <cstdint>

#include "unit/websocket/drive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::minstd_rand random(data[0] + 1U);
  const std::uint32_t message_bytes_max = 16U * data[1];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);

  const reference::Outcome expected = reference::read_client(stream, message_bytes_max);
  for (const auto& pieces : {drive::split_at(stream, {}), drive::split_randomly(stream, 100, random),
                             drive::split_randomly(stream, 4, random)}) {
    const reference::Outcome outcome = drive::client(pieces, message_bytes_max);
    RINGWALL_CHECK(outcome.seen == expected.seen);
    RINGWALL_CHECK(outcome.inside_message == expected.inside_message);
  }
  return 0;
}
