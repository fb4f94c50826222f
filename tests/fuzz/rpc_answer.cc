// Any bytes as a node's message, cut anywhere: nothing is read beyond them, and what is told of a message lies in it.
//
// Input: where the head ends and the tail starts, then the message.
#include <ringwall/check.h>
#include <ringwall/rpc/answer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unit/rpc/reference.h"

namespace {

using namespace ringwall::rpc;

bool lies_in(std::string_view part, const std::vector<char>& whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// The id of a message that is JSON: its member, if it has one of that name.
std::string id_of(const reference::Value& message) {
  for (std::size_t i = 0; i < message.keys.size(); ++i) {
    if (message.keys[i].raw == "\"id\"") return message.values[i].raw;
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t head_bytes = std::min<std::size_t>(data[0], text.size());
  const std::size_t tail_start = std::min<std::size_t>(data[1], text.size());
  const bool is_cut = head_bytes < text.size() && tail_start < text.size();

  const std::vector<char> head(text.begin(),
                               is_cut ? text.begin() + static_cast<std::ptrdiff_t>(head_bytes) : text.end());
  const std::vector<char> tail(is_cut ? text.begin() + static_cast<std::ptrdiff_t>(tail_start) : text.end(),
                               text.end());
  const Answer answer = classify_answer({head.data(), head.size()}, {tail.data(), tail.size()});
  RINGWALL_CHECK(lies_in(answer.id, head) || lies_in(answer.id, tail));
  for (const auto part : {answer.value, answer.method, answer.subscription, answer.item}) {
    RINGWALL_CHECK(lies_in(part, head));
  }
  static_cast<void>(ends_subscription(answer));

  const auto message = reference::Tree::of(text);
  const bool is_response = answer.kind == Answer::Kind::result || answer.kind == Answer::Kind::error;
  if (is_response) RINGWALL_CHECK(!answer.id.empty());
  if (is_response && message) RINGWALL_CHECK(id_of(*message) == answer.id);
  return 0;
}
