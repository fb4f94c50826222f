#include <ringwall/connection/tls_transport.h>

#include <algorithm>
#include <utility>

namespace ringwall::connection {

namespace {

// Of answers to records that carry no plaintext, more than there was plaintext: some forty KeyUpdates.
constexpr std::size_t answered_bytes_max = 1024;

// Ciphertext of wolfSSL, into the arena.
class ArenaOutput final : public tls::Output {
 public:
  ArenaOutput(Arena& arena, std::vector<ring::Slice>& out) : arena_(arena), out_(out) {}

  void append(std::span<const std::byte> ciphertext) override {
    while (!ciphertext.empty()) {
      const std::size_t part = std::min(ciphertext.size(), Arena::block_bytes);
      out_.push_back(arena_.copy(ciphertext.first(part)));
      ciphertext = ciphertext.subspan(part);
    }
  }

 private:
  Arena& arena_;
  std::vector<ring::Slice>& out_;
};

// What wolfSSL answers during a read (an alert, a KeyUpdate): held until the plaintext has its place in the arena.
class HeldOutput final : public tls::Output {
 public:
  void append(std::span<const std::byte> ciphertext) override {
    bytes.insert(bytes.end(), ciphertext.begin(), ciphertext.end());
  }

  std::vector<std::byte> bytes;
};

}  // namespace

Transport::Progress TlsTransport::open(std::span<const std::byte>& wire, ring::Slice& plaintext,
                                       std::vector<ring::Slice>& out) {
  if (established_) return read(wire, plaintext, out);
  ArenaOutput output(arena_, out);
  switch (stream_.handshake(wire, output)) {
    case tls::Progress::need_input:
      return Progress::need_input;
    case tls::Progress::done:
      established_ = true;
      return Progress::established;
    default:
      return Progress::failed;
  }
}

Transport::Progress TlsTransport::read(std::span<const std::byte>& wire, ring::Slice& plaintext,
                                       std::vector<ring::Slice>& out) {
  if (after_plaintext_) return *std::exchange(after_plaintext_, std::nullopt);
  HeldOutput output;
  std::size_t count = 0;
  const tls::Progress result = stream_.read(wire, arena_.reserve(tls::record_plaintext_bytes_max), count, output);
  if (count > 0) plaintext = arena_.commit(count);
  ArenaOutput(arena_, out).append(output.bytes);
  // A peer that asks for answers and says nothing else (KeyUpdates, in TLS 1.2 renegotiation) is up to no good.
  answered_bytes_ += output.bytes.size();
  answered_bytes_ -= std::min(answered_bytes_, count);
  if (answered_bytes_ > answered_bytes_max) {
    plaintext.reset();
    return Progress::failed;
  }
  Progress progress = Progress::plaintext;
  switch (result) {
    case tls::Progress::done:
      return Progress::plaintext;
    case tls::Progress::need_input:
      progress = Progress::need_input;
      break;
    case tls::Progress::closed:
      progress = Progress::ended;
      break;
    case tls::Progress::failed:
      progress = Progress::failed;
      break;
  }
  if (count == 0) return progress;
  after_plaintext_ = progress;
  return Progress::plaintext;
}

bool TlsTransport::seal(std::span<const std::byte> plaintext, std::vector<ring::Slice>& out) {
  // The peer broke TLS behind plaintext that its owner has answered and finished with: the failure was not told yet.
  if (stream_.failure().reason != tls::FailureReason::none) return false;
  ArenaOutput output(arena_, out);
  return stream_.write(plaintext, output);
}

void TlsTransport::close(std::vector<ring::Slice>& out) {
  ArenaOutput output(arena_, out);
  stream_.close(output);
}

}  // namespace ringwall::connection
