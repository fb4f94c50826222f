// storage.h: the little state there is: System.Number and Timestamp.Now, as a block's number tells them.
//
// Owner: the node; no state of its own but the clock it was made with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringwall::devnode {

class Storage {
 public:
  Storage(std::uint64_t start_unix_ms, std::uint32_t block_ms) : start_unix_ms_(start_unix_ms), block_ms_(block_ms) {}

  // The value under `key` ("0x" and digits) after block `number`, in hexadecimal; nothing where nothing is stored.
  [[nodiscard]] std::optional<std::string> value(std::string_view key, std::uint32_t number) const;

 private:
  std::uint64_t start_unix_ms_;
  std::uint32_t block_ms_;
};

}  // namespace ringwall::devnode
