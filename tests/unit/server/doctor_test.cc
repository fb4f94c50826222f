#include <ringwall/server/doctor.h>

#include <cerrno>

#include <algorithm>

#include "unit/catch.h"

using namespace ringwall::server;

namespace {

// A machine with nothing to complain about.
Observation healthy() {
  return {.kernel_release = "6.1.0-28-amd64",
          .cores = 4,
          .kernel_tls = {.second_key_error = 0},
          .io_uring_disabled = 0,
          .takes_filter = true,
          .landlock_version = 2,
          .memlock_bytes = 8 << 20,
          .open_files_soft = 1'024,
          .open_files_hard = 1'048'576,
          .somaxconn = 4'096,
          .unprivileged_port_start = 1'024,
          .may_bind_any_port = true};
}

Finding about(const Observation& seen, const std::string& subject) {
  const std::vector<Finding> findings = judge(seen);
  const auto found = std::ranges::find(findings, subject, &Finding::subject);
  REQUIRE(found != findings.end());
  return *found;
}

bool runs(const Observation& seen) {
  const std::vector<Finding> findings = judge(seen);
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.verdict == Verdict::bad; });
}

}  // namespace

TEST_CASE("a kernel is compared by numbers, not by letters") {
  CHECK(is_kernel_at_least("6.1.0-28-amd64", 6, 1));
  CHECK(is_kernel_at_least("6.10", 6, 1));
  CHECK(is_kernel_at_least("10.0-rc1", 6, 1));
  CHECK_FALSE(is_kernel_at_least("6.0.19", 6, 1));
  CHECK_FALSE(is_kernel_at_least("5.15.0-100-generic", 6, 1));
  CHECK_FALSE(is_kernel_at_least("", 6, 1));
  CHECK_FALSE(is_kernel_at_least("6", 6, 1));
  CHECK_FALSE(is_kernel_at_least("6.x", 6, 1));
}

TEST_CASE("a good machine has good findings only, and none of them a remedy") {
  for (const Finding& finding : judge(healthy())) {
    INFO(finding.subject << ": " << finding.found);
    CHECK(finding.verdict == Verdict::good);
    CHECK(finding.remedy.empty());
  }
}

TEST_CASE("whatever is not good comes with a remedy") {
  Observation seen = healthy();
  seen.kernel_release = "5.10.0";
  seen.ring_error = EINVAL;
  seen.kernel_tls.attach_error = ENOENT;
  seen.io_uring_disabled.reset();
  seen.open_files_hard = 1'024;
  seen.somaxconn = 128;
  seen.may_bind_any_port = false;
  std::size_t remedies = 0;
  for (const Finding& finding : judge(seen)) {
    INFO(finding.subject);
    CHECK((finding.verdict == Verdict::good) == finding.remedy.empty());
    remedies += finding.remedy.empty() ? 0 : 1;
  }
  CHECK(remedies == 6);
  CHECK_FALSE(runs(seen));
}

TEST_CASE("an old kernel cannot run Ringwall") {
  Observation seen = healthy();
  seen.kernel_release = "6.0.9";
  CHECK_FALSE(runs(seen));
}

TEST_CASE("a forbidden io_uring is put down to the sysctl, the seccomp filter or a security module") {
  Observation seen = healthy();
  seen.ring_error = EPERM;
  CHECK(about(seen, "io_uring").remedy.find("security module") != std::string::npos);
  seen.seccomp_filter = true;
  CHECK(about(seen, "io_uring").remedy.find("seccomp") != std::string::npos);
  seen.io_uring_disabled = 1;
  CHECK(about(seen, "io_uring").remedy.find("kernel.io_uring_group") != std::string::npos);
  seen.io_uring_disabled = 2;
  CHECK(about(seen, "io_uring").remedy == "sysctl -w kernel.io_uring_disabled=0");
  CHECK_FALSE(runs(seen));
}

TEST_CASE("a missing io_uring is put down to the filter if there is one, else to the kernel") {
  Observation seen = healthy();
  seen.ring_error = ENOSYS;
  CHECK(about(seen, "io_uring").remedy.find("CONFIG_IO_URING") != std::string::npos);
  seen.seccomp_filter = true;
  CHECK(about(seen, "io_uring").remedy.find("seccomp") != std::string::npos);
}

TEST_CASE("a sysctl that forbids nothing is good, whatever else keeps a ring from being made") {
  Observation seen = healthy();
  seen.ring_error = ENOMEM;
  CHECK(about(seen, "io_uring_disabled").verdict == Verdict::good);
  seen.io_uring_disabled = 2;
  CHECK(about(seen, "io_uring_disabled").verdict == Verdict::bad);
}

TEST_CASE("a filter that lets a ring be made and not entered is named") {
  Observation seen = healthy();
  seen.multishot_accept_error = EPERM;
  seen.seccomp_filter = true;
  CHECK(about(seen, "multishot accept").remedy.find("io_uring_enter") != std::string::npos);
}

TEST_CASE("without a ring nothing is said of what needs one") {
  Observation seen = healthy();
  seen.ring_error = ENOSYS;
  const std::vector<Finding> findings = judge(seen);
  CHECK(std::ranges::find(findings, "multishot receive", &Finding::subject) == findings.end());
}

