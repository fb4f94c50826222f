// self_signed.h: makes a self-signed certificate for a node that has no public name, or to try things out.
//
// X.509 v3 with the names and addresses in the SAN, serverAuth, and usable as its own trust anchor (openssl verify
// -CAfile, NODE_EXTRA_CA_CERTS, curl --cacert). Used by `ringwall cert` and --self-signed.
// Source: RFC 5280, RFC 6125.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/error.h>
#include <ringwall/tls/certificate.h>

namespace ringwall::tls {

enum class SelfSignedKey : std::uint8_t { ecdsa_p256, rsa_2048, rsa_3072, rsa_4096 };

struct SelfSignedRequest {
  std::vector<std::string> names;  // DNS names ("*.example.org" too) and IP addresses, v4 or v6; at least one
  SelfSignedKey key = SelfSignedKey::ecdsa_p256;
  std::uint32_t days = 365;
  std::int64_t unix_now_s = 0;  // valid from an hour before this, for clocks that are behind
};

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;  // PKCS#8
};

// Errors: a name that is neither a host name nor an address, too many names, days out of range.
[[nodiscard]] Result<SelfSigned> make_self_signed(const SelfSignedRequest& request);

// Replaces `path` at once and whole (a new file in the same folder, fsync, rename): mode 0600 for a key, 0644 else.
[[nodiscard]] Result<void> write_private(const std::string& path, std::string_view text);
[[nodiscard]] Result<void> write_public(const std::string& path, std::string_view text);

// Both files of a pair, or neither: they are replaced when both are on the disk. A crash between the two renames leaves
// a key that does not fit, which load_identity() refuses.
[[nodiscard]] Result<void> write_pair(const Certificate& files, const SelfSigned& pair);

}  // namespace ringwall::tls
