// A body: the first byte chooses its framing, the second its length and bound, the third how the input is cut; the rest
// is the input. What must hold:
// - however the input is cut, the outcome is the same, and so is the payload of what is not refused;
// - the payload keeps to the bound, and a body that is whole, written again as chunks, reads the same.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/http/body.h>
#include <ringwall/http/writer.h>

namespace {

using namespace ringwall::http;

struct Reading {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  std::string_view refused;
};

// Takes all pieces out of one part; true when the body goes on.
bool read_part(BodyReader& reader, std::string_view part, Reading& reading) {
  std::string_view rest = part;
  while (true) {
    const std::size_t before = rest.size();
    const auto piece = reader.next(rest);
    if (!piece) {
      reading.refused = piece.error().why;
      return false;
    }
    reading.payload += piece->payload;
    reading.done = piece->done;
    if (piece->done || rest.empty()) break;
    RINGWALL_CHECK(rest.size() < before);
  }
  reading.consumed += part.size() - rest.size();
  return !reading.done;
}

Reading read_in_parts(BodyReader reader, std::string_view input, std::size_t part_bytes) {
  Reading reading;
  do {
    const std::string part(input.substr(0, part_bytes));
    input.remove_prefix(part.size());
    if (!read_part(reader, part, reading)) break;
  } while (!input.empty());
  RINGWALL_CHECK(reading.done == reader.done());
  RINGWALL_CHECK(reading.payload.size() == reader.payload_bytes());
  return reading;
}

void check_written_again(const std::string& payload, std::size_t chunk_bytes) {
  std::string body;
  for (std::string_view rest = payload; !rest.empty();) {
    const std::string_view data = rest.substr(0, chunk_bytes);
    std::array<char, chunk_header_bytes_max> header;
    body.append(header.data(), write_chunk_header(header, data.size()));
    body += data;
    body += chunk_end;
    rest.remove_prefix(data.size());
  }
  body += last_chunk;
  const Reading again = read_in_parts(BodyReader(Framing::chunked, 0), body, body.size());
  RINGWALL_CHECK(again.done);
  RINGWALL_CHECK(again.payload == payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto framing = static_cast<Framing>(data[0] % 4);
  const std::uint64_t length = data[1] % 16;
  const std::uint64_t bound = data[1] >= 128 ? body_unbounded : data[1] / 4U;
  const std::size_t part_bytes = data[2] % 32 + 1U;
  const std::string input(reinterpret_cast<const char*>(data) + 3, size - 3);
  const BodyReader reader(framing, length, bound);
  const Reading whole = read_in_parts(reader, input, input.size() + 1);
  for (const std::size_t bytes : {part_bytes, std::size_t{1}}) {
    const Reading parts = read_in_parts(reader, input, bytes);
    RINGWALL_CHECK(parts.done == whole.done);
    RINGWALL_CHECK(parts.refused == whole.refused);
    if (!whole.refused.empty()) continue;
    RINGWALL_CHECK(parts.payload == whole.payload);
    RINGWALL_CHECK(parts.consumed == whole.consumed);
  }
  RINGWALL_CHECK(whole.payload.size() <= bound);
  if (whole.done) check_written_again(whole.payload, part_bytes);
  return 0;
}
