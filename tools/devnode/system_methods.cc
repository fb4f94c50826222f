// What a node says of itself. This one says what it is.
#include "devnode/methods.h"

namespace ringwall::devnode {

namespace {

constexpr std::string_view chain_name = R"("Ringwall stand-in chain")";
constexpr std::string_view properties = R"({"ss58Format":42,"tokenDecimals":12,"tokenSymbol":"DEV"})";

Outcome sync_state(Call& call) {
  const std::uint64_t best = call.node.chain.best();
  call.result.append(R"({"startingBlock":0,"currentBlock":)").append(best).append(R"(,"highestBlock":)");
  call.result.append(best).append("}");
  return {};
}

Outcome account_next_index(Call& call) {
  if (const auto account = string_param(call, 0); !account) return std::unexpected(account.error());
  call.result.append("0");
  return {};
}

constexpr Method methods[] = {
    {.name = "account_nextIndex", .run = account_next_index},
    {.name = "chainSpec_v1_chainName", .always = chain_name},
    {.name = "chainSpec_v1_properties", .always = properties},
    {.name = "system_accountNextIndex", .run = account_next_index},
    {.name = "system_addLogFilter", .always = "null", .is_unsafe = true},
    {.name = "system_addReservedPeer", .always = "null", .is_unsafe = true},
    {.name = "system_chain", .always = chain_name},
    {.name = "system_chainType", .always = R"("Development")"},
    {.name = "system_localListenAddresses", .always = "[]"},
    {.name = "system_localPeerId", .always = R"("12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")"},
    {.name = "system_name", .always = R"("ringwall-devnode, a stand-in for a node")"},
    {.name = "system_nodeRoles", .always = R"(["Full"])"},
    {.name = "system_peers", .always = "[]", .is_unsafe = true},
    {.name = "system_properties", .always = properties},
    {.name = "system_removeReservedPeer", .always = "null", .is_unsafe = true},
    {.name = "system_reservedPeers", .always = "[]"},
    {.name = "system_resetLogFilter", .always = "null", .is_unsafe = true},
    {.name = "system_syncState", .run = sync_state},
    {.name = "system_version", .always = "\"" RINGWALL_VERSION "-stand-in\""},
};

}  // namespace

std::span<const Method> system_methods() { return methods; }

}  // namespace ringwall::devnode
