// kernel_tls.h: what this kernel's record layer can do, found out by doing it.
//
// Made once, before there are shards. Error numbers are positive errno values, 0 for what works.
#pragma once

#include <ringwall/tls/offload.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace ringwall::server {

struct KernelTls {
  struct Suite {
    int send_error = 0;
    int receive_error = 0;
  };

  int attach_error = 0;  // ENOENT: there is no such module. Then nothing below was tried.
  std::array<std::array<Suite, tls::ciphers.size()>, tls::versions.size()> suites{};
  // Nothing: never tried, for no suite of TLS 1.3 works. EBUSY before Linux 6.14.
  std::optional<int> second_key_error;

  [[nodiscard]] const Suite& suite(tls::Version version, tls::Cipher cipher) const {
    return suites[static_cast<std::size_t>(version)][static_cast<std::size_t>(cipher)];
  }
  [[nodiscard]] bool works(tls::Version version, tls::Cipher cipher) const {
    const Suite& tried = suite(version, cipher);
    return attach_error == 0 && tried.send_error == 0 && tried.receive_error == 0;
  }
  // A connection goes on in the kernel when one of its keys is replaced.
  [[nodiscard]] bool replaces_keys() const { return second_key_error == 0; }
};

// Sends a few bytes from a loopback socket to another by each version and cipher. Takes a millisecond, or a second
// where the kernel says that it can and then does not.
[[nodiscard]] KernelTls try_kernel_tls();

// "AES-128-GCM".
[[nodiscard]] std::string_view cipher_name(tls::Cipher cipher);

}  // namespace ringwall::server
