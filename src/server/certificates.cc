#include <ringwall/config/files.h>
#include <ringwall/server/certificates.h>
#include <ringwall/server/kept_certificate.h>

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace ringwall::server {

namespace {

bool is_same(const tls::Identity& a, const tls::Identity& b) {
  return a.chain_pem == b.chain_pem && a.key_pem == b.key_pem && a.ocsp_der == b.ocsp_der;
}

// Each once.
void add_files(const tls::Certificate& certificate, std::vector<std::string>& files) {
  for (const std::string* file : {&certificate.chain_file, &certificate.key_file, &certificate.ocsp_file}) {
    if (!file->empty() && std::ranges::find(files, *file) == files.end()) files.push_back(*file);
  }
}

}  // namespace

tls::Certificate files_of(const config::Certificate& row) { return {row.cert, row.key, row.ocsp}; }

// The pair as TLS will use it: whether the key fits and the chain is in order. A message begins with the file that it
// is about, and may end with what is right.
std::optional<config::CertificateProblem> judge_certificate(const config::Certificate& row) {
  constexpr std::string_view advice = "; right is ";
  const Result<tls::Identity> identity = tls::load_identity(files_of(row));
  if (identity) return std::nullopt;
  const std::string& message = identity.error().message;
  const auto is_about = [&message](const std::string& file) { return message.starts_with(file + ": "); };
  const std::size_t end = message.find(advice);
  return config::CertificateProblem{
      .field = is_about(row.cert)   ? "cert"
               : is_about(row.key)  ? "key"
               : is_about(row.ocsp) ? "ocsp"
                                    : "cert",
      .found = message.substr(0, end),
      .expected = end == message.npos ? "a certificate with its key" : message.substr(end + advice.size())};
}

Result<Certificates> read_certificates(const config::Config& config, std::int64_t unix_now_s) {
  Certificates read;
  for (const config::Listener& listener : config.listeners) {
    std::vector<tls::Identity>& identities = read.identities.emplace_back();
    for (const config::Certificate& row : listener.certificates) {
      Result<tls::Identity> identity = tls::load_identity(files_of(row));
      if (!identity) return std::unexpected(identity.error());
      identities.push_back(std::move(*identity));
    }
    if (listener.self_signed.empty()) continue;
    Result<Kept> kept = keep_self_signed(config.server.state_dir, listener.self_signed, unix_now_s);
    if (!kept) return std::unexpected(kept.error());
    if (!kept->notice.empty()) read.notices.push_back(std::move(kept->notice));
    identities.push_back(std::move(kept->identity));
  }
  return read;
}

Renewal renew_certificates(const config::Config& config, const Identities& served, std::int64_t unix_now_s) {
  Renewal renewal{.identities = served, .is_changed = {}, .mistakes = {}, .notices = {}};
  for (std::size_t index = 0; index < config.listeners.size(); ++index) {
    const config::Listener& listener = config.listeners[index];
    std::vector<tls::Identity>& identities = renewal.identities[index];
    const auto take = [&](std::size_t at, Result<tls::Identity> identity) {
      if (identity) {
        identities[at] = std::move(*identity);
      } else {
        renewal.mistakes.push_back(identity.error().message);
      }
    };
    const std::size_t rows = listener.certificates.size();
    for (std::size_t at = 0; at < rows; ++at) take(at, tls::load_identity(files_of(listener.certificates[at])));
    if (listener.self_signed.empty()) continue;
    Result<Kept> kept = keep_self_signed(config.server.state_dir, listener.self_signed, unix_now_s);
    if (!kept) {
      renewal.mistakes.push_back(kept.error().message);
      continue;
    }
    if (!kept->notice.empty()) renewal.notices.push_back(std::move(kept->notice));
    take(rows, std::move(kept->identity));
  }
  renewal.is_changed = changed(served, renewal.identities);
  return renewal;
}

std::vector<bool> changed(const Identities& before, const Identities& now) {
  std::vector<bool> is_changed;
  for (std::size_t index = 0; index < now.size(); ++index) {
    is_changed.push_back(!std::ranges::equal(before[index], now[index], is_same));
  }
  return is_changed;
}

Result<Contexts> make_contexts(const Identities& identities, const std::vector<bool>& is_wanted, tls::TicketKeys& keys,
                               std::int64_t unix_now_s) {
  Contexts contexts(identities.size());
  for (std::size_t index = 0; index < identities.size(); ++index) {
    if (!is_wanted[index] || identities[index].empty()) continue;
    Result<std::unique_ptr<tls::Context>> context =
        tls::Context::load({.certificates = {}, .identities = identities[index]}, keys, unix_now_s);
    if (!context) return std::unexpected(context.error());
    contexts[index] = std::move(*context);
  }
  return contexts;
}

std::vector<std::string> files_of(const config::Config& config) {
  std::vector<std::string> files;
  for (const config::Listener& listener : config.listeners) {
    for (const config::Certificate& row : listener.certificates) add_files(files_of(row), files);
  }
  return files;
}

std::vector<std::string> files_of(const Identities& identities) {
  std::vector<std::string> files;
  for (const std::vector<tls::Identity>& listener : identities) {
    for (const tls::Identity& identity : listener) add_files(identity.files, files);
  }
  return files;
}

std::string summary(const tls::Identity& identity) {
  std::string names;
  for (const std::vector<std::string>* part : {&identity.names, &identity.addresses}) {
    for (const std::string& name : *part) names += name + ", ";
  }
  return fmt::format("{}: {}until {}", identity.files.chain_file, names, tls::day(identity.not_after_s));
}

std::vector<std::string> unreadable_when_renewed(const config::Config& config, const std::string& config_file,
                                                 const std::vector<std::string>& files) {
  const std::string& user = config.server.user;
  std::vector<std::string> lines;
  if (!config_file.empty() && config::unreadable_file(config_file)) {
    lines.push_back(fmt::format(
        "{}: cannot be read as user {}: a reload will be refused; let the user's group read the file and its folders",
        config_file, user));
  }
  for (const config::Listener& listener : config.listeners) {
    const std::string& webroot = listener.acme_webroot;
    if (webroot.empty() || !config::unreadable_folder(webroot)) continue;
    lines.push_back(fmt::format(
        "{}: cannot be read as user {}: every challenge in it will be answered with 404, and no certificate renewed by "
        "it; let the user's group read the folder and those above it",
        webroot, user));
  }
  for (const std::string& file : files) {
    if (!config::unreadable_file(file)) continue;
    lines.push_back(
        fmt::format("{}: cannot be read as user {}: it is served as it was at the start, it will not be seen when it "
                    "is renewed, and "
                    "a reload will be refused; let the user's group read the file and its folders (certbot: "
                    "deploy/certbot/grant-ringwall), or restart after each renewal",
                    file, user));
  }
  return lines;
}

}  // namespace ringwall::server
