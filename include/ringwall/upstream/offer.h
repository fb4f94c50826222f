// offer.h: the methods that a node says it has, asked for once over HTTP.
//
// OfferReader is the codec: the bytes of the node's answer in, the names out; no I/O. ask_offer() blocks its thread,
// for no longer than it is told, and ends at once when `stop_event` is readable. What a node says is untrusted: names
// that no method has (anything but letters, digits, `_`, `-` and `.`, or over the bound) are dropped, and an answer
// over the other bounds is an error. An Error's sentence holds no text of the node's. Source: jsonrpsee,
// RpcModule::rpc_methods: {"methods":[names]}.
#pragma once

#include <ringwall/error.h>
#include <ringwall/http/body.h>
#include <ringwall/upstream/target.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::upstream {

// Of the whole answer, with its head and framing. polkadot-sdk's list has 6 KiB.
inline constexpr std::size_t offer_bytes_max = 1 << 20;
inline constexpr std::size_t offered_methods_max = 4096;
inline constexpr std::size_t offered_name_bytes_max = 128;

// Names, sorted, each once. Never empty.
using Offer = std::vector<std::string>;

class OfferReader {
 public:
  // Takes more of the answer. True: it is whole, and what follows is not looked at.
  [[nodiscard]] Result<bool> take(std::string_view bytes);
  // The node closed. An error if its answer is not whole.
  [[nodiscard]] Result<void> end();
  // Of an answer that is whole.
  [[nodiscard]] Result<Offer> offer() const;

 private:
  [[nodiscard]] Result<bool> take_head();
  [[nodiscard]] Result<bool> take_body(std::string_view bytes);

  std::size_t bytes_ = 0;
  bool has_head_ = false;
  std::string head_;  // until it is whole
  std::string body_;
  http::BodyReader reader_{};
};

// The offer in a JSON-RPC answer to the call that ask_offer() sends.
[[nodiscard]] Result<Offer> parse_offer(std::string_view json);

// Tries the addresses of `target` in their order until one takes the connection. `timeout_ms` is for all of it.
[[nodiscard]] Result<Offer> ask_offer(const Target& target, int stop_event, std::uint32_t timeout_ms);

}  // namespace ringwall::upstream
