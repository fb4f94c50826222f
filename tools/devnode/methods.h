// methods.h: the methods that the dev node has, one table a group.
//
// A method appends its result, as JSON, or says what is wrong. Thread: the server's.
#pragma once

#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "devnode/node.h"
#include "devnode/reply.h"
#include "devnode/request.h"
#include "devnode/rpc_error.h"
#include "devnode/subscriptions.h"

namespace ringwall::devnode {

struct Call {
  Node& node;
  Subscriptions* subscriptions;  // of the WebSocket that asks; none over POST
  const Params& params;
  Reply& result;
};

using Outcome = std::expected<void, RpcError>;

struct Method {
  std::string_view name;
  Outcome (*run)(Call&) = nullptr;
  std::string_view always = {};  // the result of a method without `run`
  bool is_unsafe = false;        // denied unless asked for
};

[[nodiscard]] std::span<const Method> author_methods();
[[nodiscard]] std::span<const Method> chain_methods();
[[nodiscard]] std::span<const Method> health_methods();
[[nodiscard]] std::span<const Method> load_methods();
[[nodiscard]] std::span<const Method> state_methods();
[[nodiscard]] std::span<const Method> system_methods();

// All of them, by name.
[[nodiscard]] const std::vector<Method>& all_methods();
[[nodiscard]] const Method* find_method(std::string_view name);

// What the methods of several groups are made of. -----------------------------------------------------------------

// The string at that place of the parameters.
[[nodiscard]] std::expected<std::string_view, RpcError> string_param(const Call& call, std::size_t index);

// The block whose hash stands at that place, the best one when none does; nothing for a hash that is not known.
[[nodiscard]] std::expected<std::optional<std::uint32_t>, RpcError> block_param(const Call& call, std::size_t index);

// Where subscriptions can be: an error over POST.
[[nodiscard]] std::expected<Subscriptions*, RpcError> subscriptions_of(const Call& call);

template <Topic topic>
Outcome subscribe(Call& call) {
  const auto subscriptions = subscriptions_of(call);
  if (!subscriptions) return std::unexpected(subscriptions.error());
  const auto id = (*subscriptions)->add(topic);
  if (!id) return std::unexpected(id.error());
  call.result.append_quoted(*id);
  return {};
}

template <Topic topic>
Outcome unsubscribe(Call& call) {
  const auto subscriptions = subscriptions_of(call);
  if (!subscriptions) return std::unexpected(subscriptions.error());
  const auto id = string_param(call, 0);
  if (!id) return std::unexpected(id.error());
  call.result.append((*subscriptions)->remove(topic, *id) ? "true" : "false");
  return {};
}

}  // namespace ringwall::devnode
