// certificates.h: the certificates of all listeners, as they are served and as they are renewed.
//
// Each file is read once for all shards; each shard has contexts of its own. Blocking; on the main thread at the start,
// later on whichever thread reloads.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/config/load.h>
#include <ringwall/error.h>
#include <ringwall/tls/certificate.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/ticket_keys.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ringwall::server {

// By listener; each in the order of the configuration, the one that Ringwall makes itself last.
using Identities = std::vector<std::vector<tls::Identity>>;
// By listener; null where it speaks no TLS, or where nothing has changed.
using Contexts = std::vector<std::shared_ptr<const tls::Context>>;

struct Certificates {
  Identities identities;
  std::vector<std::string> notices;  // for the operator, of those that Ringwall makes itself
};

[[nodiscard]] tls::Certificate files_of(const config::Certificate& row);
// What is wrong with a pair, for config::Sources.
[[nodiscard]] std::optional<config::CertificateProblem> judge_certificate(const config::Certificate& row);

// All of them, or the first mistake.
[[nodiscard]] Result<Certificates> read_certificates(const config::Config& config, std::int64_t unix_now_s);

struct Renewal {
  Identities identities;              // what can be read, and what was served where it cannot
  std::vector<bool> is_changed;       // by listener
  std::vector<std::string> mistakes;  // one a certificate that stays
  std::vector<std::string> notices;
};

// Reads again what is served, of the same configuration.
[[nodiscard]] Renewal renew_certificates(const config::Config& config, const Identities& served,
                                         std::int64_t unix_now_s);

// By listener, whether another certificate, key or OCSP response is served from now on.
[[nodiscard]] std::vector<bool> changed(const Identities& before, const Identities& now);

// For one shard, of the listeners for which `is_wanted` says so. The certificates' warnings are those of the contexts.
[[nodiscard]] Result<Contexts> make_contexts(const Identities& identities, const std::vector<bool>& is_wanted,
                                             tls::TicketKeys& keys, std::int64_t unix_now_s);

// Every file that a configuration names for them.
[[nodiscard]] std::vector<std::string> files_of(const config::Config& config);
// Every file that they were read from.
[[nodiscard]] std::vector<std::string> files_of(const Identities& identities);

// "FILE: a.example, b.example, until 2027-02-28 08:00 UTC".
[[nodiscard]] std::string summary(const tls::Identity& identity);

// For an operator: what this process cannot read of `config_file`, its webroots and its certificates' `files`, now that
// it has become server.user, with what to do about it.
[[nodiscard]] std::vector<std::string> unreadable_when_renewed(const config::Config& config,
                                                               const std::string& config_file,
                                                               const std::vector<std::string>& files);

}  // namespace ringwall::server
