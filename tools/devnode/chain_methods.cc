// Blocks, their hashes, and the subscriptions to heads, with the aliases that older clients use.
#include <charconv>

#include "devnode/hex.h"
#include "devnode/methods.h"

namespace ringwall::devnode {

namespace {

void append_hash(Reply& reply, const std::optional<Hash>& hash) {
  hash ? reply.append_quoted(to_hex(*hash)) : reply.append("null");
}

// A number, or its digits in hexadecimal.
std::optional<std::uint64_t> read_number(simdjson::dom::element value) {
  std::uint64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS || !text.starts_with("0x")) return std::nullopt;
  const auto result = std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Outcome append_hash_of(Call& call, simdjson::dom::element value) {
  const auto number = read_number(value);
  if (!number) return std::unexpected(invalid_params("a block's number was expected"));
  append_hash(call.result,
              *number > UINT32_MAX ? std::nullopt : call.node.chain.hash(static_cast<std::uint32_t>(*number)));
  return {};
}

Outcome get_block_hash(Call& call) {
  const auto wanted = call.params.at(0);
  if (!wanted) {
    append_hash(call.result, call.node.chain.hash(call.node.chain.best()));
    return {};
  }
  simdjson::dom::array list;
  if (wanted->get(list) != simdjson::SUCCESS) return append_hash_of(call, *wanted);
  call.result.append("[");
  std::size_t index = 0;
  for (const simdjson::dom::element value : list) {
    if (index++ > 0) call.result.append(",");
    if (auto outcome = append_hash_of(call, value); !outcome) return outcome;
  }
  call.result.append("]");
  return {};
}

Outcome get_finalized_head(Call& call) {
  append_hash(call.result, call.node.chain.hash(call.node.chain.finalized()));
  return {};
}

// `before` and `after` go around the header.
Outcome append_header(Call& call, std::string_view before, std::string_view after) {
  const auto number = block_param(call, 0);
  if (!number) return std::unexpected(number.error());
  const Header* header = *number ? call.node.chain.header(**number) : nullptr;
  if (header == nullptr) {
    call.result.append("null");
  } else {
    call.result.append(before).append(header->to_json()).append(after);
  }
  return {};
}

Outcome get_header(Call& call) { return append_header(call, "", ""); }

Outcome get_block(Call& call) {
  return append_header(call, R"({"block":{"header":)", R"(,"extrinsics":[]},"justifications":null})");
}

Outcome genesis_hash(Call& call) {
  append_hash(call.result, call.node.chain.hash(0));
  return {};
}

constexpr Method methods[] = {
    {.name = "chainSpec_v1_genesisHash", .run = genesis_hash},
    {.name = "chain_getBlock", .run = get_block},
    {.name = "chain_getBlockHash", .run = get_block_hash},
    {.name = "chain_getFinalisedHead", .run = get_finalized_head},
    {.name = "chain_getFinalizedHead", .run = get_finalized_head},
    {.name = "chain_getHead", .run = get_block_hash},
    {.name = "chain_getHeader", .run = get_header},
    {.name = "chain_subscribeAllHeads", .run = subscribe<Topic::all_heads>},
    {.name = "chain_subscribeFinalisedHeads", .run = subscribe<Topic::finalized_heads>},
    {.name = "chain_subscribeFinalizedHeads", .run = subscribe<Topic::finalized_heads>},
    {.name = "chain_subscribeNewHead", .run = subscribe<Topic::new_heads>},
    {.name = "chain_subscribeNewHeads", .run = subscribe<Topic::new_heads>},
    {.name = "chain_unsubscribeAllHeads", .run = unsubscribe<Topic::all_heads>},
    {.name = "chain_unsubscribeFinalisedHeads", .run = unsubscribe<Topic::finalized_heads>},
    {.name = "chain_unsubscribeFinalizedHeads", .run = unsubscribe<Topic::finalized_heads>},
    {.name = "chain_unsubscribeNewHead", .run = unsubscribe<Topic::new_heads>},
    {.name = "chain_unsubscribeNewHeads", .run = unsubscribe<Topic::new_heads>},
    {.name = "subscribe_newHead", .run = subscribe<Topic::new_heads>},
    {.name = "unsubscribe_newHead", .run = unsubscribe<Topic::new_heads>},
};

}  // namespace

std::span<const Method> chain_methods() { return methods; }

}  // namespace ringwall::devnode
