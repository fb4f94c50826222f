#include "devnode/methods.h"

#include <algorithm>
#include <cstring>

#include "devnode/hex.h"

namespace ringwall::devnode {

namespace {

Outcome list_methods(Call& call) {
  call.result.append(R"({"methods":[)");
  bool is_first = true;
  for (const Method& method : all_methods()) {
    if (!is_first) call.result.append(",");
    is_first = false;
    call.result.append_quoted(method.name);
  }
  call.result.append("]}");
  return {};
}

std::vector<Method> make_table() {
  std::vector<Method> table = {{.name = "rpc_methods", .run = list_methods}};
  for (const auto& group :
       {author_methods(), chain_methods(), health_methods(), load_methods(), state_methods(), system_methods()}) {
    table.insert(table.end(), group.begin(), group.end());
  }
  std::ranges::sort(table, {}, &Method::name);
  return table;
}

}  // namespace

const std::vector<Method>& all_methods() {
  static const std::vector<Method> table = make_table();
  return table;
}

const Method* find_method(std::string_view name) {
  const std::vector<Method>& table = all_methods();
  const auto found = std::ranges::lower_bound(table, name, {}, &Method::name);
  return found != table.end() && found->name == name ? &*found : nullptr;
}

std::expected<std::string_view, RpcError> string_param(const Call& call, std::size_t index) {
  const auto value = call.params.at(index);
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) {
    return std::unexpected(invalid_params("a string was expected at parameter " + std::to_string(index)));
  }
  return text;
}

std::expected<std::optional<std::uint32_t>, RpcError> block_param(const Call& call, std::size_t index) {
  if (!call.params.at(index)) return call.node.chain.best();
  const auto text = string_param(call, index);
  if (!text) return std::unexpected(text.error());
  const auto bytes = from_hex(*text);
  Hash hash;
  if (!bytes || bytes->size() != hash.size()) {
    return std::unexpected(invalid_params("a block's hash was expected at parameter " + std::to_string(index)));
  }
  std::ranges::copy(*bytes, hash.begin());
  return call.node.chain.number(hash);
}

std::expected<Subscriptions*, RpcError> subscriptions_of(const Call& call) {
  if (call.subscriptions == nullptr) return std::unexpected(internal_error());
  return call.subscriptions;
}

}  // namespace ringwall::devnode
