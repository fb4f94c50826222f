// lease.h: what wolfSSL may read and write while a call into it lasts.
#pragma once

#include <ringwall/check.h>
#include <ringwall/tls/handshaker.h>

namespace ringwall::tls {

class Handshaker::Lease {
 public:
  Lease(Handshaker& handshaker, std::span<const std::byte>* in, Output& out) : handshaker_(handshaker) {
    RINGWALL_CHECK(!handshaker.out_);
    handshaker.in_ = in;
    handshaker.out_ = &out;
  }
  ~Lease() {
    handshaker_.in_ = nullptr;
    handshaker_.out_ = nullptr;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  Handshaker& handshaker_;
};

}  // namespace ringwall::tls
