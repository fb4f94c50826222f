#include <ringwall/upstream/ask.h>
#include <ringwall/upstream/offer.h>

#include "call_result.h"

#include <algorithm>
#include <utility>

namespace ringwall::upstream {

namespace {

bool is_offered_name(std::string_view name) {
  return !name.empty() && name.size() <= offered_name_bytes_max && std::ranges::all_of(name, [](char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '_' || byte == '-' || byte == '.';
  });
}

}  // namespace

Result<Offer> parse_offer(std::string_view json) {
  simdjson::dom::parser parser;
  const auto result = call_result(parser, json);
  if (!result) return fail(result.error().text);
  simdjson::dom::array methods;
  if ((*result)["methods"].get(methods) != simdjson::SUCCESS) return fail("the node's answer has no methods");
  Offer offer;
  std::size_t count = 0;
  for (const simdjson::dom::element row : methods) {
    if (++count > offered_methods_max) {
      return fail("the node names more than " + std::to_string(offered_methods_max) + " methods");
    }
    std::string_view name;
    if (row.get(name) == simdjson::SUCCESS && is_offered_name(name)) offer.emplace_back(name);
  }
  std::ranges::sort(offer);
  const auto repeated = std::ranges::unique(offer);
  offer.erase(repeated.begin(), repeated.end());
  if (offer.empty()) return fail("the node names no method");
  return offer;
}

Result<Offer> offer_of(const ReplyReader& reply) {
  if (reply.status() != 200) return fail("the node answers with HTTP status " + std::to_string(reply.status()));
  return parse_offer(reply.body());
}

Result<Offer> ask_offer(const Target& target, int stop_event, std::uint32_t timeout_ms) {
  Conversation conversation(target, stop_event, timeout_ms);
  const auto reply = conversation.ask(R"({"jsonrpc":"2.0","id":1,"method":"rpc_methods"})", Conversation::Turn::last);
  return reply ? offer_of(*reply) : std::unexpected(reply.error());
}

}  // namespace ringwall::upstream
