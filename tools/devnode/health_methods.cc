// How well the node is, and what makes it ill.
#include "devnode/methods.h"

namespace ringwall::devnode {

namespace {

std::string_view text_of(bool value) { return value ? "true" : "false"; }

Outcome system_health(Call& call) {
  const Health& health = call.node.health;
  call.result.append(R"({"peers":)").append(health.peers);
  call.result.append(R"(,"isSyncing":)").append(text_of(health.is_syncing));
  call.result.append(R"(,"shouldHavePeers":)").append(text_of(health.should_have_peers)).append("}");
  return {};
}

Outcome set_health(Call& call) {
  const auto first = call.params.at(0);
  Health health;
  if (!first || (*first)["peers"].get(health.peers) != simdjson::SUCCESS ||
      (*first)["isSyncing"].get(health.is_syncing) != simdjson::SUCCESS ||
      (*first)["shouldHavePeers"].get(health.should_have_peers) != simdjson::SUCCESS) {
    return std::unexpected(invalid_params("what system_health answers was expected"));
  }
  call.node.health = health;
  call.result.append("null");
  return {};
}

Outcome hold_blocks(Call& call) {
  const auto first = call.params.at(0);
  bool holds = false;
  if (!first || first->get(holds) != simdjson::SUCCESS) {
    return std::unexpected(invalid_params("true or false was expected"));
  }
  call.node.holds_blocks = holds;
  call.result.append("null");
  return {};
}

constexpr Method methods[] = {
    {.name = "dev_holdBlocks", .run = hold_blocks},
    {.name = "dev_setHealth", .run = set_health},
    {.name = "system_health", .run = system_health},
};

}  // namespace

std::span<const Method> health_methods() { return methods; }

}  // namespace ringwall::devnode
