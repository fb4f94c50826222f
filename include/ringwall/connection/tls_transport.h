// tls_transport.h: TLS by wolfSSL, over memory (see tls/stream.h).
#pragma once

#include <ringwall/connection/transport.h>
#include <ringwall/tls/stream.h>

#include <optional>

namespace ringwall::connection {

class TlsTransport final : public Transport {
 public:
  // Context and arena outlive the transport.
  TlsTransport(const tls::Context& context, Arena& arena) : stream_(context), arena_(arena) {}

  Progress open(std::span<const std::byte>& wire, ring::Slice& plaintext, std::vector<ring::Slice>& out) override;
  bool seal(std::span<const std::byte> plaintext, std::vector<ring::Slice>& out) override;
  void close(std::vector<ring::Slice>& out) override;

  bool is_established() const override { return established_; }
  bool is_plain_http() const override { return stream_.failure().reason == tls::FailureReason::plain_http; }
  std::string_view failure_name() const override { return tls::name(stream_.failure().reason); }
  std::string failure_text() const override { return stream_.failure().text; }
  std::string_view server_name() const override { return stream_.server_name(); }

 private:
  Progress read(std::span<const std::byte>& wire, ring::Slice& plaintext, std::vector<ring::Slice>& out);

  tls::Stream stream_;
  Arena& arena_;
  std::size_t answered_bytes_ = 0;  // more than there was plaintext
  bool established_ = false;
  std::optional<Progress> after_plaintext_{};  // found by the read that gave the last plaintext, still to be told
};

}  // namespace ringwall::connection
