#include "pair.h"

#include <algorithm>
#include <array>

#include "unit/catch.h"

namespace ringwall::tls::test {

using Step = Handshaker::Progress;

std::unique_ptr<ClientContext> client_context(const ClientSettings& settings) {
  auto loaded = ClientContext::load(settings);
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded);
  return std::move(*loaded);
}

Step OurClient::take(std::vector<std::byte>& wire, std::size_t step_bytes, Sent& out) {
  std::size_t taken = 0;
  do {
    std::span<const std::byte> in = std::span<const std::byte>(wire).subspan(taken);
    in = in.first(std::min(step_bytes, in.size()));
    const std::size_t given = in.size();
    progress = handshake.advance(in, out);
    taken += given - in.size();
    if (progress == Step::need_input) REQUIRE(in.empty());
  } while (progress == Step::need_input && taken < wire.size());
  wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(taken));
  if (progress == Step::done) records = std::make_unique<Records>(handshake.keys(), schedules, Role::client);
  return progress;
}

std::string OurClient::read(std::span<const std::byte> wire, Sent& out) {
  std::vector<std::byte> copy(wire.begin(), wire.end());
  std::span<std::byte> left = copy;
  std::string text;
  Records::Opened opened;
  while ((records_progress = records->open(left, opened, out)) == Records::Progress::plaintext) {
    text += as_text(opened.plaintext);
  }
  return text;
}

std::vector<std::byte> OurClient::write(std::string_view text) {
  std::vector<std::byte> record(text.size() + record_overhead_bytes_max);
  const std::array pieces{as_bytes(text)};
  record.resize(records->seal(pieces, record));
  return record;
}

bool shake(OurClient& client, Stream& server, std::vector<std::byte>& behind, std::size_t step_bytes) {
  Progress server_progress = Progress::need_input;
  std::vector<std::byte> to_client;
  for (int round = 0; round < 10; ++round) {
    Sent from_client;
    if (client.progress == Step::need_input) (void)client.take(to_client, step_bytes, from_client);
    Sent from_server;
    std::span<const std::byte> in = from_client.bytes;
    if (server_progress == Progress::need_input && !in.empty()) server_progress = server.handshake(in, from_server);
    to_client.insert(to_client.end(), from_server.bytes.begin(), from_server.bytes.end());
    if (client.progress == Step::failed) return false;
    if (client.progress == Step::done && server_progress == Progress::done && from_server.bytes.empty()) {
      behind = std::move(to_client);
      return true;
    }
  }
  return false;
}

OpensslServer::OpensslServer(const Certificate& files, int version, const char* suites, bool tickets) {
  context_ = SSL_CTX_new(TLS_server_method());
  REQUIRE(SSL_CTX_set_min_proto_version(context_, version) == 1);
  REQUIRE(SSL_CTX_set_max_proto_version(context_, version) == 1);
  if (suites && version == TLS1_3_VERSION) REQUIRE(SSL_CTX_set_ciphersuites(context_, suites) == 1);
  if (suites && version == TLS1_2_VERSION) REQUIRE(SSL_CTX_set_cipher_list(context_, suites) == 1);
  if (!tickets) {
    SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context_, 0);
  }
  REQUIRE(SSL_CTX_use_certificate_chain_file(context_, files.chain_file.c_str()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(context_, files.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
  begin();
}

OpensslServer::~OpensslServer() {
  SSL_free(ssl);
  SSL_CTX_free(context_);
}

void OpensslServer::begin() {
  if (ssl) SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
  ssl = SSL_new(context_);
  BIO* in = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl, in, BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl);
}

void OpensslServer::receive(std::span<const std::byte> wire) {
  if (!wire.empty()) BIO_write(SSL_get_rbio(ssl), wire.data(), static_cast<int>(wire.size()));
}

bool OpensslServer::step() { return SSL_do_handshake(ssl) == 1; }

std::vector<std::byte> OpensslServer::out() {
  std::vector<std::byte> bytes(BIO_ctrl_pending(SSL_get_wbio(ssl)));
  if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl), bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

std::string OpensslServer::read() {
  std::string text(20'000, '\0');
  const int count = SSL_read(ssl, text.data(), static_cast<int>(text.size()));
  text.resize(static_cast<std::size_t>(std::max(count, 0)));
  return text;
}

bool shake(OurClient& client, OpensslServer& server, std::vector<std::byte>& behind) {
  std::vector<std::byte> to_client;
  bool server_done = false;
  for (int round = 0; round < 10; ++round) {
    Sent from_client;
    if (client.progress == Step::need_input) (void)client.take(to_client, SIZE_MAX, from_client);
    server.receive(from_client.bytes);
    server_done = server.step();
    const std::vector<std::byte> more = server.out();
    to_client.insert(to_client.end(), more.begin(), more.end());
    if (client.progress == Step::failed) return false;
    if (client.progress == Step::done && server_done && more.empty()) {
      behind = std::move(to_client);
      return true;
    }
  }
  return false;
}

}  // namespace ringwall::tls::test
