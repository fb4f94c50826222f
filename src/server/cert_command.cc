#include <unistd.h>

#include <ctime>

#include <fmt/core.h>

#include <ringwall/server/options.h>
#include <ringwall/server/output.h>
#include <ringwall/tls/self_signed.h>

namespace ringwall::server {
namespace {

int refuse(const std::string& why) {
  print_error("ringwall cert: " + why + "\n");
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
  const tls::Certificate files{.chain_file = cert.cert_file, .key_file = cert.key_file, .ocsp_file = {}};
  if (const Result<void> written = tls::write_pair(files, *made); !written) {
    return refuse(written.error().message);
  }
  return print(fmt::format("{} and {}: valid for {} days\nringwall --cert {} --key {}\n", cert.cert_file, cert.key_file,
                           cert.days, cert.cert_file, cert.key_file));
}

}  // namespace ringwall::server
