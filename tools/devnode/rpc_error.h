// rpc_error.h: the error codes of a Substrate node's JSON-RPC, and its words for them.
// Source: JSON-RPC 2.0 section 5.1, jsonrpsee's error codes, sc-rpc-api's (4003: state, 1010: author).
#pragma once

#include <string>
#include <string_view>

namespace ringwall::devnode {

struct RpcError {
  int code;
  std::string_view message;
  std::string data{};  // left out when empty
};

inline constexpr std::string_view unsafe_message = "RPC call is unsafe to be called externally";

inline RpcError parse_error() { return {-32700, "Parse error"}; }
inline RpcError invalid_request() { return {-32600, "Invalid request"}; }
inline RpcError method_not_found() { return {-32601, "Method not found"}; }
inline RpcError unsafe_call() { return {-32601, unsafe_message}; }
inline RpcError invalid_params(std::string why) { return {-32602, "Invalid params", std::move(why)}; }
inline RpcError internal_error() { return {-32603, "Internal error"}; }
inline RpcError too_many_subscriptions(std::size_t most) {
  return {-32006, "Too many subscriptions on the connection", "Exceeded max limit of " + std::to_string(most)};
}
inline RpcError request_too_big(std::size_t most) {
  return {-32007, "Request is too big", "Exceeded max limit of " + std::to_string(most)};
}
inline RpcError response_too_big(std::size_t most) {
  return {-32008, "Response is too big", "Exceeded max limit of " + std::to_string(most)};
}
inline RpcError batch_response_too_big(std::size_t most) {
  return {-32011, "The batch response was too large", "Exceeded max limit of " + std::to_string(most)};
}
inline RpcError state_error(std::string_view why) { return {4003, why}; }

}  // namespace ringwall::devnode
