// scale.h: the little of SCALE, Substrate's encoding, that is written here.
// Source: docs.polkadot.com, "SCALE codec": fixed integers are little-endian; compact ones carry their size in the two
// low bits of the first byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringwall::devnode {

// `value` is below 2^30.
void append_compact(std::vector<std::byte>& out, std::uint32_t value);

// The `bytes` low bytes of `value`.
void append_little_endian(std::vector<std::byte>& out, std::uint64_t value, std::size_t bytes);

}  // namespace ringwall::devnode
