// What a stranger may send to the TLS port before it has proved anything.
//
// The first byte says in what steps the rest is given. The ClientHello reader must come to the same end in any steps;
// the handshake must take any bytes without more than a failure.
#include <ringwall/check.h>
#include <ringwall/tls/handshake.h>
#include <ringwall/tls/self_signed.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace ringwall;
using Status = tls::HelloReader::Status;

class Discarded final : public tls::Output {
 public:
  void append(std::span<const std::byte>) override {}
};

struct Server {
  std::unique_ptr<tls::TicketKeys> keys;
  std::shared_ptr<const tls::Context> context;
};

Server make_server() {
  const std::int64_t now = std::time(nullptr);
  std::string folder = "/tmp/ringwall-fuzz-XXXXXX";
  RINGWALL_CHECK(::mkdtemp(folder.data()));
  tls::Settings settings;
  for (const auto key : {tls::SelfSignedKey::ecdsa_p256, tls::SelfSignedKey::rsa_2048}) {
    const auto made = tls::make_self_signed({.names = {"localhost", "*.example"}, .key = key, .unix_now_s = now});
    RINGWALL_CHECK(made);
    const std::string stem = folder + "/" + std::to_string(settings.certificates.size());
    RINGWALL_CHECK(tls::write_private(stem + ".crt", made->certificate_pem));
    RINGWALL_CHECK(tls::write_private(stem + ".key", made->key_pem));
    settings.certificates.push_back({stem + ".crt", stem + ".key", ""});
  }
  Server server;
  server.keys = std::move(*tls::TicketKeys::create({}, now));
  server.context = std::move(*tls::Context::load(settings, *server.keys, now));
  for (const tls::Certificate& files : settings.certificates) {
    ::unlink(files.chain_file.c_str());
    ::unlink(files.key_file.c_str());
  }
  ::rmdir(folder.c_str());
  return server;
}

// Gives `bytes` in steps to `take`, which shrinks its span and says whether to go on. Returns what was not taken.
template <typename Take>
std::size_t in_steps(std::span<const std::byte> bytes, std::size_t step, Take take) {
  while (!bytes.empty()) {
    std::span<const std::byte> in = bytes.first(std::min(step, bytes.size()));
    const std::size_t given = in.size();
    const bool more = take(in);
    RINGWALL_CHECK(in.size() <= given);
    bytes = bytes.subspan(given - in.size());
    if (!more) break;
    RINGWALL_CHECK(in.empty());
  }
  return bytes.size();
}

void read_hello(std::span<const std::byte> bytes, std::size_t step) {
  tls::HelloReader whole, stepped;
  Status end = Status::need_input, stepped_end = Status::need_input;
  const std::size_t left = in_steps(bytes, bytes.size(), [&](std::span<const std::byte>& in) {
    return (end = whole.consume(in)) == Status::need_input;
  });
  const std::size_t stepped_left = in_steps(bytes, step, [&](std::span<const std::byte>& in) {
    return (stepped_end = stepped.consume(in)) == Status::need_input;
  });
  RINGWALL_CHECK(end == stepped_end);
  RINGWALL_CHECK(whole.reason() == stepped.reason());
  if (end != Status::complete) return;
  RINGWALL_CHECK(left == stepped_left);
  RINGWALL_CHECK(std::ranges::equal(whole.record(), stepped.record()));
  const auto hello = tls::parse_client_hello(whole.message());
  if (hello) RINGWALL_CHECK(hello->server_name.size() <= 253);
}

void run_handshake(const std::shared_ptr<const tls::Context>& context, std::span<const std::byte> bytes,
                   std::size_t step) {
  tls::Handshake handshake(context);
  Discarded out;
  tls::Handshake::Progress progress = tls::Handshake::Progress::need_input;
  in_steps(bytes, step, [&](std::span<const std::byte>& in) {
    progress = handshake.advance(in, out);
    return progress == tls::Handshake::Progress::need_input;
  });
  // Nobody without the keys of a key exchange can finish one.
  RINGWALL_CHECK(progress == tls::Handshake::Progress::need_input || progress == tls::Handshake::Progress::failed);
  RINGWALL_CHECK((progress == tls::Handshake::Progress::failed) ==
                 (handshake.failure().reason != tls::FailureReason::none));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server = make_server();
  if (size < 2) return 0;
  const std::size_t step = data[0] == 0 ? size : data[0];
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  read_hello(bytes, step);
  run_handshake(server.context, bytes, step);
  return 0;
}
