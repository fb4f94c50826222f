// change_set.h: storage as subscriptions and queries tell it: a block, and keys with their values at it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "devnode/node.h"
#include "devnode/reply.h"

namespace ringwall::devnode {

// Block `number` is known. Without nulls only keys with a value are told; false, and nothing written, if there is none.
[[nodiscard]] bool append_change_set(Reply& reply, const Node& node, std::uint32_t number,
                                     std::span<const std::string> keys, bool with_nulls);

}  // namespace ringwall::devnode
