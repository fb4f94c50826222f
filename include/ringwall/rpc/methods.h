// methods.h: what is known of the methods that Polkadot and Substrate nodes offer.
//
// Constant data, any thread. Source: polkadot-sdk (RPC API traits and their unsafe checks) and the JSON-RPC interface
// specification; src/rpc/known_methods.inc is the table, one line a method.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringwall::rpc {

enum class Safety : std::uint8_t {
  safe,
  unsafe_,      // the node denies it under --rpc-methods safe, or ought to
  conditional,  // by its params: see Condition
};

enum class Kind : std::uint8_t { call, subscribe, unsubscribe };

// What a call asks of the node: cheap is an answer from memory, normal a read or two, heavy a scan or a runtime call.
enum class CostClass : std::uint8_t { cheap, normal, heavy };

enum class Condition : std::uint8_t {
  none,
  has_keys,          // safe exactly when its first parameter is a list of at least one key
  unbounded,         // safe only for a node that bounds its time, which nothing in the call tells: as unsafe
  runtime_api_at_0,  // runs the runtime API function that its first parameter names
  runtime_api_at_1,
  runtime_api_at_2,
};

using MethodIndex = std::uint16_t;
inline constexpr MethodIndex no_method = 0xFFFF;

struct Method {
  std::string_view name;
  Safety safety;
  Kind kind;
  CostClass cost;
  Condition condition;
  // Of a subscribe the method that ends it, of an unsubscribe the one that began it; no_method for a call.
  MethodIndex pair;
};

// Sorted by name. An index is valid for one build of Ringwall, not between two.
std::span<const Method> known_methods();

}  // namespace ringwall::rpc
