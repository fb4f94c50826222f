#include <ringwall/server/kept_certificate.h>

#include <ringwall/tls/self_signed.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace ringwall::server {

namespace {

constexpr std::int64_t renew_before_s = 30 * 24 * 3600;

std::string file_name(const std::vector<std::string>& names) {
  std::string name =
      "self-signed-" + names.front() + (names.size() > 1 ? "-and-" + std::to_string(names.size() - 1) : std::string());
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '_');
  return name;
}

bool is_for(const tls::Identity& identity, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(identity.names, name) != identity.names.end() ||
           std::ranges::find(identity.addresses, name) != identity.addresses.end();
  });
}

std::unexpected<Error> unwritable(const std::string& why) {
  return fail("server.state_dir: " + why + "; name a folder that can be written, --set server.state_dir=FOLDER");
}

}  // namespace

Result<tls::Certificate> keep_self_signed(const std::string& state_dir, const std::vector<std::string>& names,
                                          std::int64_t unix_now_s) {
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error) return unwritable("cannot make " + state_dir + ": " + error.message());
  const std::string base = state_dir + "/" + file_name(names);
  tls::Certificate files{.chain_file = base + ".crt", .key_file = base + ".key", .ocsp_file = {}};
  if (const Result<tls::Identity> kept = tls::load_identity(files);
      kept && is_for(*kept, names) && kept->not_after_s > unix_now_s + renew_before_s) {
    return files;
  }
  const Result<tls::SelfSigned> made = tls::make_self_signed({.names = names, .days = 365, .unix_now_s = unix_now_s});
  if (!made) return std::unexpected(made.error());
  if (Result<void> written = tls::write_private(files.key_file, made->key_pem); !written) {
    return unwritable(written.error().message);
  }
  if (Result<void> written = tls::write_public(files.chain_file, made->certificate_pem); !written) {
    return unwritable(written.error().message);
  }
  return files;
}

}  // namespace ringwall::server
