#include "peer.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <ringwall/tls/self_signed.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "unit/catch.h"

namespace ringwall::tls::test {

std::int64_t now_s() { return std::time(nullptr); }

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "ringwall-tls-XXXXXX";
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path = name;
}

Folder::~Folder() { std::filesystem::remove_all(path); }

std::string Folder::write(const std::string& name, std::string_view text) const {
  std::string file = path + "/" + name;
  REQUIRE(write_private(file, text));
  return file;
}

Certificate certificate_for(const Folder& folder, std::vector<std::string> names, Kind kind) {
  SelfSignedRequest request;
  request.names = std::move(names);
  request.key = kind == Kind::rsa ? SelfSignedKey::rsa_2048 : SelfSignedKey::ecdsa_p256;
  request.unix_now_s = now_s();
  const auto made = make_self_signed(request);
  REQUIRE(made);
  static int count = 0;
  const std::string stem = std::to_string(++count);
  return {folder.write(stem + ".crt", made->certificate_pem), folder.write(stem + ".key", made->key_pem), ""};
}

Server::Server(std::vector<Certificate> certificates, TicketTimes times) {
  auto made = TicketKeys::create(times, now_s());
  REQUIRE(made);
  keys = std::move(*made);
  auto loaded = Context::load({std::move(certificates)}, *keys, now_s());
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded);
  context = std::move(*loaded);
}

namespace {

Client& of(const SSL* ssl) { return *static_cast<Client*>(SSL_get_app_data(ssl)); }

void on_info(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) of(ssl).alert_received = value & 0xff;
}

int on_session(SSL* ssl, SSL_SESSION* session) {
  of(ssl).sessions.emplace_back(session, &SSL_SESSION_free);
  return 1;
}

int on_status(SSL* ssl, void*) {
  const unsigned char* data = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &data);
  if (size > 0) of(ssl).status.assign(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  return 1;
}

std::string last_error() {
  char text[256] = "";
  if (const unsigned long code = ERR_peek_last_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

}  // namespace

Client::Client(const ClientOptions& options) {
  context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context_, options.version_min < TLS1_2_VERSION ? 0 : 1);
  SSL_CTX_set_min_proto_version(context_, options.version_min);
  SSL_CTX_set_max_proto_version(context_, options.version_max);
  if (options.suites) REQUIRE(SSL_CTX_set_ciphersuites(context_, options.suites) == 1);
  if (options.ciphers) REQUIRE(SSL_CTX_set_cipher_list(context_, options.ciphers) == 1);
  if (options.groups) REQUIRE(SSL_CTX_set1_groups_list(context_, options.groups) == 1);
  if (options.algorithms) REQUIRE(SSL_CTX_set1_sigalgs_list(context_, options.algorithms) == 1);
  if (options.block_padding > 0) REQUIRE(SSL_CTX_set_block_padding(context_, options.block_padding) == 1);
  if (!options.tickets) SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, on_session);
  SSL_CTX_set_info_callback(context_, on_info);
  if (!options.trust_file.empty()) {
    REQUIRE(SSL_CTX_load_verify_locations(context_, options.trust_file.c_str(), nullptr) == 1);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  ssl = SSL_new(context_);
  SSL_set_app_data(ssl, this);
  if (!options.server_name.empty()) {
    REQUIRE(SSL_set_tlsext_host_name(ssl, options.server_name.c_str()) == 1);
    if (!options.trust_file.empty()) SSL_set1_host(ssl, options.server_name.c_str());
  }
  std::string alpn;
  for (const std::string& protocol : options.alpn) alpn += static_cast<char>(protocol.size()) + protocol;
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()), static_cast<unsigned>(alpn.size()));
  if (options.ask_for_status) {
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(context_, on_status);
  }
  if (options.session) REQUIRE(SSL_set_session(ssl, options.session) == 1);
  from_server_ = BIO_new(BIO_s_mem());
  to_server_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(from_server_, -1);
  SSL_set_bio(ssl, from_server_, to_server_);
  SSL_set_connect_state(ssl);
}

Client::~Client() {
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // or its sessions could not be resumed
  sessions.clear();
  SSL_free(ssl);
  SSL_CTX_free(context_);
}

bool Client::step() {
  if (done) return true;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl);
  if (result == 1) {
    done = true;
    return true;
  }
  if (SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ) return true;
  error = last_error();
  return false;
}

void Client::receive(std::span<const std::byte> ciphertext) {
  if (!ciphertext.empty()) BIO_write(from_server_, ciphertext.data(), static_cast<int>(ciphertext.size()));
}

