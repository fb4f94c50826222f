// What anything that listens may answer to a ClientHello of ours.
//
// The first byte says in what steps the rest is given, the second which versions are offered and whether certificates
// are verified. A ServerHello that echoes 32 bytes as session id echoes ours, or TLS 1.3 would end right there.
#include <ringwall/check.h>
#include <ringwall/tls/client_handshake.h>
#include <ringwall/tls/self_signed.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace ringwall;
using Progress = tls::Handshaker::Progress;

constexpr std::size_t session_id_at = 5 + 4 + 2 + 32;  // its length, in either hello, when that is its record's first
constexpr std::size_t session_id_bytes = 32;

class Appended final : public tls::Output {
 public:
  void append(std::span<const std::byte> ciphertext) override {
    bytes.insert(bytes.end(), ciphertext.begin(), ciphertext.end());
  }
  std::vector<std::byte> bytes;
};

using Contexts = std::array<std::unique_ptr<tls::ClientContext>, 6>;

Contexts make_contexts() {
  const auto made = tls::make_self_signed(
      {.names = {"localhost"}, .key = tls::SelfSignedKey::ecdsa_p256, .unix_now_s = std::time(nullptr)});
  RINGWALL_CHECK(made);
  std::string ca_file = "/tmp/ringwall-fuzz-XXXXXX";
  const int file = ::mkstemp(ca_file.data());
  RINGWALL_CHECK(file >= 0 && ::write(file, made->certificate_pem.data(), made->certificate_pem.size()) > 0);
  Contexts contexts;
  for (std::size_t index = 0; index < contexts.size(); ++index) {
    contexts[index] = std::move(*tls::ClientContext::load({.versions = static_cast<tls::VersionsOffered>(index % 3),
                                                           .verify = index >= 3,
                                                           .ca_file = ca_file,
                                                           .resume = true}));
  }
  ::close(file);
  ::unlink(ca_file.c_str());
  return contexts;
}

void echo_session_id(std::span<const std::byte> client_hello, std::span<std::byte> wire) {
  constexpr std::size_t until = session_id_at + 1 + session_id_bytes;
  if (wire.size() < until || wire[0] != std::byte{22} || wire[5] != std::byte{2}) return;
  if (wire[session_id_at] != std::byte{session_id_bytes} || client_hello[session_id_at] != wire[session_id_at]) return;
  std::ranges::copy(client_hello.subspan(session_id_at + 1, session_id_bytes), wire.data() + session_id_at + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Contexts contexts = make_contexts();
  if (size < 3) return 0;
  const std::size_t step = data[0] == 0 ? size : data[0];
  const auto given = std::as_bytes(std::span(data + 2, size - 2));
  std::vector<std::byte> wire(given.begin(), given.end());

  tls::ClientSession session;
  tls::ClientHandshake handshake(*contexts[data[1] % contexts.size()], "localhost", &session);
  Appended out;
  std::span<const std::byte> in;
  Progress progress = handshake.advance(in, out);
  RINGWALL_CHECK(progress == Progress::need_input && out.bytes.size() > session_id_at + 1 + session_id_bytes);
  echo_session_id(out.bytes, wire);
  for (std::span<const std::byte> left = wire; !left.empty() && progress == Progress::need_input;) {
    in = left.first(std::min(step, left.size()));
    const std::size_t part = in.size();
    progress = handshake.advance(in, out);
    RINGWALL_CHECK(in.size() <= part);
    RINGWALL_CHECK(in.empty() || progress == Progress::failed);
    left = left.subspan(part - in.size());
  }
  // Nobody without our random can finish one.
  RINGWALL_CHECK(progress != Progress::done && !session.is_ready());
  RINGWALL_CHECK((progress == Progress::failed) == (handshake.failure().reason != tls::FailureReason::none));
  RINGWALL_CHECK((progress == Progress::failed) != handshake.failure_text().empty());
  return 0;
}
