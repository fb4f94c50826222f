// Any bytes as a client's message: what the inspector tells is what the reference makes of them, and what it refuses
// for its grammar simdjson refuses too.
//
// Input: the bounds of batch and depth, then the message.
#include <ringwall/rpc/method_table.h>
#include <ringwall/rpc/refusal.h>
#include <ringwall/rpc/unsubscribe.h>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unit/rpc/told.h"

namespace {

using namespace ringwall::rpc;

// Whatever the calls are, the refusal of all of them is JSON.
void check_refusal(Inspector& inspector, const std::string& text) {
  static const auto table = MethodTable::make({.runtime_apis = {"Core_*"}});
  const auto read = inspector.inspect(text);
  std::vector<Reason> reasons;
  for (const Call& call : read->calls) {
    const Decision decision = table->decide(call);
    RINGWALL_CHECK(call.form != Call::Form::invalid || decision.verdict == Verdict::invalid);
    reasons.push_back(reason_of(decision.verdict));
  }
  std::vector<char> out(batch_refusal_bytes_max(read->calls.size()));
  const std::size_t size = write_batch_refusal(out, read->calls, reasons);
  RINGWALL_CHECK(size == 0 || reference::Tree::of(std::string(out.data(), size)));
}

// Of valid params: what stands first in them, or alone.
void check_subscription(const std::string& params) {
  const auto tree = reference::Tree::of(params);
  if (!tree) return;
  std::string expected;
  const auto take = [&](const reference::Value& value) {
    if (value.kind == '"' || value.kind == '#') expected = value.raw;
  };
  if (tree->kind == '[' && !tree->elements.empty()) take(tree->elements[0]);
  if (tree->kind == '{' && tree->values.size() == 1) take(tree->values[0]);
  RINGWALL_CHECK(subscription_in(params) == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Inspector::Bounds bounds = {
      .calls_max = 1U + data[0] % 8, .depth_max = 1U + data[1], .unescaped_bytes_max = 16 * 1024};
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);

  Inspector inspector(bounds);
  const auto seen = told::inspect(inspector, text);
  const auto expected = reference::read(text, bounds.calls_max, bounds.depth_max);
  RINGWALL_CHECK(seen.has_value() == expected.has_value());
  if (seen) {
    RINGWALL_CHECK(*seen == *expected);
    check_refusal(inspector, text);
    for (const Call& call : inspector.inspect(text)->calls) check_subscription(std::string(call.params));
  }
  static simdjson::dom::parser parser;
  if (!text.empty() && (text[0] == '{' || text[0] == '[') && parser.parse(text).error() == simdjson::SUCCESS) {
    RINGWALL_CHECK(seen || seen.error() != Code::parse_error);
  }
  return 0;
}
