// transport.h: what stands between a socket's bytes and a session's bytes.
//
// A connection without a transport is plain TCP, at no cost. With one, what arrives is opened and what leaves is
// sealed; the transport does no I/O and keeps no plaintext. Owner: one Connection; thread: its shard's.
#pragma once

#include <ringwall/connection/arena.h>
#include <ringwall/ring/slice.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::connection {

class Transport {
 public:
  enum class Progress : std::uint8_t {
    need_input,   // all of `wire` is consumed
    established,  // told once: the handshake is over, what is left in `wire` belongs to the session
    plaintext,    // `plaintext` holds bytes for the session; call again
    ended,        // the peer has closed its direction in order
    failed,       // failure() says why; what the peer is to be told of it has been appended to `out`
  };

  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Takes bytes off the front of `wire`; answers of its own (handshake, alerts) are appended to `out`.
  [[nodiscard]] virtual Progress open(std::span<const std::byte>& wire, ring::Slice& plaintext,
                                      std::vector<ring::Slice>& out) = 0;

  // Appends `plaintext`, encrypted, to `out`. False: failed.
  [[nodiscard]] virtual bool seal(std::span<const std::byte> plaintext, std::vector<ring::Slice>& out) = 0;

  // Appends the notice that nothing more will come from us.
  virtual void close(std::vector<ring::Slice>& out) = 0;

  [[nodiscard]] virtual bool is_established() const = 0;
  [[nodiscard]] virtual bool is_plain_http() const = 0;  // after `failed`: the peer spoke HTTP where TLS was due
  [[nodiscard]] virtual std::string_view failure_name() const = 0;  // a stable word
  [[nodiscard]] virtual std::string failure_text() const = 0;
  [[nodiscard]] virtual std::string_view server_name() const = 0;  // lower case; empty: the client named none
};

}  // namespace ringwall::connection
