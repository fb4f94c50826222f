// notification.h: how a subscription's notifications begin and end, around the result.
// Source: jsonrpsee's SubscriptionResponse.
#pragma once

#include <string_view>

#include "devnode/reply.h"

namespace ringwall::devnode {

inline void begin_notification(Reply& message, std::string_view method, std::string_view subscription) {
  message.append(R"({"jsonrpc":"2.0","method":")").append(method).append(R"(","params":{"subscription":")");
  message.append(subscription).append(R"(","result":)");
}

inline void end_notification(Reply& message) { message.append("}}"); }

}  // namespace ringwall::devnode
