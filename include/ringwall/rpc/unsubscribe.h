// unsubscribe.h: which subscription an unsubscribe is about.
//
// Pure function, any thread, no allocation. Source: jsonrpsee (core/src/server/rpc_module.rs), whose unsubscribes take
// one parameter, a string or a number.
#pragma once

#include <string_view>

namespace ringwall::rpc {

// The raw JSON text of the first element of a list, or of an object's only member; empty if that is no string and no
// number, or there is none. `params` are those of a Call, whose grammar has been checked.
[[nodiscard]] std::string_view subscription_in(std::string_view params);

// As raw JSON text: what may be a subscription's id.
[[nodiscard]] bool is_subscription_id(std::string_view value);

}  // namespace ringwall::rpc
