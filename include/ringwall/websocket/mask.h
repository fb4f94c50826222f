// mask.h: the XOR that a client puts over its payloads.
//
// Masking and unmasking are the same operation, and any offset into the frame's payload may be the start, so a payload
// can be worked on in the pieces in which it arrives. Pure functions, any thread. Source: RFC 6455, section 5.3.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace ringwall::websocket {

using MaskKey = std::array<std::byte, 4>;

// `offset` is the place of data[0] in the frame's payload, in bytes; only its two low bits matter.
void apply_mask(std::span<std::byte> data, MaskKey key, std::size_t offset);

// The same on the way from `source` to `target`, which have equal sizes and are either the same bytes or do not
// overlap.
void apply_mask(std::span<std::byte> target, std::span<const std::byte> source, MaskKey key, std::size_t offset);

}  // namespace ringwall::websocket
