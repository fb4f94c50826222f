// options.h: the command line of the program.
//
// Read once in main, before any thread. What it says about the configuration becomes config::Setting values, which
// config::load() puts over the environment and the file: flags describe the first listener and the first upstream, a
// second --listen the second listener with the same certificates, kind and mode.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <ringwall/config/load.h>

namespace ringwall::server {

enum class Command : std::uint8_t { serve, check, config, cert, doctor, ctl, top };

// Of `ringwall cert`.
struct CertOptions {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};  // DNS names and IP addresses.
  bool rsa = false;                                                 // RSA 2048; else ECDSA P-256.
  std::uint32_t days = 365;
  std::string cert_file{"ringwall-cert.pem"};
  std::string key_file{"ringwall-key.pem"};
};

// Of `ringwall ctl` and `ringwall top`: which running Ringwall is asked for what.
struct CtlOptions {
  std::string at{"/run/ringwall/admin.sock"};  // admin.socket or admin.address
  std::string method{};                        // of HTTP
  std::string target{};
  bool once = false;
  std::string by{"units"};
};

struct Options {
  Command command = Command::serve;
  config::Sources sources{};  // File, environment and flags; for serve and check.
  CertOptions cert{};
  CtlOptions ctl{};
};

// On the left: what to run. On the right: the program has said what there was to say (--help, --version, no arguments:
// 0, on standard output; a wrong command line: 2, on standard error) and ends with that code.
[[nodiscard]] std::expected<Options, int> parse_options(int argc, const char* const* argv);

// The subcommands, each in its own file; all return the exit code of the program.
[[nodiscard]] int run_check(const Options& options);   // 0: one summary line. 1: every problem, a line each.
[[nodiscard]] int run_config(const Options& options);  // Prints the commented sample.
[[nodiscard]] int run_cert(const Options& options);    // 1: nothing was written, and why.
[[nodiscard]] int run_doctor(const Options& options);  // 1: the program cannot run here.
[[nodiscard]] int run_ctl(const Options& options);     // 1: it could not be asked, or said no.
[[nodiscard]] int run_top(const Options& options);     // 1: it could not be asked.

}  // namespace ringwall::server
