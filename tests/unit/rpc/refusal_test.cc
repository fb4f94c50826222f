#include <ringwall/rpc/refusal.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "unit/rpc/reference.h"

namespace {

using namespace ringwall::rpc;
using Form = Call::Form;

constexpr std::array reasons = {Reason::unsafe_,       Reason::not_offered,     Reason::invalid,
                                Reason::batch_refused, Reason::cost_over_burst, Reason::rate_exceeded,
                                Reason::limit_reached};

Call call(std::string_view id, Form form = Form::call) { return {.form = form, .method = "m", .id = id}; }

std::string refusal(const Call& refused, Reason reason, std::uint32_t retry_after_ms = 0) {
  std::array<char, refusal_bytes_max> out;
  return {out.data(), write_refusal(out, refused, reason, retry_after_ms)};
}

std::string batch_refusal(const std::vector<Call>& calls, const std::vector<Reason>& why, std::size_t room,
                          std::uint32_t retry_after_ms = 0) {
  std::vector<char> out(room);
  return {out.data(), write_batch_refusal(out, calls, why, retry_after_ms)};
}

std::string bad_message(Code code, std::string_view why) {
  std::array<char, refusal_bytes_max> out;
  return {out.data(), write_bad_message(out, {code, why})};
}

bool is_json(const std::string& text) { return reference::Tree::of(text).has_value(); }

}  // namespace

TEST_CASE("a denied call is answered as the node would, with its id as it stood") {
  CHECK(refusal(call("1"), Reason::unsafe_) ==
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"RPC call is unsafe to be called externally"}})");
  CHECK(refusal(call(R"("\u0061\"")"), Reason::not_offered) ==
        R"({"jsonrpc":"2.0","id":"\u0061\"","error":{"code":-32601,"message":"Method not offered here"}})");
  CHECK(refusal(call("null", Form::invalid), Reason::invalid) ==
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}})");
}

TEST_CASE("a call over its rate is told when to come back") {
  CHECK(refusal(call("7"), Reason::rate_exceeded, 1500) ==
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32999,"message":"RPC rate limit exceeded",)"
        R"("data":{"retry_after_ms":1500}}})");
  CHECK(refusal(call("7"), Reason::limit_reached, 0) ==
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32999,"message":"Too many calls in flight or subscriptions"}})");
}

TEST_CASE("a notification is never answered") {
  for (const Reason reason : reasons) CHECK(refusal(call("", Form::notification), reason).empty());
  CHECK(batch_refusal({call("", Form::notification)}, {Reason::unsafe_}, refusal_bytes_max).empty());
}

TEST_CASE("every answer fits where it must, with the longest id, and is JSON") {
  const std::string id = '"' + std::string(id_bytes_max - 2, 'i') + '"';
  for (const Reason reason : reasons) {
    const std::string text = refusal(call(id), reason, UINT32_MAX);
    CHECK(text.size() <= refusal_bytes_max);
    CHECK(text.find(id) != std::string::npos);
    CHECK(is_json(text));
  }
}

TEST_CASE("a refused batch answers each call in its order, and no notification") {
  const std::vector<Call> calls = {call("1"), call("", Form::notification), call("\"b\""), call("null", Form::invalid)};
  const std::vector<Reason> why = {reason_of(Verdict::allowed), reason_of(Verdict::unsafe_),
                                   reason_of(Verdict::unsafe_), reason_of(Verdict::invalid)};
  CHECK(batch_refusal(calls, why, batch_refusal_bytes_max(4)) ==
        R"([{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch refused"}},)"
        R"({"jsonrpc":"2.0","id":"b","error":{"code":-32601,"message":"RPC call is unsafe to be called externally"}},)"
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}])");
}

TEST_CASE("a refused batch whose answers do not fit is answered once, whatever the room") {
  const std::string id = '"' + std::string(id_bytes_max - 2, 'i') + '"';
  const std::vector<Call> calls(20, call(id));
  const std::vector<Reason> why(20, Reason::rate_exceeded);
  bool once = false, each = false;
  for (std::size_t room = refusal_bytes_max; room <= batch_refusal_bytes_max(20); ++room) {
    const std::string text = batch_refusal(calls, why, room, UINT32_MAX);
    CHECK(is_json(text));
    if (text[0] == '{') {
      once = true;
      CHECK(text == R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch refused"}})");
    } else {
      each = true;
      CHECK(reference::Tree::of(text)->elements.size() == 20);
    }
  }
  CHECK((once && each));
  CHECK(batch_refusal(calls, why, batch_refusal_bytes_max(20))[0] == '[');
}

TEST_CASE("a bad message is answered with id null and its reason") {
  CHECK(bad_message(Code::parse_error, "Parse error: not valid UTF-8") ==
        R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error: not valid UTF-8"}})");
  CHECK(bad_message(Code::invalid_request, "Invalid request: an empty batch").find("-32600") != std::string::npos);
}

TEST_CASE("a call that is answered here gets its result") {
  const std::string result = R"({"methods":[]})";
  std::vector<char> out(result.size() + refusal_bytes_max);
  CHECK(std::string(out.data(), write_result(out, call("3"), result)) ==
        R"({"jsonrpc":"2.0","id":3,"result":{"methods":[]}})");
  CHECK(write_result(out, call("", Form::notification), result) == 0);
}
