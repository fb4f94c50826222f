// control.h: records beside data on a socket whose records the kernel makes, while they are sent or received.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/ring/tls_control.h>

#include <array>
#include <cstddef>

namespace ringwall::connection {

struct Connection::ControlSend {
  ring::TlsControlMessage message;
  ControlRecord record;
};

struct Connection::ControlReceive {
  ring::TlsControlMessage message;
  std::array<std::byte, tls::record_plaintext_bytes_max> bytes;
};

}  // namespace ringwall::connection
