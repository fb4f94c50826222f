#include <unistd.h>

#include <cstdio>
#include <ctime>

#include <fmt/core.h>

#include <ringwall/server/options.h>
#include <ringwall/tls/self_signed.h>

namespace ringwall::server {
namespace {

int refuse(const std::string& why) {
  fmt::print(stderr, "ringwall cert: {}\n", why);
  return 1;
}

}  // namespace

int run_cert(const Options& options) {
  const CertOptions& cert = options.cert;
  for (const std::string* file : {&cert.cert_file, &cert.key_file}) {
    if (::access(file->c_str(), F_OK) == 0) {
      return refuse(
          fmt::format("found {}, expected no such file yet; remove it, or choose another place with --out-cert "
                      "and --out-key",
                      *file));
    }
  }
  const tls::SelfSignedKey key = cert.rsa ? tls::SelfSignedKey::rsa_2048 : tls::SelfSignedKey::ecdsa_p256;
  const Result<tls::SelfSigned> made =
      tls::make_self_signed({.names = cert.names,
                             .key = key,
                             .days = cert.days,
                             .unix_now_s = static_cast<std::int64_t>(std::time(nullptr))});
  if (!made) {
    return refuse(made.error().message);
  }
  if (const Result<void> written = tls::write_private(cert.key_file, made->key_pem); !written) {
    return refuse(written.error().message);
  }
  if (const Result<void> written = tls::write_public(cert.cert_file, made->certificate_pem); !written) {
    return refuse(written.error().message);
  }
  fmt::print("{} and {}: valid for {} days\nringwall --cert {} --key {}\n", cert.cert_file, cert.key_file, cert.days,
             cert.cert_file, cert.key_file);
  return 0;
}

}  // namespace ringwall::server
