// calls.h: calls and answers as texts, for the tests of CallTable.
#pragma once

#include <ringwall/rpc/answer.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/session/call_table.h>

#include <ostream>
#include <string>
#include <string_view>

namespace ringwall::session {

inline constexpr HashSeed hash_seed = {std::byte{0x52}, std::byte{0x69}, std::byte{0x6E}, std::byte{0x67}};

// A CallTable that is spoken to in JSON text.
class Calls {
 public:
  using Ended = CallTable::Ended;

  void send(std::string_view id, std::string_view method, std::string_view params = "[]", std::size_t bytes = 100) {
    const rpc::Call call = {.form = id.empty() ? rpc::Call::Form::notification : rpc::Call::Form::call,
                            .method = method,
                            .id = id,
                            .params = params};
    table.add(call, methods_.decide(call), bytes, now_ns);
  }

  Ended hear(std::string_view text) { return table.answer(rpc::classify_answer(text, {}), now_ns); }
  Ended result(const std::string& id, const std::string& value) {
    return hear(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + value + "}");
  }
  Ended error(const std::string& id) {
    return hear(R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":{"code":-32602,"message":"no"}})");
  }
  // The last of a subscription.
  Ended last(const std::string& subscription) {
    return hear(R"({"jsonrpc":"2.0","method":"author_extrinsicUpdate","params":{"subscription":)" + subscription +
                R"(,"result":"dropped"}})");
  }

  CallTable table{hash_seed};
  std::uint64_t now_ns = 1;

 private:
  rpc::MethodTable methods_ = rpc::MethodTable::make({.policy = rpc::Policy::all}).value();
};

// But for the time, which has tests of its own.
inline bool operator==(const CallTable::Ended& a, const CallTable::Ended& b) {
  return a.calls == b.calls && a.subscriptions == b.subscriptions;
}

inline std::ostream& operator<<(std::ostream& out, const CallTable::Ended& ended) {
  return out << ended.calls << " calls, " << ended.subscriptions << " subscriptions";
}

}  // namespace ringwall::session
