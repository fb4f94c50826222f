// blake2b.h: BLAKE2b with a digest of 32 bytes and no key: the hash that Substrate makes of a block's header.
//
// Here because our wolfSSL is built without it. For small inputs: all of the input at once. Source: RFC 7693.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace ringwall::devnode {

using Hash = std::array<std::byte, 32>;

[[nodiscard]] Hash blake2b_256(std::span<const std::byte> bytes);

}  // namespace ringwall::devnode
