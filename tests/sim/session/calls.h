// calls.h: the JSON-RPC that simulated clients and nodes say, and how to tell what may never reach a node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringwall::sim {

// What call_text() adds to its payload, in bytes, at most.
inline constexpr std::size_t call_bytes_max = 160;

inline std::string call_text(std::uint64_t id, std::string_view method, std::string_view payload) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":[")" + std::string(payload) + R"("]})";
}

// What a node answers to a call or a batch of one: its parameter, or a subscription.
inline std::string answer_text(std::string_view call) {
  const std::size_t id = call.find("\"id\":") + 5;
  const std::size_t params = call.find("\"params\":[") + 10;
  const std::string_view payload = call.substr(params, call.find(']', params) - params);
  const bool subscribes = call.find("\"chain_subscribe") != call.npos;
  std::string text = R"({"jsonrpc":"2.0","id":)" + std::string(call.substr(id, call.find(',', id) - id)) +
                     R"(,"result":)" + (subscribes ? R"("sub")" : std::string(payload)) + "}";
  return call.starts_with('[') ? "[" + text + "]" : text;
}

// What a policy of safe methods must not let through.
inline bool is_denied(std::string_view text) {
  for (const std::string_view part : {"author_rotateKeys", "unheard_of", "no json"}) {
    if (text.find(part) != text.npos) return true;
  }
  return false;
}

// Ringwall's own answer: nodes here never refuse a call.
inline bool is_refusal(std::string_view text) { return text.find("\"error\":{") != text.npos; }

}  // namespace ringwall::sim
