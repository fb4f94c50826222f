// output.h: where ciphertext goes that a codec has to send.
#pragma once

#include <cstddef>
#include <span>

namespace ringwall::tls {

// Receives ciphertext to send, in order. The bytes are borrowed for the call.
class Output {
 public:
  virtual void append(std::span<const std::byte> ciphertext) = 0;

 protected:
  ~Output() = default;
};

}  // namespace ringwall::tls