TEST_CASE("missing operations are named, and each trial that fails keeps Ringwall from running") {
  Observation seen = healthy();
  seen.missing_operations = {"SEND", "SENDMSG"};
  CHECK(about(seen, "io_uring operations").found == "not there: SEND, SENDMSG");
  CHECK_FALSE(runs(seen));
  for (int Observation::* trial :
       {&Observation::buffer_ring_error, &Observation::multishot_accept_error, &Observation::multishot_receive_error}) {
    Observation failed = healthy();
    failed.*trial = EINVAL;
    CHECK_FALSE(runs(failed));
  }
}

TEST_CASE("kernel TLS, a short accept queue and high ports only make Ringwall weaker") {
  Observation seen = healthy();
  seen.kernel_tls.attach_error = ENOENT;
  seen.somaxconn = 128;
  seen.may_bind_any_port = false;
  CHECK(about(seen, "kernel TLS").found ==
        "no module tls is loaded, or this kernel has none: tls.offload = \"auto\" uses user space, \"kernel\" will not "
        "start");
  CHECK(about(seen, "kernel TLS").remedy.starts_with("its module (modprobe tls"));
  CHECK(about(seen, "accept queue").verdict == Verdict::weak);
  CHECK(about(seen, "port 443").verdict == Verdict::weak);
  CHECK(runs(seen));
  seen.unprivileged_port_start = 443;
  CHECK(about(seen, "port 443").verdict == Verdict::good);
  seen.unprivileged_port_start = 444;
  CHECK(about(seen, "port 443").verdict == Verdict::weak);
}

TEST_CASE("kernel TLS is told by cipher and direction, and whether it takes new keys") {
  Observation seen = healthy();
  CHECK(about(seen, "AES-128-GCM").found == "TLS 1.2 sends and receives; TLS 1.3 sends and receives");
  CHECK(about(seen, "new keys").verdict == Verdict::good);
  seen.kernel_tls.second_key_error = EBUSY;
  CHECK(about(seen, "new keys").found.find("EBUSY") != std::string::npos);
  CHECK(about(seen, "new keys").remedy.starts_with("Linux 6.14"));
  seen.kernel_tls.suites[1][2] = {.send_error = ENOENT, .receive_error = EINVAL};
  seen.kernel_tls.suites[0][2] = {.send_error = 0, .receive_error = EINVAL};
  CHECK(about(seen, "ChaCha20-Poly1305").found ==
        "TLS 1.2 sends, does not receive: EINVAL; TLS 1.3 does not send: ENOENT, does not receive: EINVAL");
  CHECK(about(seen, "ChaCha20-Poly1305").verdict == Verdict::weak);
  CHECK(about(seen, "AES-256-GCM").verdict == Verdict::good);
  CHECK(runs(seen));
}

TEST_CASE("new keys that could not be tried are not said to be taken") {
  Observation seen = healthy();
  seen.kernel_tls.suites[static_cast<std::size_t>(ringwall::tls::Version::tls13)].fill({.send_error = EINVAL});
  seen.kernel_tls.second_key_error.reset();
  CHECK(about(seen, "new keys").verdict == Verdict::weak);
  CHECK(about(seen, "new keys").found.starts_with("not tried"));
  CHECK(runs(seen));
}

TEST_CASE("of a kernel without TLS no cipher is spoken of") {
  Observation seen = healthy();
  for (const int error : {ENOENT, EPERM}) {
    seen.kernel_tls.attach_error = error;
    const std::vector<Finding> findings = judge(seen);
    CHECK(about(seen, "kernel TLS").verdict == Verdict::weak);
    CHECK(std::ranges::find(findings, "AES-128-GCM", &Finding::subject) == findings.end());
  }
  CHECK(about(seen, "kernel TLS").found.starts_with("the kernel's TLS cannot be tried: EPERM: "));
  CHECK(about(seen, "kernel TLS").remedy.find("seccomp") != std::string::npos);
}

TEST_CASE("a kernel that confines less makes Ringwall weaker, and is told what is missing") {
  Observation seen = healthy();
  CHECK(about(seen, "confinement").found == "files by Landlock 2, system calls by a filter");
  seen.landlock_version = 0;
  CHECK(about(seen, "confinement").verdict == Verdict::weak);
  CHECK(about(seen, "confinement").found.starts_with("no Landlock"));
  CHECK(runs(seen));
}

TEST_CASE("the limit of open files is told in clients, at what it can be raised to") {
  Observation seen = healthy();
  seen.open_files_hard = 10'256;
  CHECK(about(seen, "open files").found == "1024 now, 10256 at most: about 5000 clients");
  seen.open_files_hard = 4'095;
  CHECK(about(seen, "open files").verdict == Verdict::weak);
  seen.open_files_hard = 256;
  CHECK(about(seen, "open files").verdict == Verdict::bad);
}

TEST_CASE("this machine is observed twice alike, and nothing stays open") {
  const Observation first = observe();
  const Observation second = observe();
  CHECK_FALSE(first.kernel_release.empty());
  CHECK(first.cores > 0);
  CHECK(first.open_files_hard > 0);
  CHECK(first.ring_error == second.ring_error);
  CHECK(first.multishot_receive_error == second.multishot_receive_error);
  if (first.ring_error == 0) {
    CHECK(first.missing_operations.empty());
    CHECK(first.multishot_accept_error == 0);
    CHECK(first.multishot_receive_error == 0);
  }
  const int before = ::dup(0);
  ::close(before);
  (void)observe();
  const int after = ::dup(0);
  ::close(after);
  CHECK(before == after);
}
