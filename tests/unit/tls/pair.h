// pair.h: our own client against our own server, or against OpenSSL's, over memory.
#pragma once

#include <ringwall/tls/client_handshake.h>

#include "peer.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::tls::test {

std::unique_ptr<ClientContext> client_context(const ClientSettings& settings);

// A client's handshake and then its records.
struct OurClient {
  OurClient(const ClientContext& context, std::string_view name, ClientSession* session = nullptr)
      : handshake(context, name, session) {}

  // Gives `wire` in such steps; what is not consumed stays in it once the handshake is over.
  Handshaker::Progress take(std::vector<std::byte>& wire, std::size_t step_bytes, Sent& out);
  std::string read(std::span<const std::byte> wire, Sent& out);
  std::vector<std::byte> write(std::string_view text);

  ClientHandshake handshake;
  Handshaker::Progress progress = Handshaker::Progress::need_input;
  Records::Progress records_progress = Records::Progress::need_input;
  KeySchedules schedules;
  std::unique_ptr<Records> records;
};

// Runs both until neither moves; true: both are done. What the server sent behind its handshake waits in `behind`.
bool shake(OurClient& client, Stream& server, std::vector<std::byte>& behind, std::size_t step_bytes = SIZE_MAX);

// An SSL of OpenSSL's that accepts.
class OpensslServer {
 public:
  OpensslServer(const Certificate& files, int version, const char* suites = nullptr, bool tickets = true);
  ~OpensslServer();
  OpensslServer(const OpensslServer&) = delete;
  OpensslServer& operator=(const OpensslServer&) = delete;

  void begin();  // another connection
  void receive(std::span<const std::byte> wire);
  [[nodiscard]] bool step();  // true: the handshake is done
  std::vector<std::byte> out();
  std::string read();

  SSL* ssl = nullptr;

 private:
  SSL_CTX* context_ = nullptr;
};

bool shake(OurClient& client, OpensslServer& server, std::vector<std::byte>& behind);

}  // namespace ringwall::tls::test
