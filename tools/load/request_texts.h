// request_texts.h: the heads of the requests that clients send, made once for a run. Immutable, any thread.
// Source: RFC 6455 section 4.1, RFC 9112.
#pragma once

#include <ringwall/error.h>
#include <ringwall/http/upgrade.h>

#include <string>
#include <string_view>

#include "load/plan.h"

namespace ringwall::load {

class RequestTexts {
 public:
  // The error names a header, subprotocol or path that cannot be sent.
  [[nodiscard]] static Result<RequestTexts> create(const Plan& plan);

  // Appended to `out`.
  void write_upgrade(std::string_view key, std::string& out) const;
  void write_post(std::string_view body, std::string& out) const;

 private:
  RequestTexts() = default;

  std::string before_key_, after_key_;
  std::string before_length_;
};

}  // namespace ringwall::load