std::vector<std::byte> Client::out() {
  std::vector<std::byte> bytes(BIO_ctrl_pending(to_server_));
  if (!bytes.empty()) BIO_read(to_server_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

void Client::send(std::string_view text) {
  if (text.empty()) return;
  REQUIRE(SSL_write(ssl, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()));
}

std::string Client::read() {
  std::string all;
  for (;;) {
    char part[16384];
    ERR_clear_error();
    const int size = SSL_read(ssl, part, sizeof part);
    if (size > 0) {
      all.append(part, static_cast<std::size_t>(size));
      continue;
    }
    const int reason = SSL_get_error(ssl, size);
    if (reason == SSL_ERROR_ZERO_RETURN) closed = true;
    if (reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL) {
      failed = true;
      error = last_error();
    }
    return all;
  }
}

void Client::close() { SSL_shutdown(ssl); }

Progress Stream::handshake(std::span<const std::byte>& in, Output& out) {
  switch (handshake_->advance(in, out)) {
    case Handshake::Progress::need_input:
      return Progress::need_input;
    case Handshake::Progress::failed:
      return Progress::failed;
    case Handshake::Progress::done:
      break;
  }
  records_.emplace(handshake_->keys(), schedules_);
  return Progress::done;
}

Progress Stream::read(std::span<const std::byte>& in, std::span<std::byte> plaintext, std::size_t& n, Output& out) {
  const auto give = [&] {
    const std::size_t part = std::min(opened_.size(), plaintext.size() - n);
    std::memcpy(plaintext.data() + n, opened_.data(), part);
    opened_.erase(0, part);
    n += part;
  };
  n = 0;
  give();
  while (n < plaintext.size()) {
    std::vector<std::byte> wire(in.begin(), in.end());
    std::span<std::byte> left = wire;
    Records::Opened opened;
    const Records::Progress progress = records_->open(left, opened, out);
    opened_ += as_text(opened.plaintext);
    in = in.subspan(wire.size() - left.size());
    give();
    if (progress == Records::Progress::need_input) return Progress::need_input;
    if (progress == Records::Progress::closed) return Progress::closed;
    if (progress == Records::Progress::failed) return Progress::failed;
  }
  return Progress::done;
}

bool Stream::write(std::span<const std::byte> plaintext, Output& out) {
  while (!plaintext.empty()) {
    const std::span<const std::byte> part = plaintext.first(std::min(plaintext.size(), record_plaintext_bytes_max));
    std::vector<std::byte> record(part.size() + record_overhead_bytes_max);
    out.append(std::span(record).first(records_->seal({&part, 1}, record)));
    plaintext = plaintext.subspan(part.size());
  }
  return true;
}

void Stream::close(Output& out) {
  if (records_) records_->close(out);
}

std::string Stream::failure_text() const {
  return records_ ? std::string(records_->failure_text()) : handshake_->failure_text();
}

End shake(Stream& stream, Client& client, std::size_t step_bytes) {
  Progress progress = Progress::need_input;
  for (;;) {
    const bool client_good = client.step();
    const std::vector<std::byte> hello = client.out();
    std::span<const std::byte> left = hello;
    Sent sent;
    while (!left.empty() && progress == Progress::need_input) {
      std::span<const std::byte> in = left.first(std::min(step_bytes, left.size()));
      const std::size_t given = in.size();
      progress = stream.handshake(in, sent);
      left = left.subspan(given - in.size());
      if (progress == Progress::need_input) REQUIRE(in.empty());
    }
    client.receive(sent.bytes);
    if (progress == Progress::failed) {
      if (!client.done)
        client.step();
      else
        client.read();
      return End::server_failed;
    }
    if (!client_good) return End::client_failed;
    if (progress == Progress::done && client.done) {
      REQUIRE(left.empty());
      return End::both_done;
    }
    if (hello.empty() && sent.bytes.empty()) return End::stalled;
  }
}

Heard talk(Stream& stream, Client& client, std::size_t step_bytes) {
  Heard heard;
  for (;;) {
    const std::vector<std::byte> ciphertext = client.out();
    std::span<const std::byte> left = ciphertext;
    Sent sent;
    while (!left.empty() && heard.progress != Progress::failed && heard.progress != Progress::closed) {
      std::span<const std::byte> in = left.first(std::min(step_bytes, left.size()));
      const std::size_t given = in.size();
      std::byte plaintext[5000];
      do {
        std::size_t n = 0;
        heard.progress = stream.read(in, plaintext, n, sent);
        heard.by_server += as_text(std::span(plaintext, n));
      } while (heard.progress == Progress::done);
      left = left.subspan(given - in.size());
    }
    client.receive(sent.bytes);
    heard.by_client += client.read();
    if (ciphertext.empty() && sent.bytes.empty()) return heard;
    if (heard.progress == Progress::failed || heard.progress == Progress::closed) return heard;
  }
}

std::string shown_name(const Client& client) {
  X509* certificate = SSL_get0_peer_certificate(client.ssl);
  if (!certificate) return {};
  char text[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
  return text;
}

std::string shown_key(const Client& client) {
  X509* certificate = SSL_get0_peer_certificate(client.ssl);
  if (!certificate) return {};
  return EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) == EVP_PKEY_RSA ? "RSA" : "EC";
}

}  // namespace ringwall::tls::test
