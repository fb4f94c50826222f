// request.h: one JSON-RPC request, read as a Substrate node reads it.
//
// A request whose id is not one that the node takes (a float, a negative, missing, there twice...) is a notification:
// it is neither executed nor answered. One without a proper "jsonrpc" and "method", or with either or "params" twice,
// is invalid. Unknown members are ignored. In a batch an array stands for the members in order. All views point into
// the parser or the text, and hold until the parser is used again.
// Source: JSON-RPC 2.0; jsonrpsee's Request, Notification and InvalidRequest.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>

namespace ringwall::devnode {

class Params {
 public:
  Params() = default;
  Params(simdjson::dom::element value, std::string_view raw) : value_(value), raw_(raw) {}

  // The parameter at that place; nothing when it is null, missing or if the parameters are not an array.
  [[nodiscard]] std::optional<simdjson::dom::element> at(std::size_t index) const;

  // The parameters, whatever they are.
  [[nodiscard]] const std::optional<simdjson::dom::element>& value() const { return value_; }

  // As they were written; "[]" when there are none.
  [[nodiscard]] std::string_view raw() const { return raw_; }

 private:
  std::optional<simdjson::dom::element> value_;
  std::string_view raw_ = "[]";
};

struct Request {
  enum class Kind { call, notification, invalid };
  Kind kind = Kind::invalid;
  std::string_view id = "null";  // as it was written
  std::string_view method;
  Params params;
};

// `raw` is the text that `value` was parsed from.
[[nodiscard]] Request read_request(simdjson::dom::element value, std::string_view raw);

}  // namespace ringwall::devnode
