#include <ringwall/upstream/ask.h>
#include <ringwall/upstream/chain_answers.h>
#include <ringwall/upstream/observation.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

namespace ringwall::upstream {

namespace {

using Kind = Observation::Kind;

Observation failed(std::string why, bool is_silent = false) {
  return {.kind = Kind::failed, .why = std::move(why), .is_silent = is_silent};
}

std::string call_of(std::string_view method, const std::string& params = "[]") {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + R"(","params":)" + params + "}";
}

// The answer's JSON, or what is to be thought of a node that gives none.
std::expected<std::string, Observation> ask(Conversation& conversation, const std::string& call,
                                            Conversation::Turn turn) {
  const auto reply = conversation.ask(call, turn);
  if (!reply) return std::unexpected(failed(reply.error().message, conversation.is_silent()));
  if (reply->status() == 200) return reply->body();
  if (reply->status() == 429) return std::unexpected(Observation{.kind = Kind::at_limit});
  // What serves WebSockets alone refuses the method or the type, or wants an upgrade. Any other status would meet
  // clients too: 403 a Host that is not among those it takes, 401 or 404 a proxy that stands in front of it.
  constexpr std::array<unsigned, 3> of_websockets_alone{405, 415, 426};
  if (std::ranges::find(of_websockets_alone, reply->status()) != of_websockets_alone.end()) {
    return std::unexpected(Observation{.kind = Kind::open});
  }
  return std::unexpected(failed("the node answers with HTTP status " + std::to_string(reply->status())));
}

Observation unless_unknown(const CallError& error) {
  return error.is_unknown_method ? Observation{.kind = Kind::open} : failed(error.text);
}

// Asks one thing of the chain. Nothing: the node does not know this method, or the block.
template <typename T>
std::expected<std::optional<T>, Observation> ask_chain(Conversation& conversation, const std::string& call,
                                                       CallResult<T> (*parse)(std::string_view),
                                                       Conversation::Turn turn = Conversation::Turn::more) {
  const auto json = ask(conversation, call, turn);
  if (!json) return std::unexpected(json.error());
  auto result = parse(*json);
  if (result) return std::optional<T>(std::move(*result));
  if (result.error().is_unknown_method) return std::optional<T>();
  return std::unexpected(failed(result.error().text));
}

// `has_answered` is called once the node has said something, or taken a connection that asks for nothing.
Observation look(Conversation& conversation, bool speaks_rpc, auto has_answered) {
  if (const auto connected = conversation.connect(); !connected) {
    return failed(connected.error().message, conversation.is_silent());
  }
  if (!speaks_rpc) {
    has_answered();
    return {.kind = Kind::open};
  }
  const auto json = ask(conversation, call_of("system_health"), Conversation::Turn::more);
  has_answered();
  if (!json) return json.error();
  const auto health = parse_system_health(*json);
  if (!health) return unless_unknown(health.error());
  const auto best = ask_chain(conversation, call_of("chain_getHeader"), parse_block_number);
  if (!best) return best.error();
  const auto hash = ask_chain(conversation, call_of("chain_getFinalizedHead"), parse_block_hash);
  if (!hash) return hash.error();
  Observation seen{.kind = Kind::chain,
                   .is_syncing = health->is_syncing,
                   .should_have_peers = health->should_have_peers,
                   .peers = health->peers,
                   .best = *best};
  if (*hash) {
    const auto finalized = ask_chain(conversation, call_of("chain_getHeader", "[\"" + **hash + "\"]"),
                                     parse_block_number, Conversation::Turn::last);
    if (!finalized) return finalized.error();
    seen.finalized = *finalized;
  }
  return seen;
}

}  // namespace

Observation observe(const Target& target, bool speaks_rpc, int stop_event, std::uint32_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  Conversation conversation(target, stop_event, timeout_ms);
  const auto began = Clock::now();
  auto answered = began;
  Observation seen = look(conversation, speaks_rpc, [&] { answered = Clock::now(); });
  if (seen.kind != Kind::failed) {
    seen.latency_ns =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(answered - began).count());
  }
  return seen;
}

}  // namespace ringwall::upstream
