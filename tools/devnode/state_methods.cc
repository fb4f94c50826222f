// The runtime's version and metadata, and the little storage there is.
#include "devnode/change_set.h"
#include "devnode/hex.h"
#include "devnode/methods.h"
#include "devnode/scale.h"

namespace ringwall::devnode {

namespace {

RpcError unknown_block() { return state_error("Client error: UnknownBlock: no block has that hash"); }

// As block_param, where a block that is not known is an error.
std::expected<std::uint32_t, RpcError> known_block_param(const Call& call, std::size_t index) {
  const auto number = block_param(call, index);
  if (!number) return std::unexpected(number.error());
  if (!*number) return std::unexpected(unknown_block());
  return **number;
}

std::expected<std::vector<std::string>, RpcError> keys_param(const Call& call) {
  const auto value = call.params.at(0);
  simdjson::dom::array list;
  if (!value || value->get(list) != simdjson::SUCCESS)
    return std::unexpected(invalid_params("a list of keys was expected"));
  std::vector<std::string> keys;
  for (const simdjson::dom::element key : list) {
    std::string_view text;
    if (key.get(text) != simdjson::SUCCESS || !from_hex(text)) {
      return std::unexpected(invalid_params("a key is hexadecimal text with 0x"));
    }
    keys.emplace_back(text);
  }
  return keys;
}

Outcome get_runtime_version(Call& call) {
  if (const auto block = known_block_param(call, 0); !block) return std::unexpected(block.error());
  call.result.append(call.node.runtime.version_json());
  return {};
}

Outcome get_metadata(Call& call) {
  if (const auto block = known_block_param(call, 0); !block) return std::unexpected(block.error());
  call.result.append("\"0x").append_shared(call.node.runtime.metadata_digits()).append("\"");
  return {};
}

Outcome get_storage(Call& call) {
  const auto key = string_param(call, 0);
  if (!key) return std::unexpected(key.error());
  if (!from_hex(*key)) return std::unexpected(invalid_params("a key is hexadecimal text with 0x"));
  const auto block = known_block_param(call, 1);
  if (!block) return std::unexpected(block.error());
  const auto value = call.node.storage.value(*key, *block);
  value ? call.result.append_quoted(*value) : call.result.append("null");
  return {};
}

Outcome query_storage_at(Call& call) {
  const auto keys = keys_param(call);
  if (!keys) return std::unexpected(keys.error());
  const auto block = known_block_param(call, 1);
  if (!block) return std::unexpected(block.error());
  call.result.append("[");
  (void)append_change_set(call.result, call.node, *block, *keys, true);
  call.result.append("]");
  return {};
}

// Without keys it would be all of storage: a node denies that as it denies unsafe calls.
Outcome subscribe_storage(Call& call) {
  const auto subscriptions = subscriptions_of(call);
  if (!subscriptions) return std::unexpected(subscriptions.error());
  if (!call.params.at(0)) return std::unexpected(unsafe_call());
  auto keys = keys_param(call);
  if (!keys) return std::unexpected(keys.error());
  const auto id = (*subscriptions)->add_storage(std::move(*keys));
  if (!id) return std::unexpected(id.error());
  call.result.append_quoted(*id);
  return {};
}

// A vector of the one version there is.
Outcome metadata_versions(Call& call) {
  std::vector<std::byte> scale;
  append_compact(scale, 1);
  append_little_endian(scale, call.node.runtime.metadata_version(), 4);
  call.result.append_quoted(to_hex(scale));
  return {};
}

// An option of opaque bytes: None for any version but the one there is.
Outcome metadata_at_version(Call& call, std::string_view argument) {
  const Runtime& runtime = call.node.runtime;
  std::vector<std::byte> wanted;
  append_little_endian(wanted, runtime.metadata_version(), 4);
  if (argument != to_hex(wanted)) {
    call.result.append("\"0x00\"");
    return {};
  }
  std::vector<std::byte> some = {std::byte{1}};
  append_compact(some, static_cast<std::uint32_t>(runtime.metadata_bytes()));
  call.result.append("\"").append(to_hex(some)).append_shared(runtime.metadata_digits()).append("\"");
  return {};
}

Outcome call_runtime(Call& call) {
  const auto function = string_param(call, 0);
  if (!function) return std::unexpected(function.error());
  const auto argument = string_param(call, 1);
  if (!argument) return std::unexpected(argument.error());
  if (const auto block = known_block_param(call, 2); !block) return std::unexpected(block.error());
  const bool is_versions = *function == "Metadata_metadata_versions";
  const bool is_at_version = *function == "Metadata_metadata_at_version";
  if (!is_versions && !is_at_version) {
    return std::unexpected(state_error("Client error: this stand-in has no runtime to call that function of"));
  }
  return is_versions ? metadata_versions(call) : metadata_at_version(call, *argument);
}

constexpr Method methods[] = {
    {.name = "chain_getRuntimeVersion", .run = get_runtime_version},
    {.name = "chain_subscribeRuntimeVersion", .run = subscribe<Topic::runtime_version>},
    {.name = "chain_unsubscribeRuntimeVersion", .run = unsubscribe<Topic::runtime_version>},
    {.name = "state_call", .run = call_runtime},
    {.name = "state_callAt", .run = call_runtime},
    {.name = "state_getMetadata", .run = get_metadata},
    {.name = "state_getPairs", .always = "[]", .is_unsafe = true},
    {.name = "state_getRuntimeVersion", .run = get_runtime_version},
    {.name = "state_getStorage", .run = get_storage},
    {.name = "state_getStorageAt", .run = get_storage},
    {.name = "state_queryStorageAt", .run = query_storage_at},
    {.name = "state_subscribeRuntimeVersion", .run = subscribe<Topic::runtime_version>},
    {.name = "state_subscribeStorage", .run = subscribe_storage},
    {.name = "state_unsubscribeRuntimeVersion", .run = unsubscribe<Topic::runtime_version>},
    {.name = "state_unsubscribeStorage", .run = unsubscribe<Topic::storage>},
};

}  // namespace

std::span<const Method> state_methods() { return methods; }

}  // namespace ringwall::devnode
