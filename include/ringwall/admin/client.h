// client.h: asks a running Ringwall's admin interface, as `ringwall ctl` does. Blocks, for as long as `patience` at
// most between two pieces of the answer.
#pragma once

#include <ringwall/error.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace ringwall::admin {

inline constexpr std::size_t reply_bytes_max = 64 << 20;
inline constexpr std::chrono::seconds patience_default{30};  // a reload may take its time

struct Reply {
  int status = 0;
  std::string body;
};

// `at` is the path of a Unix socket where it has a slash or no colon, else ADDR:PORT. The error says what could not be
// reached.
[[nodiscard]] Result<Reply> ask(const std::string& at, std::string_view method, std::string_view target,
                                std::chrono::seconds patience = patience_default);

// For a value in a query.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace ringwall::admin
