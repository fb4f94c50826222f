// answer.h: a whole JSON-RPC message in, what is to be said to it out.
//
// Calls run in the order in which they stand. Thread: the server's.
// Source: JSON-RPC 2.0 section 6 (batches); jsonrpsee for what it leaves open.
#pragma once

#include <string_view>

#include "devnode/node.h"
#include "devnode/reply.h"
#include "devnode/rpc_error.h"
#include "devnode/subscriptions.h"

namespace ringwall::devnode {

// After the white space that a node skips. False: neither an object nor a list, which a node does not even try to read.
[[nodiscard]] bool looks_like_message(std::string_view text);

// Leaves `reply` empty when nothing is to be answered. `subscriptions` is null over POST.
void answer_message(Node& node, Subscriptions* subscriptions, std::string_view text, Reply& reply);

void append_error(Reply& reply, const Options& options, std::string_view id, const RpcError& error);

}  // namespace ringwall::devnode
