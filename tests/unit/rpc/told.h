// told.h: what an Inspector tells of a message, as values that can be compared with the reference.
#pragma once

#include <ringwall/check.h>
#include <ringwall/rpc/inspect.h>

#include <expected>
#include <string>
#include <vector>

#include "unit/rpc/reference.h"

namespace told {

namespace rpc = ringwall::rpc;

inline std::string name_of(rpc::Call::Form form) {
  return form == rpc::Call::Form::call ? "call" : form == rpc::Call::Form::notification ? "notification" : "invalid";
}

inline bool lies_in(std::string_view part, const std::vector<char>& whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// The text is a heap block of exactly its size, so that a sanitizer sees a read past it. A broken promise aborts.
inline std::expected<std::vector<reference::Seen>, rpc::Code> inspect(rpc::Inspector& inspector,
                                                                      std::string_view text) {
  const std::vector<char> block(text.begin(), text.end());
  const auto read = inspector.inspect(block);
  if (!read) {
    RINGWALL_CHECK(!read.error().why.empty() && read.error().why.size() < 100);
    return std::unexpected(read.error().code);
  }
  RINGWALL_CHECK(!read->calls.empty());
  RINGWALL_CHECK(read->is_batch || read->calls.size() == 1);
  std::vector<reference::Seen> seen;
  for (const rpc::Call& call : read->calls) {
    RINGWALL_CHECK(call.id.empty() == (call.form == rpc::Call::Form::notification));
    RINGWALL_CHECK(call.params.empty() || lies_in(call.params, block));
    seen.push_back({name_of(call.form), std::string(call.method), std::string(call.id), std::string(call.params)});
  }
  return seen;
}

}  // namespace told
