// handshake.h: the server side of one TLS handshake, by wolfSSL, over memory.
//
// Until the ClientHello is complete nothing but its bytes is held: a connection that says nothing costs no TLS state.
// Done means tickets included.
//
// Owner: one connection. Thread: its shard's. Its Context lives as long as it does. Source: as handshaker.h, RFC 6066
// (stapling).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <ringwall/tls/client_hello.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/handshaker.h>

namespace ringwall::tls {

class Handshake final : public Handshaker {
 public:
  explicit Handshake(std::shared_ptr<const Context> context);

  [[nodiscard]] Progress advance(std::span<const std::byte>& in, Output& out) override;
  [[nodiscard]] Role role() const override { return Role::server; }

  // Valid once it is done.
  [[nodiscard]] const Identity& certificate() const;  // the one that was chosen

 private:
  [[nodiscard]] Progress begin(Output& out);
  [[nodiscard]] Progress refuse(FailureReason reason, std::string text, std::optional<std::uint8_t> alert, Output& out);
  [[nodiscard]] Progress accept(std::span<const std::byte>& in, Output& out);
  [[nodiscard]] std::size_t input_left() const;
  [[nodiscard]] std::size_t read(std::span<std::byte> to) override;
  [[nodiscard]] std::optional<std::uint8_t> plain_alert();

  const std::shared_ptr<const Context> context_;
  const Context::Entry* entry_ = nullptr;
  HelloReader hello_;
  std::size_t hello_given_ = 0;  // bytes of hello_.record() that wolfSSL has read
};

}  // namespace ringwall::tls
