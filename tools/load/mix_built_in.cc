// The mixes that are built in: reads that any Polkadot or Substrate node answers to the public, and that cost it
// little.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>

#include "load/mix.h"

namespace ringwall::load {

namespace {

struct Row {
  std::string_view method;
  std::string_view params;
  double weight;
};

// Storage keys: twox128 of the pallet's name, twox128 of the item's, and for an account blake2_128 of it and itself
// (the well-known development account Alice, whom every chain may be asked for).
#define SYSTEM_NUMBER "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac"
#define SYSTEM_EVENTS "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"
#define TIMESTAMP_NOW "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
#define SYSTEM_ACCOUNT_ALICE                                           \
  "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9" \
  "de1e86a9a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"

// What a tab asks while it opens (the metadata once, several hundred KiB from a real chain), and then of each block.
constexpr std::array apps = {
    Row{"chain_getBlockHash", "[0]", 4},
    Row{"state_getRuntimeVersion", "[]", 4},
    Row{"system_chain", "[]", 4},
    Row{"system_properties", "[]", 4},
    Row{"system_chainType", "[]", 2},
    Row{"system_name", "[]", 2},
    Row{"system_version", "[]", 2},
    Row{"rpc_methods", "[]", 2},
    Row{"state_getMetadata", "[]", 1},
    Row{"system_health", "[]", 8},
    Row{"chain_getHeader", "[]", 16},
    Row{"chain_getFinalizedHead", "[]", 8},
    Row{"chain_getBlock", "[]", 6},
    Row{"state_getStorage", R"([")" TIMESTAMP_NOW R"("])", 10},
    Row{"state_queryStorageAt", R"([[")" SYSTEM_ACCOUNT_ALICE R"(",")" SYSTEM_NUMBER R"("]])", 10},
    Row{"chain_subscribeNewHeads", "[]", 4},
    Row{"chain_subscribeFinalizedHeads", "[]", 3},
    Row{"state_subscribeRuntimeVersion", "[]", 4},
    Row{"state_subscribeStorage", R"([[")" TIMESTAMP_NOW R"("]])", 6},
};

// Balances, the next nonce, and what a transaction must name.
constexpr std::array wallet = {
    Row{"state_getStorage", R"([")" SYSTEM_ACCOUNT_ALICE R"("])", 40},
    Row{"system_accountNextIndex", R"(["5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"])", 15},
    Row{"chain_getHeader", "[]", 10},
    Row{"chain_getFinalizedHead", "[]", 10},
    Row{"chain_getBlockHash", "[0]", 5},
    Row{"state_getRuntimeVersion", "[]", 10},
    Row{"system_properties", "[]", 3},
    Row{"chain_subscribeNewHeads", "[]", 2},
    Row{"state_subscribeStorage", R"([[")" SYSTEM_NUMBER R"("]])", 5},
};

// Block after block: its hash, the block, its events and the runtime they were made by.
constexpr std::array indexer = {
    Row{"chain_getFinalizedHead", "[]", 10},
    Row{"chain_getBlockHash", "[]", 20},
    Row{"chain_getBlockHash", "[1]", 10},
    Row{"chain_getBlock", "[]", 25},
    Row{"chain_getHeader", "[]", 10},
    Row{"state_getStorage", R"([")" SYSTEM_EVENTS R"("])", 15},
    Row{"state_queryStorageAt", R"([[")" TIMESTAMP_NOW R"(",")" SYSTEM_NUMBER R"("]])", 10},
    Row{"state_getRuntimeVersion", "[]", 8},
    Row{"chain_subscribeFinalizedHeads", "[]", 2},
};

struct Named {
  std::string_view name;
  std::span<const Row> rows;
  double share;  // in "public"
};
constexpr std::array all = {Named{"apps", apps, 0.4}, Named{"wallet", wallet, 0.25}, Named{"indexer", indexer, 0.35}};

void append(std::vector<MixCall>& calls, std::span<const Row> rows, double share) {
  double total = 0;
  for (const Row& row : rows) total += row.weight;
  for (const Row& row : rows) {
    const double weight = row.weight / total * share;
    const auto equal = [&](const MixCall& call) { return call.method == row.method && call.params == row.params; };
    if (const auto found = std::ranges::find_if(calls, equal); found != calls.end()) {
      found->weight += weight;
      continue;
    }
    MixCall& call = calls.emplace_back();
    call.method = row.method;
    call.params = row.params;
    call.weight = weight;
    complete_subscription(call);
  }
}

}  // namespace

Result<std::shared_ptr<const Mix>> Mix::built_in(std::string_view name) {
  std::vector<MixCall> calls;
  for (const Named& named : all) {
    if (name == "public" || name == named.name) append(calls, named.rows, named.share);
  }
  if (calls.empty()) {
    return fail(fmt::format("found \"{}\", expected a mix that is built in: public, apps, wallet, indexer", name));
  }
  return std::shared_ptr<const Mix>(new Mix(std::move(calls)));
}

}  // namespace ringwall::load
