#include "devnode/storage.h"

#include <ringwall/http/field.h>

#include <vector>

#include "devnode/hex.h"
#include "devnode/scale.h"

namespace ringwall::devnode {

namespace {

// A plain value's key is twox128 of its pallet's name, then twox128 of its own.
constexpr std::string_view system_number = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
constexpr std::string_view timestamp_now = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb";

}  // namespace

std::optional<std::string> Storage::value(std::string_view key, std::uint32_t number) const {
  std::vector<std::byte> scale;
  if (http::equals_ignoring_case(key, system_number)) {
    append_little_endian(scale, number, 4);
  } else if (http::equals_ignoring_case(key, timestamp_now)) {
    append_little_endian(scale, start_unix_ms_ + std::uint64_t{number} * block_ms_, 8);
  } else {
    return std::nullopt;
  }
  return to_hex(scale);
}

}  // namespace ringwall::devnode
