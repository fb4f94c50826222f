// reply.h: a node's HTTP answer to a question of Ringwall's own.
//
// A codec: bytes in, status and body out; no I/O. Bounded; what is beyond is an error.
#pragma once

#include <ringwall/error.h>
#include <ringwall/http/body.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace ringwall::upstream {

// Of the whole answer, with its head and framing. polkadot-sdk's list of methods has 6 KiB.
inline constexpr std::size_t reply_bytes_max = 1 << 20;

class ReplyReader {
 public:
  // Takes more of the answer. True: it is whole, and what follows is not looked at. Of one with another status than 200
  // the body is of no interest.
  [[nodiscard]] Result<bool> take(std::string_view bytes);
  // The node closed. An error if its answer is not whole.
  [[nodiscard]] Result<void> end();

  // Of an answer that is whole.
  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }

 private:
  [[nodiscard]] Result<bool> take_head();
  [[nodiscard]] Result<bool> take_body(std::string_view bytes);

  std::size_t bytes_ = 0;
  unsigned status_ = 0;  // 0: its head is not whole
  bool keeps_alive_ = false;
  std::string head_;  // until it is whole
  std::string body_;
  http::BodyReader reader_{};
};

}  // namespace ringwall::upstream
