#include <ringwall/server/kernel_tls.h>

#include <ringwall/ring/tls_control.h>
#include <ringwall/tls/kernel_key.h>

#include <sys/time.h>

#include <cerrno>
#include <string>
#include <utility>

#include "loopback.h"

namespace ringwall::server {
namespace {

constexpr timeval patience{.tv_sec = 1, .tv_usec = 0};

int give_key(int socket, ring::TlsDirection direction, tls::Version version, tls::Cipher cipher) {
  return -ring::set_kernel_tls_key(socket, direction, tls::KernelKey(tls::Key{}, version, cipher).crypto_info());
}

// A key more in each direction. The first error that it gave.
int try_second_key(const LoopbackPair& pair, tls::Version version, tls::Cipher cipher) {
  const int send_error = give_key(pair.server.get(), ring::TlsDirection::send, version, cipher);
  return send_error != 0 ? send_error : give_key(pair.server.get(), ring::TlsDirection::receive, version, cipher);
}

// What arrives is what was sent.
int send_through(const LoopbackPair& pair) {
  constexpr std::string_view said = "ringwall";
  std::array<char, said.size()> heard{};
  if (::send(pair.server.get(), said.data(), said.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(said.size())) {
    return errno;
  }
  if (::setsockopt(pair.client(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      ::recv(pair.client(), heard.data(), heard.size(), 0) != static_cast<ssize_t>(heard.size())) {
    return errno;
  }
  return std::string_view(heard.data(), heard.size()) == said ? 0 : EBADMSG;
}

// Both keys on one end, as a connection has them, and one more to read at the other end.
KernelTls::Suite try_suite(const LoopbackPair& pair, tls::Version version, tls::Cipher cipher) {
  using enum ring::TlsDirection;
  KernelTls::Suite tried{.send_error = give_key(pair.server.get(), send, version, cipher),
                         .receive_error = give_key(pair.server.get(), receive, version, cipher)};
  if (tried.send_error == 0 && tried.receive_error == 0) {
    tried.receive_error = give_key(pair.client(), receive, version, cipher);
    if (tried.receive_error == 0) {
      tried.send_error = send_through(pair);
    }
  }
  return tried;
}

}  // namespace

KernelTls try_kernel_tls() {
  KernelTls found;
  for (const tls::Version version : tls::versions) {
    for (const tls::Cipher cipher : tls::ciphers) {
      const LoopbackPair pair;
      found.attach_error = pair.connected() ? -ring::attach_kernel_tls(pair.server.get()) : ENOTCONN;
      if (found.attach_error == 0) {
        found.attach_error = -ring::attach_kernel_tls(pair.client());
      }
      if (found.attach_error != 0) {
        return found;
      }
      found.suites[static_cast<std::size_t>(version)][static_cast<std::size_t>(cipher)] =
          try_suite(pair, version, cipher);
      // Keys are replaced in TLS 1.3 only, whatever the cipher.
      if (version == tls::Version::tls13 && found.works(version, cipher) && found.second_key_error.value_or(0) == 0) {
        found.second_key_error = try_second_key(pair, version, cipher);
      }
    }
  }
  return found;
}

std::string_view cipher_name(tls::Cipher cipher) {
  switch (cipher) {
    case tls::Cipher::aes_128_gcm:
      return "AES-128-GCM";
    case tls::Cipher::aes_256_gcm:
      return "AES-256-GCM";
    case tls::Cipher::chacha20_poly1305:
      return "ChaCha20-Poly1305";
  }
  std::unreachable();
}

}  // namespace ringwall::server
