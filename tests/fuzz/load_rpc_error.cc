// Any bytes as a node's message, cut anywhere: what is told of its error is short, UTF-8, and steers no terminal.
#include <ringwall/check.h>
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "load/rpc_error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> exact(data, data + size);
  const std::string text = ringwall::load::rpc_error_text({exact.data(), exact.size()});
  RINGWALL_CHECK(!text.empty() && text.size() < 200);
  RINGWALL_CHECK(simdjson::validate_utf8(text));
  RINGWALL_CHECK(
      std::ranges::none_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }));
  return 0;
}
