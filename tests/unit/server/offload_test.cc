// Who makes the records, by what was asked for, what the kernel can and what it costs.
#include <ringwall/server/offload.h>

#include "unit/catch.h"

#include <cerrno>

using namespace ringwall;
using namespace ringwall::server;

namespace {

constexpr CostPair kernel_is_cheaper{.kernel = {.us_per_mib = 400, .us_per_message = 2},
                                     .user = {.us_per_mib = 600, .us_per_message = 3}};
constexpr CostPair user_is_cheaper{.kernel = {.us_per_mib = 600, .us_per_message = 3},
                                   .user = {.us_per_mib = 400, .us_per_message = 2}};

KernelTls without_tls() {
  KernelTls kernel;
  kernel.attach_error = ENOENT;
  return kernel;
}

// Of one version and cipher the kernel does not have the sending half.
KernelTls lacking(tls::Version version, tls::Cipher cipher) {
  KernelTls kernel;
  kernel.suites[static_cast<std::size_t>(version)][static_cast<std::size_t>(cipher)].send_error = ENOENT;
  return kernel;
}

OffloadChoice chosen(config::Offload wanted, const KernelTls& kernel, const Costs& costs = {}) {
  const auto choice = choose_offload({.offload = wanted}, kernel, costs);
  if (!choice) FAIL(choice.error().message);
  return *choice;
}

bool has(const OffloadChoice& choice, const char* text) { return choice.text.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("user is user space, whatever the kernel can") {
  const OffloadChoice choice = chosen(config::Offload::user, {}, {{{kernel_is_cheaper}}});
  CHECK_FALSE(choice.settings.uses_kernel());
  CHECK(has(choice, "  tls: user-space records (tls.offload is \"user\")"));
}

TEST_CASE("auto without a TLS of the kernel is user space, and says what the kernel said") {
  const OffloadChoice choice = chosen(config::Offload::automatic, without_tls());
  CHECK_FALSE(choice.settings.uses_kernel());
  CHECK(has(choice, "user-space records (the kernel has no TLS: ENOENT)"));
  KernelTls refused;
  refused.attach_error = EMFILE;
  CHECK(has(chosen(config::Offload::automatic, refused), "cannot be tried: EMFILE"));
}

TEST_CASE("auto takes the cheaper, cipher by cipher, and says what both cost") {
  const OffloadChoice choice =
      chosen(config::Offload::automatic, {}, {{{kernel_is_cheaper}, {user_is_cheaper}, {.failure = "2 of 3 runs"}}});
  for (const tls::Version version : tls::versions) {
    CHECK(choice.settings.uses_kernel(version, tls::Cipher::aes_128_gcm));
    CHECK_FALSE(choice.settings.uses_kernel(version, tls::Cipher::aes_256_gcm));
    CHECK_FALSE(choice.settings.uses_kernel(version, tls::Cipher::chacha20_poly1305));
  }
  CHECK(has(
      choice,
      "AES-128-GCM in the kernel: 2.45 ms, in user space 3.67, for 1 MiB of large answers (400 and 600 µs) and 1024 "
      "small messages (2.00 and 3.00 µs each)\n"));
  CHECK(has(choice, "AES-256-GCM in user space: 2.45 ms, in the kernel 3.67, for"));
  CHECK(has(choice, "ChaCha20-Poly1305 in user space (what the kernel costs could not be measured: 2 of 3 runs)\n"));
}

TEST_CASE("a kernel that is hardly cheaper is not worth it") {
  CostPair alike = kernel_is_cheaper;
  alike.user = {.us_per_mib = alike.kernel.us_per_mib * 1.04, .us_per_message = alike.kernel.us_per_message * 1.04};
  const OffloadChoice hardly = chosen(config::Offload::automatic, {}, {{{alike}}});
  CHECK_FALSE(hardly.settings.uses_kernel());
  CHECK(has(hardly, "AES-128-GCM in user space: 2.55 ms, in the kernel 2.45, not worth it, for"));
  alike.user = {.us_per_mib = alike.kernel.us_per_mib * 1.06, .us_per_message = alike.kernel.us_per_message * 1.06};
  CHECK(chosen(config::Offload::automatic, {}, {{{alike}}}).settings.uses_kernel());
}

TEST_CASE("small messages weigh more than what they carry") {
  const CostPair costs{.kernel = {.us_per_mib = 100, .us_per_message = 3},
                       .user = {.us_per_mib = 600, .us_per_message = 2}};
  CHECK_FALSE(chosen(config::Offload::automatic, {}, {{{costs}}}).settings.uses_kernel());
}

TEST_CASE("kernel is the kernel for all that it can, measured or not") {
  const OffloadChoice choice =
      chosen(config::Offload::kernel, lacking(tls::Version::tls12, tls::Cipher::chacha20_poly1305));
  CHECK(choice.settings.uses_kernel(tls::Version::tls13, tls::Cipher::chacha20_poly1305));
  CHECK_FALSE(choice.settings.uses_kernel(tls::Version::tls12, tls::Cipher::chacha20_poly1305));
  CHECK(choice.settings.uses_kernel(tls::Version::tls12, tls::Cipher::aes_256_gcm));
  CHECK(has(choice, "  tls: AES-256-GCM in the kernel\n"));
}

TEST_CASE("a cipher that the kernel has not stays in user space, and that is told") {
  KernelTls kernel = lacking(tls::Version::tls12, tls::Cipher::chacha20_poly1305);
  kernel.suites[1][2].receive_error = EINVAL;
  for (const config::Offload wanted : {config::Offload::kernel, config::Offload::automatic}) {
    const OffloadChoice choice = chosen(wanted, kernel, {{{kernel_is_cheaper}, {kernel_is_cheaper}}});
    CHECK(has(choice, "ChaCha20-Poly1305 in user space (the kernel has it not: ENOENT)\n"));
    CHECK_FALSE(choice.settings.uses_kernel(tls::Version::tls13, tls::Cipher::chacha20_poly1305));
    CHECK(choice.settings.uses_kernel(tls::Version::tls13, tls::Cipher::aes_128_gcm));
  }
}

TEST_CASE("kernel where there is none is an error with the field, what the kernel said, and two remedies") {
  const auto choice = choose_offload({.offload = config::Offload::kernel}, without_tls(), {});
  REQUIRE_FALSE(choice);
  for (const char* part : {"tls.offload: found \"kernel\"", "ENOENT", "modprobe tls", "tls.offload = \"user\""}) {
    CHECK(choice.error().message.find(part) != std::string::npos);
  }
  KernelTls no_cipher;
  for (auto& row : no_cipher.suites) row.fill({.send_error = EINVAL, .receive_error = 0});
  const auto empty = choose_offload({.offload = config::Offload::kernel}, no_cipher, {});
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message.find("AES-128-GCM EINVAL, AES-256-GCM EINVAL") != std::string::npos);
  CHECK(empty.error().message.find("modprobe") == std::string::npos);
  CHECK_FALSE(chosen(config::Offload::automatic, no_cipher).settings.uses_kernel());
}

TEST_CASE("the remedy is one for what was found") {
  KernelTls no_module;
  for (auto& row : no_module.suites) row.fill({.send_error = ENOENT, .receive_error = ENOENT});
  REQUIRE(obstacle(no_module));
  CHECK(obstacle(no_module)->found.find("none of the ciphers") != std::string::npos);
  CHECK(obstacle(no_module)->remedy.find("modprobe -a gcm chacha20poly1305") != std::string::npos);
  CHECK_FALSE(obstacle({}));
  CHECK_FALSE(obstacle(lacking(tls::Version::tls12, tls::Cipher::aes_128_gcm)));
  struct Row {
    int error;
    const char* found;
    const char* remedy;
  };
  for (const auto& [error, found, remedy] :
       {Row{ENOENT, "ENOENT", "modprobe tls"}, Row{EMFILE, "EMFILE", "open files"}, Row{EPERM, "EPERM", "seccomp"},
        Row{ENOTCONN, "127.0.0.1", "lo up"}, Row{ENOPROTOOPT, "ENOPROTOOPT", "CONFIG_TLS"},
        Row{9999, "error 9999", "CONFIG_TLS"}}) {
    CHECK(attach_obstacle(error).found.find(found) != std::string::npos);
    CHECK(attach_obstacle(error).remedy.find(remedy) != std::string::npos);
    CHECK((attach_obstacle(error).remedy.find("modprobe") != std::string::npos) == (error == ENOENT));
  }
}

TEST_CASE("a kernel that replaces no keys is told of where it is used") {
  KernelTls kernel;
  kernel.second_key_error = 0;
  CHECK(chosen(config::Offload::kernel, kernel).settings.kernel_updates_keys);
  CHECK_FALSE(has(chosen(config::Offload::kernel, kernel), "replaces no keys"));
  kernel.second_key_error = EBUSY;
  CHECK_FALSE(chosen(config::Offload::kernel, kernel).settings.kernel_updates_keys);
  CHECK(has(chosen(config::Offload::kernel, kernel), "replaces no keys (EBUSY)"));
  CHECK_FALSE(has(chosen(config::Offload::automatic, kernel, {{{user_is_cheaper}}}), "replaces no keys"));
}

TEST_CASE("of a kernel whose TLS 1.3 does not work nothing is claimed about new keys") {
  KernelTls kernel;
  kernel.suites[static_cast<std::size_t>(tls::Version::tls13)].fill({.send_error = EINVAL, .receive_error = EINVAL});
  const OffloadChoice choice = chosen(config::Offload::kernel, kernel);
  CHECK(choice.settings.uses_kernel(tls::Version::tls12, tls::Cipher::aes_128_gcm));
  CHECK_FALSE(choice.settings.kernel_updates_keys);
  CHECK_FALSE(has(choice, "replaces no keys"));
}

TEST_CASE("how many records a key is good for is handed on in every case") {
  for (const config::Offload wanted : {config::Offload::user, config::Offload::automatic, config::Offload::kernel}) {
    const auto choice = choose_offload({.offload = wanted, .records_per_key = 64}, {}, {});
    REQUIRE(choice);
    CHECK(choice->settings.records_per_key == 64);
  }
}

TEST_CASE("without a listener that speaks TLS nothing is tried and nothing said") {
  config::Config config;
  config.tls.offload = config::Offload::kernel;
  config.listeners.emplace_back().kind = config::ListenerKind::plain;
  const auto choice = choose_offload(config);
  REQUIRE(choice);
  CHECK(choice->text.empty());
}
