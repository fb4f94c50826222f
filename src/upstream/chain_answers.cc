#include "call_result.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace ringwall::upstream {

namespace {

constexpr std::int64_t method_not_found = -32601;  // JSON-RPC 2.0 section 5.1
constexpr std::size_t hash_characters = 2 + 64;
constexpr std::string_view hex_prefix = "0x";

std::unexpected<CallError> broken(std::string text) { return std::unexpected(CallError{.text = std::move(text)}); }

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

CallResult<simdjson::dom::element> call_result(simdjson::dom::parser& parser, std::string_view json) {
  simdjson::dom::element answer;
  // Copied: the parser reads some bytes beyond the text's end.
  if (parser.parse(json.data(), json.size(), true).get(answer) != simdjson::SUCCESS) {
    return broken("the node's answer is no JSON");
  }
  simdjson::dom::element error;
  if (answer["error"].get(error) == simdjson::SUCCESS && !error.is_null()) {
    std::int64_t code = 0;
    if (error["code"].get(code) != simdjson::SUCCESS) return broken("the node answers with an error");
    return std::unexpected(CallError{.text = "the node answers with error " + std::to_string(code),
                                     .is_unknown_method = code == method_not_found});
  }
  std::uint64_t id = 0;
  if (answer["id"].get(id) != simdjson::SUCCESS || id != 1) return broken("the node answers another call");
  simdjson::dom::element result;
  if (answer["result"].get(result) != simdjson::SUCCESS) return broken("the node's answer has no result");
  return result;
}

CallResult<SystemHealth> parse_system_health(std::string_view json) {
  simdjson::dom::parser parser;
  const auto result = call_result(parser, json);
  if (!result) return std::unexpected(result.error());
  std::uint64_t peers = 0;
  SystemHealth health{};
  if ((*result)["peers"].get(peers) != simdjson::SUCCESS ||
      (*result)["isSyncing"].get(health.is_syncing) != simdjson::SUCCESS ||
      (*result)["shouldHavePeers"].get(health.should_have_peers) != simdjson::SUCCESS) {
    return broken("the node's answer to system_health has not what is due in it");
  }
  health.peers = static_cast<std::uint32_t>(std::min<std::uint64_t>(peers, std::numeric_limits<std::uint32_t>::max()));
  return health;
}

CallResult<std::uint32_t> parse_block_number(std::string_view json) {
  simdjson::dom::parser parser;
  const auto result = call_result(parser, json);
  if (!result) return std::unexpected(result.error());
  std::string_view text;
  std::uint32_t number = 0;
  if ((*result)["number"].get(text) == simdjson::SUCCESS && text.starts_with(hex_prefix)) {
    text.remove_prefix(hex_prefix.size());
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return number;
  }
  return broken("the node's answer has no number of a block");
}

CallResult<std::string> parse_block_hash(std::string_view json) {
  simdjson::dom::parser parser;
  const auto result = call_result(parser, json);
  if (!result) return std::unexpected(result.error());
  std::string_view text;
  if (result->get(text) != simdjson::SUCCESS || text.size() != hash_characters || !text.starts_with(hex_prefix) ||
      !std::ranges::all_of(text.substr(hex_prefix.size()), is_hex_digit)) {
    return broken("the node's answer has no hash of a block");
  }
  return std::string(text);
}

}  // namespace ringwall::upstream
